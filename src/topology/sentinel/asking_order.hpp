// In which order the Sentinels are dialled at the start, one `stagger` after the other, and which is at the front: the
// one that answered last. They go by their numbers.
#pragma once

#include <holdfast/time.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace holdfast::impl {

class asking_order {
 public:
   const std::vector<std::size_t>& all() const { return order_; }
   std::size_t front() const { return order_.front(); }
   time_point deadline() const {
      return next_at_;
   }  // of the next dial; never: all are dialled, or the start is to come
   bool is_done() const { return next_ == order_.size(); }

   void add(std::size_t number) { order_.push_back(number); }
   void remove(std::size_t number) {
      const auto at = std::find(order_.begin(), order_.end(), number);
      if (static_cast<std::size_t>(at - order_.begin()) < next_) --next_;
      order_.erase(at);
   }
   void move_to_front(std::size_t number) {
      const auto at = std::find(order_.begin(), order_.end(), number);
      std::rotate(order_.begin(), at, at + 1);
   }
   // The Sentinel whose turn it is; the next one's comes a `stagger` later.
   std::optional<std::size_t> take(time_point now, duration stagger) {
      next_at_ = never;
      if (is_done()) return std::nullopt;
      const auto number = order_[next_++];
      if (!is_done()) next_at_ = after(now, stagger);
      return number;
   }
   void finish() { next_ = order_.size(); }  // all are dialled

 private:
   std::vector<std::size_t> order_;
   std::size_t next_ = 0;  // in it
   time_point next_at_ = never;
};

}  // namespace holdfast::impl
