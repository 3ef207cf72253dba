#include "link/outbox.hpp"

#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::impl {

outbox::position outbox::append(std::string_view bytes) {
   // Moving the rest to the front costs what it holds: worth it only once the written part is the larger.
   if (head_ != 0 && head_ >= size() && bytes_.size() + bytes.size() > bytes_.capacity()) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
   }
   bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
   return appended();
}

void outbox::wrote(std::size_t n) {
   HOLDFAST_ASSERT(n <= size());
   head_ += n;
   accepted_ += n;
   if (head_ == bytes_.size()) {
      bytes_.clear();
      head_ = 0;
   }
}

void outbox::take_back(std::span<const range> ranges) {
   if (ranges.empty()) return;
   const auto at = [&](position p) { return bytes_.begin() + static_cast<std::ptrdiff_t>(head_ + (p - accepted_)); };
   HOLDFAST_ASSERT(accepted_ <= ranges.front().from && ranges.back().to <= appended());
   auto end = at(ranges.front().from);  // of what stays
   for (std::size_t i = 0; i < ranges.size(); ++i) {
      const position next = i + 1 < ranges.size() ? ranges[i + 1].from : appended();
      HOLDFAST_ASSERT(ranges[i].from <= ranges[i].to && ranges[i].to <= next);
      end = std::copy(at(ranges[i].to), at(next), end);
   }
   bytes_.erase(end, bytes_.end());
}

void outbox::reset() {
   bytes_.clear();
   head_ = 0;
   accepted_ = 0;
}

}  // namespace holdfast::impl
