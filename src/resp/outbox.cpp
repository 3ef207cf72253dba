#include "resp/outbox.hpp"

#include "core/assertion.hpp"

namespace holdfast::resp {

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

void outbox::take_back(position from, position to) {
   HOLDFAST_ASSERT(accepted_ <= from && from <= to && to <= appended());
   const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(head_ + (from - accepted_));
   bytes_.erase(begin, begin + static_cast<std::ptrdiff_t>(to - from));
}

void outbox::reset() {
   bytes_.clear();
   head_ = 0;
   accepted_ = 0;
}

}  // namespace holdfast::resp
