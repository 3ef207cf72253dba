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
      ++arrangement_;
      bytes_ += op.bytes;
      if (op.last) order_.add(op);
   }
   void await_fence(operation& op) {
      op.is = operation::state::awaiting_fence;
      awaiting_fence_.insert_in_order(op);
   }
   void remove(operation& op) {
      if (op.is == operation::state::awaiting_fence) {
         awaiting_fence_.remove(op);
      } else {
         ++arrangement_;
         take(op);
      }
      op.is = operation::state::idle;
   }
   // The next one to be written.
   void take(operation& op) {
      queue_.remove(op);
      bytes_ -= op.bytes;
      if (op.last) order_.remove(op);
   }

   operation* front() const { return queue_.front(); }
   operation* first_awaiting_fence() const { return awaiting_fence_.front(); }
   bool empty() const { return queue_.empty(); }
   bool nothing_waits() const { return queue_.empty() && awaiting_fence_.empty(); }
   std::size_t size() const { return queue_.size(); }
   std::size_t bytes() const { return bytes_; }
   std::size_t most_bytes() const { return most_bytes_; }
   // Another number after each change but `push` and `take`.
   std::uint64_t arrangement() const { return arrangement_; }
   resend_order& order() { return order_; }
   const resend_order& order() const { return order_; }

   // Places in lists that were gone through to put something back.
   std::uint64_t steps() const { return queue_.steps() + awaiting_fence_.steps() + order_.steps(); }

 private:
   operation_list queue_;
   operation_list awaiting_fence_;
   resend_order order_;
   std::uint64_t last_sequence_ = 0;
   std::uint64_t arrangement_ = 1;
   std::size_t bytes_ = 0;
   std::size_t most_commands_;
   std::size_t most_bytes_;
};

}  // namespace holdfast::impl
