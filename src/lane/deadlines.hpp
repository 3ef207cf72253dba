// Deadlines of the operations under way. To note one is a step, and most end before the next one passes; those that do
// not are then put in order. Owns nothing, and allocates only then.
#pragma once

#include "lane/operation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::impl {

class deadlines {
 public:
   void note(const operation& op) { earliest_ = std::min(earliest_, op.deadline); }
   time_point earliest() const { return earliest_; }  // none comes before
   std::uint64_t newest() const { return newest_; }   // of those in order; newer ones are to be added

   // False if its deadline has passed by now: it is not kept.
   bool add(operation& op, time_point now) {
      newest_ = std::max(newest_, op.sequence);
      if (op.deadline <= now && op.deadline != never) return false;
      put_in_order(op);
      return true;
   }
   void put_in_order(operation& op) {
      if (op.deadline == never) return;
      heap_.emplace_back();
      move_up(heap_.size(), {op.deadline, &op});
   }
   void remove(operation& op) {
      if (op.deadline_place == 0) return;
      const entry last = heap_.back();
      heap_.pop_back();
      if (last.op != &op)
         is_below(op.deadline_place, last) ? move_up(op.deadline_place, last) : move_down(op.deadline_place, last);
      op.deadline_place = 0;
   }
   // One whose deadline has passed, taken out; null: the first one is `earliest` now. Where they share a deadline it is
   // the one that was added last, for which no other one has to be looked at.
   operation* take_passed(time_point now) {
      earliest_ = heap_.empty() ? never : heap_.front().deadline;
      if (heap_.empty() || earliest_ > now) return nullptr;
      operation* const passed = (heap_.back().deadline <= now ? heap_.back() : heap_.front()).op;
      remove(*passed);
      return passed;
   }

 private:
   struct entry {
      time_point deadline = never;
      operation* op = nullptr;
   };
   entry& at(std::size_t place) { return heap_[place - 1]; }
   // Whether it belongs higher than this place.
   bool is_below(std::size_t place, const entry& e) { return place != 1 && e.deadline < at(place / 2).deadline; }
   void put(std::size_t place, const entry& e) {
      at(place) = e;
      e.op->deadline_place = place;
   }
   void move_up(std::size_t place, const entry& e) {
      for (; is_below(place, e); place /= 2) put(place, at(place / 2));
      put(place, e);
   }
   void move_down(std::size_t place, const entry& e) {
      for (std::size_t below = 0; (below = 2 * place) <= heap_.size(); place = below) {
         if (below < heap_.size() && at(below + 1).deadline < at(below).deadline) ++below;
         if (at(below).deadline >= e.deadline) break;
         put(place, at(below));
      }
      put(place, e);
   }

   std::vector<entry> heap_;  // binary, places from 1 on, the earliest first
   time_point earliest_ = never;
   std::uint64_t newest_ = 0;
};

}  // namespace holdfast::impl
