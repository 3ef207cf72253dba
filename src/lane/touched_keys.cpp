#include "lane/touched_keys.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

bool touched_keys::may_concern(const operation& op) {
   if (!everything_ && size_ == 0 && added_.empty()) return false;
   take_in();
   if (!everything_ && size_ == 0) return false;
   bool found = everything_;
   const reach its = look_for_marks(op, [&](std::size_t mark) { found = found || contains(mark); });
   return its == reach::everything || (its != reach::nothing && found);
}

void touched_keys::take_in() {
   for (const operation* op : added_) {
      if (everything_) break;
      everything_ = leave_marks(*op, [&](std::size_t mark) { insert(mark); }) == reach::everything;
   }
   added_.clear();
}

void touched_keys::add(const footprint& of) {
   everything_ = leave_marks(of, [&](std::size_t mark) { insert(mark); }) == reach::everything || everything_;
}

void touched_keys::insert(std::size_t mark) {
   mark = std::max<std::size_t>(mark, 1);
   if (2 * size_ >= places_.size()) grow();
   for (std::size_t at = mark;; ++at) {
      ++steps_;
      std::size_t& place = places_[at & (places_.size() - 1)];
      if (place == mark) return;
      if (place != 0) continue;
      place = mark;
      ++size_;
      return;
   }
}

bool touched_keys::contains(std::size_t mark) const {
   if (size_ == 0) return false;
   mark = std::max<std::size_t>(mark, 1);
   for (std::size_t at = mark;; ++at) {
      const std::size_t place = places_[at & (places_.size() - 1)];
      if (place == 0 || place == mark) return place == mark;
   }
}

void touched_keys::grow() {
   const auto before = std::exchange(places_, std::vector<std::size_t>(places_.empty() ? 16 : places_.size() * 4));
   size_ = 0;
   for (const std::size_t mark : before) {
      if (mark != 0) insert(mark);
   }
}

}  // namespace holdfast::impl
