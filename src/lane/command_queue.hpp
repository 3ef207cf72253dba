// The commands that wait: in the queue, to be written (again), or for the fence, their outcome unknown for good. Both
// are ordered by sequence, the order of submission. What waits to be written again is in `order()`, too.
#pragma once

#include "lane/operation.hpp"
#include "lane/resend_order.hpp"

#include <cstddef>
#include <cstdint>

namespace holdfast::impl {

class command_queue {
 public:
   command_queue(std::size_t most_commands, std::size_t most_bytes)
      : most_commands_(most_commands), most_bytes_(most_bytes) {}

   std::uint64_t next_sequence() { return ++last_sequence_; }
   // Whether a command of so many bytes would be taken now.
   bool has_room(std::size_t bytes) const { return size() < most_commands_ && bytes_ + bytes <= most_bytes_; }

   // A new command: behind all others.
   void push(operation& op) {
      op.is = operation::state::queued;
      queue_.push_back(op);
      bytes_ += op.bytes;
   }
   // To its place.
   void put_back(operation& op) {
      op.is = operation::state::queued;
      op.replies = 0;
      queue_.insert_in_order(op);
      bytes_ += op.bytes;
      if (op.last) order_.add(op);
      if (!is_held_back(op)) return;
      if (op.alters || (op.reads_only && op.pushbacks == 0 && op.kept == operation::answer::none)) return begin_anew();
      held_back_.touch(op);
      held_back_.touched.take_in();
   }
   void await_fence(operation& op) {
      op.is = operation::state::awaiting_fence;
      awaiting_fence_.insert_in_order(op);
   }
   void remove(operation& op) {
      if (op.is == operation::state::awaiting_fence) {
         awaiting_fence_.remove(op);
      } else {
         if (is_held_back(op)) op.alters ? begin_anew() : count_gone(op);
         take(op);
      }
      op.is = operation::state::idle;
   }
   // The next one to be written.
   void take(operation& op) {
      if (held_back_.newest == &op) held_back_.newest = op.previous;
      queue_.remove(op);
      bytes_ -= op.bytes;
      order_.remove(op);
   }

   operation* front() const { return queue_.front(); }
   operation* back() const { return queue_.back(); }
   operation* first_awaiting_fence() const { return awaiting_fence_.front(); }
   operation* last_awaiting_fence() const { return awaiting_fence_.back(); }
   bool empty() const { return queue_.empty(); }
   bool nothing_waits() const { return queue_.empty() && awaiting_fence_.empty(); }
   std::size_t size() const { return queue_.size(); }
   std::size_t bytes() const { return bytes_; }
   std::size_t most_bytes() const { return most_bytes_; }

   // Commands that a closed gate holds back, as far as the queue was gone through: up to `newest`.
   struct backlog {
      touched_keys touched = {};    // by its writes, and by the probe
      operation* newest = nullptr;  // null: nothing
      bool holds_all = false;       // behind what changes the connection nothing passes
      std::uint64_t round = 0;      // of the gate
      std::size_t size = 0;
      std::size_t gone = 0;  // writes that were taken out since; `touched` has their keys still

      void touch(const operation& op) {
         holds_all = holds_all || op.alters;
         if (!op.reads_only) touched.add(op);
      }
   };
   // Begun anew in each round, and once it is worth going through all of it again: what would pass, but for a write
   // that is gone, waits that long.
   backlog& held_back(std::uint64_t round) {
      const bool is_stale = held_back_.gone != 0 && held_back_.gone * 16 >= held_back_.size;
      if (is_stale || held_back_.round != round) held_back_ = {.round = round};
      return held_back_;
   }
   backlog& hold_back_anew() {
      begin_anew();
      return held_back_;
   }
   void hold_back(operation& op) {
      held_back_.newest = &op;
      ++held_back_.size;
      ++steps_;
      held_back_.touch(op);
   }

   resend_order& order() { return order_; }
   const resend_order& order() const { return order_; }

   // Places in lists that were gone through to put something back.
   std::uint64_t steps() const { return queue_.steps() + awaiting_fence_.steps() + order_.steps() + steps_; }

 private:
   bool is_held_back(const operation& op) const {
      return held_back_.newest != nullptr && op.sequence <= held_back_.newest->sequence;
   }
   void begin_anew() { held_back_ = {.round = held_back_.round}; }
   void count_gone(const operation& op) {
      if (!op.reads_only) ++held_back_.gone;
      if (op.previous == nullptr && held_back_.newest == &op) begin_anew();
   }

   operation_list queue_;
   operation_list awaiting_fence_;
   resend_order order_;
   std::uint64_t last_sequence_ = 0;
   backlog held_back_;
   std::uint64_t steps_ = 0;
   std::size_t bytes_ = 0;
   std::size_t most_commands_;
   std::size_t most_bytes_;
};

}  // namespace holdfast::impl
