// Commands written on the present connection and not yet answered, in order. With the outbox's count of accepted bytes
// it knows of each command whether none, some or all of it reached the kernel; every outcome is read from here.
#pragma once

#include "core/assertion.hpp"
#include "lane/abandoned.hpp"
#include "lane/operation.hpp"
#include "link/outbox.hpp"

#include <holdfast/time.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::impl {

enum class written : std::uint8_t {
   nothing,  // no byte of it was taken by the kernel
   partly,   // some were, but not the last: no server can have parsed it
   whole,    // all that decides: whatever broke afterwards, it may have run
};

// Questions of the lane's own; nobody waits for the replies.
enum class own_question : std::uint8_t { none, ping, multi_test, unwatch };

struct ledger_slot {
   operation* op =
      nullptr;  // null: the caller has left (deadline, cancel), or it is a PING of ours; the reply is swallowed
   outbox::position begin = 0;
   outbox::position end = 0;
   outbox::position decides = 0;  // once all before it is taken, it may have run
   std::uint64_t sequence = 0;    // the operation's, also when that has left
   std::uint32_t replies_due = 1;
   bool reads_only = false;   // nothing remains of it on the server: a read, a PING
   bool alters = false;       // operation::alters
   bool again = false;        // not the first time
   bool transaction = false;  // its last reply is that to EXEC or DISCARD
   own_question asks = own_question::none;
   bool blocks = false;                    // operation::blocks: it may take what nobody waits for
   bool blocks_for_ever = false;           // no reply need ever come
   duration allowance = duration::zero();  // its own time on the server, added to the attempt timeout

   void allow(std::optional<duration> time) {
      if (!time) return;
      blocks_for_ever = blocks_for_ever || *time == duration::zero();
      allowance += *time;
   }
};

// A ring of slots: no allocation once it has grown to what is in flight at a time.
class ledger {
 public:
   bool empty() const { return size_ == 0; }
   std::size_t size() const { return size_; }
   ledger_slot& front() { return at(0); }
   const ledger_slot& front() const { return slots_[first_ & (slots_.size() - 1)]; }
   ledger_slot& at(std::size_t i) {
      HOLDFAST_ASSERT(i < size_);
      return slots_[(first_ + i) & (slots_.size() - 1)];
   }

   const ledger_slot* oldest() const { return empty() ? nullptr : &front(); }

   // Appends an operation to the bytes of a connection.
   void write(operation& op, outbox& out, std::uint32_t connection) {
      ledger_slot& slot = grown();
      slot = {.op = &op, .begin = out.appended(), .sequence = op.sequence};
      newest_ = op.sequence;
      slot.reads_only = op.reads_only;
      slot.alters = op.alters;
      slot.transaction = op.is_transaction();
      slot.again = op.attempts != 0;
      if (op.form != nullptr) {
         append_form(slot, *op.form, connection, out);
      } else {
         append(slot, op.commands, op.commands.size() - 1, out);
         slot.allow(op.blocks);
      }
      slot.blocks = op.blocks.has_value();
      op.is = operation::state::in_flight;
      op.written_on = connection;
      op.replies = 0;
   }
   void write_own(own_question asks, std::string_view question, outbox& out) {
      ledger_slot slot{.begin = out.appended(), .reads_only = true, .asks = asks};
      slot.replies_due = asks == own_question::multi_test ? 2 : 1;
      if (!empty()) slot.sequence = at(size_ - 1).sequence;  // ordered, and found behind that one
      slot.decides = slot.end = out.append(question);
      push(slot);
   }

   void push(const ledger_slot& s) {
      grown() = s;
      if (s.op != nullptr) newest_ = s.sequence;
   }
   void pop() {
      HOLDFAST_ASSERT(size_ != 0);
      ++first_;
      --size_;
   }
   void clear() {
      first_ = size_ = 0;
      left_.clear();
      abandoned_block_ = false;
   }

   // The caller has left: the replies will be swallowed.
   const abandoned& abandon(ledger_slot& slot) {
      operation& op = *std::exchange(slot.op, nullptr);
      abandoned_block_ = abandoned_block_ || slot.blocks;
      return left_.emplace(slot.sequence, op).first->second;
   }
   // Null: it is a question of ours.
   abandoned* left_of(const ledger_slot& slot) {
      const auto found = left_.find(slot.sequence);
      return found != left_.end() ? &found->second : nullptr;
   }
   std::optional<abandoned> take_left(const ledger_slot& slot) {
      auto found = left_.extract(slot.sequence);
      return found.empty() ? std::nullopt : std::optional(std::move(found.mapped()));
   }
   // Nobody waits any more for a command that blocks, nor for what stands in front of it.
   bool abandoned_block_is_next() {
      for (std::size_t i = 0; abandoned_block_ && i < size_ && at(i).op == nullptr; ++i) {
         ++steps_;
         if (at(i).blocks) return true;
      }
      return false;
   }
   // Whether an operation has to wait until all is answered. What is written again must not overtake what is newer and
   // under way. And what changes the connection stands alone: what is behind it must find it done, what is before it
   // must not.
   bool must_answer_before(const operation& op) const {
      return !empty() && (op.sequence < newest_ || op.alters || front().alters);
   }
   // Slots that were gone through, beyond the first.
   std::uint64_t steps() const { return steps_; }
   void add_step() { ++steps_; }

   // How many stand before this operation. They are ordered by sequence; a PING of ours, which has none, is the first.
   std::size_t older_than(std::uint64_t sequence) {
      std::size_t low = 0;
      for (std::size_t high = size_; low < high;) {
         const std::size_t middle = low + (high - low) / 2;
         if (at(middle).sequence < sequence)
            low = middle + 1;
         else
            high = middle;
      }
      return low;
   }
   // Operations older than this one of which the kernel has not a byte: what it has a part of must follow whole, all
   // else can be taken back. Null where the caller has left.
   std::vector<operation*> unsent_before(std::uint64_t sequence, outbox::position accepted) {
      std::vector<operation*> found;
      for (std::size_t i = older_than(sequence); i != 0 && state_of(at(i - 1), accepted) == written::nothing; --i)
         found.push_back(at(i - 1).op);
      return found;
   }
   // Index of the slot of this operation.
   std::optional<std::size_t> find(std::uint64_t sequence) {
      const std::size_t i = older_than(sequence);
      if (i == size_ || at(i).sequence != sequence) return {};
      return i;
   }

   // Takes out those from the `from`-th on for which `goes` says so, in one pass; none of their bytes were accepted.
   // What stands behind moves forward in the stream.
   template <class Goes>
   void take_out(std::size_t from, outbox& out, Goes&& goes) {
      std::vector<outbox::range> bytes;
      outbox::position gone = 0;
      std::size_t kept = from;
      for (std::size_t i = from; i < size_; ++i) {
         ledger_slot slot = at(i);
         if (goes(slot)) {
            bytes.push_back({slot.begin, slot.end});
            gone += slot.end - slot.begin;
            continue;
         }
         slot.begin -= gone;
         slot.end -= gone;
         slot.decides -= gone;
         at(kept++) = slot;
      }
      size_ = kept;
      out.take_back(bytes);
   }

   static written state_of(const ledger_slot& s, outbox::position accepted) {
      if (accepted >= s.decides) return written::whole;
      return accepted > s.begin ? written::partly : written::nothing;
   }

 private:
   [[gnu::cold]] static void append_form(ledger_slot& slot, exchange& form, std::uint32_t connection, outbox& out) {
      const auto wire = form.wire(connection);
      append(slot, wire, form.decisive(), out);
      for (const command& c : wire) slot.allow(block_time(find_command(c), c));
   }
   static void append(ledger_slot& slot, std::span<const command> all, std::size_t decisive, outbox& out) {
      for (const command& c : all) {
         slot.end = out.append(c.bytes());
         if (decisive-- == 0) slot.decides = slot.end;
      }
      slot.replies_due = static_cast<std::uint32_t>(all.size());
   }
   ledger_slot& grown() {
      if (size_ == slots_.size()) grow();
      ++size_;
      return at(size_ - 1);
   }
   void grow() {
      std::vector<ledger_slot> larger(slots_.empty() ? 16 : slots_.size() * 2);
      for (std::size_t i = 0; i < size_; ++i) larger[i] = at(i);
      slots_.swap(larger);
      first_ = 0;
   }

   std::vector<ledger_slot> slots_;  // a power of two
   std::size_t first_ = 0;
   std::size_t size_ = 0;
   std::map<std::uint64_t, abandoned> left_;  // by sequence
   std::uint64_t newest_ = 0;                 // the sequence that was written last
   bool abandoned_block_ = false;             // its caller has left a blocking command
   std::uint64_t steps_ = 0;
};

}  // namespace holdfast::impl
