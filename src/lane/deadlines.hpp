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

   void add(operation& op) {
      newest_ = std::max(newest_, op.sequence);
      if (op.deadline == never) return;
      heap_.push_back(&op);
      move_up(heap_.size(), op);
   }
   void remove(operation& op) {
      if (op.deadline_place == 0) return;
      operation& last = *heap_.back();
      heap_.pop_back();
      if (&last != &op)
         is_below(op.deadline_place, last) ? move_up(op.deadline_place, last) : move_down(op.deadline_place, last);
      op.deadline_place = 0;
   }
   // The first one that has passed, taken out; null: the first one is `earliest` now.
   operation* take_passed(time_point now) {
      operation* const first = heap_.empty() ? nullptr : heap_.front();
      earliest_ = first != nullptr ? first->deadline : never;
      if (first == nullptr || earliest_ > now) return nullptr;
      remove(*first);
      return first;
   }

 private:
   operation*& at(std::size_t place) { return heap_[place - 1]; }
   // Whether it belongs higher than this place.
   bool is_below(std::size_t place, const operation& op) { return place != 1 && op.deadline < at(place / 2)->deadline; }
   void put(std::size_t place, operation& op) {
      at(place) = &op;
      op.deadline_place = place;
   }
   void move_up(std::size_t place, operation& op) {
      for (; is_below(place, op); place /= 2) put(place, *at(place / 2));
      put(place, op);
   }
   void move_down(std::size_t place, operation& op) {
      for (std::size_t below = 0; (below = 2 * place) <= heap_.size(); place = below) {
         if (below < heap_.size() && at(below + 1)->deadline < at(below)->deadline) ++below;
         if (at(below)->deadline >= op.deadline) break;
         put(place, *at(below));
      }
      put(place, op);
   }

   std::vector<operation*> heap_;  // binary, places from 1 on, the earliest first
   time_point earliest_ = never;
   std::uint64_t newest_ = 0;
};

}  // namespace holdfast::impl
