// WATCH, on a lane that one caller has alone: whether what was watched still is when MULTI ... EXEC is written. It is
// bound to its connection. Where that has ended, the next MULTI ... EXEC is told so, once: it must not run.
//
// What counts is the order in which commands are written. EXEC and UNWATCH end what the WATCHes before them began, and
// so does the EXEC of a test of ours.
#pragma once

#include "commands/command_table.hpp"
#include "lane/operation.hpp"
#include "lane/resend_order.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace holdfast::impl {

class watches {
 public:
   static bool is_watch(const operation& op) { return role_of(op.entry) == command_role::watch; }
   static bool is_unwatch(const operation& op) { return role_of(op.entry) == command_role::unwatch; }

   // It is about to be written, to the connection with this serial: a transaction behind a WATCH is pinned to that.
   void on_written(operation& op, std::uint32_t serial) {
      if (is_watch(op)) {
         if (written_++ == 0) first_ = op.sequence;
         first_ = std::min(first_, op.sequence);
      } else if (op.is_transaction() || is_unwatch(op)) {
         if (!is_before(first_, op)) return on_own_exec();  // an older one, which is sent again
         if (written_ != 0 && op.is_transaction()) op.pinned_to = serial;
         written_ = 0;
         if (is_before(lost_, op)) lost_ = none_lost;
      }
   }
   // A server's error: it watches nothing.
   void on_refused(const operation& op) {
      if (is_watch(op) && written_ != 0 && op.sequence >= first_) --written_;
   }
   // What was in flight was dealt with. A WATCH that waits to be written again was never answered.
   void on_lost(const std::vector<lost_command>& in_flight) {
      const auto again = std::count_if(in_flight.begin(), in_flight.end(), [&](const lost_command& l) {
         return l.op != nullptr && l.op->is == operation::state::queued && is_watch(*l.op) && l.sequence >= first_;
      });
      if (written_ > static_cast<std::size_t>(again)) lost_ = std::min(lost_, first_);
      written_ = 0;
      is_left_ = false;
   }
   // An empty transaction of ours is written, or one that is older than the WATCH.
   void on_own_exec() {
      if (written_ != 0) lost_ = std::min(lost_, first_);
      written_ = 0;
      is_left_ = false;
   }

   // Before the first command.
   void begin_lost() { lost_ = 0; }

   // Whether this transaction is behind a WATCH that has ended; or one that the test would end which it needs.
   bool is_in_vain(const operation& op, bool needs_test) const {
      return op.is_transaction() && (is_before(lost_, op) || (needs_test && written_ != 0 && is_before(first_, op)));
   }
   // It was told. As after an EXEC, nothing is watched any more.
   void on_told() { leave(); }

   // The lane gets another caller.
   void leave() {
      is_left_ = is_left_ || written_ != 0;
      written_ = 0;
      lost_ = none_lost;
   }
   // Whether UNWATCH is to be written first, once.
   bool take_left() { return std::exchange(is_left_, false); }

   bool any_lost() const { return lost_ != none_lost; }
   bool any() const { return written_ != 0 || any_lost(); }

 private:
   static constexpr std::uint64_t none_lost = static_cast<std::uint64_t>(-1);
   static bool is_before(std::uint64_t sequence, const operation& op) { return sequence < op.sequence; }

   std::size_t written_ = 0;         // on the present connection, and not ended
   std::uint64_t first_ = 0;         // the oldest of these
   std::uint64_t lost_ = none_lost;  // the oldest WATCH that ended with its connection, and nobody was told
   bool is_left_ = false;
};

}  // namespace holdfast::impl
