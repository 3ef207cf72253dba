// Callers who leave before the answer: at their deadline, or by cancelling. A command of which the kernel has not a
// byte is taken back. All else stays in its place in the ledger, and its reply is swallowed: a caller's deadline is no
// reason to make the commands behind it unknown.
#pragma once

#include "commands/session.hpp"
#include "lane/command_queue.hpp"
#include "lane/endings.hpp"
#include "lane/ledger.hpp"
#include "lane/pacing.hpp"
#include "link/link.hpp"

#include <holdfast/command.hpp>
#include <holdfast/text_list.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast::impl {

// For an operation that follows the deployment's timing, which is `d` for one that does not block.
time_point default_deadline_of(const operation&, duration d);

class departures {
 public:
   departures(link&, ledger&, command_queue&, pacing&, gate&, endings&);

   // Deadline of a command without one of its own; commands under way are adjusted.
   void set_default_deadline(duration);
   duration default_deadline() const { return default_deadline_; }
   void apply_default(operation& op) const {
      if (op.default_deadline) op.deadline = default_deadline_of(op, default_deadline_);
   }
   void watch(const operation& op) { endings_.by_deadline().note(op); }
   time_point next_deadline() const { return endings_.by_deadline().earliest(); }

   void expire(time_point now);
   void cancel(operation& op, time_point now) { leave({&op}, errc::cancelled, now); }
   void cancel_all(time_point now);

   // One of the replies to it: its caller has left, or it is a question of ours.
   void heard(const ledger_slot&, const value_view& reply, time_point now);
   // Its caller has left, and it was answered: what it did is done.
   void answered(const ledger_slot&, bool probed, session&, time_point now);
   void on_lost() { changes_.clear(); }

 private:
   using operations = endings::operations;
   void leave(const operations&, errc, time_point now);
   bool is_unsent(const ledger_slot&) const;
   void leave_queue(operation&, errc, operations& gone, time_point now);
   void leave_unsent(operation&, errc, operations& gone, time_point now);
   void leave_slot(ledger_slot&, errc, operations& gone, time_point now);
   void remember_change(const operation&, time_point now);
   std::optional<command> take_change(std::uint64_t sequence);

   link& link_;
   ledger& ledger_;
   command_queue& queue_;
   pacing& pacing_;
   gate& gate_;
   endings& endings_;
   duration default_deadline_ = std::chrono::seconds(10);
   const text_list unanswered_{"not fenced: it was written and not answered, and may still run"};  // shared by errors
   std::vector<std::pair<std::uint64_t, command>> changes_;  // SELECT and the like, by sequence
};

}  // namespace holdfast::impl
