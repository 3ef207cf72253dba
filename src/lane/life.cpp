#include "lane/life.hpp"

namespace holdfast::impl {

void life::measured(const transit& t, position oldest, time_point since, time_point now) {
   const position delivered = accepted_ - std::min<position>(accepted_, t.undelivered);
   const bool is_comparable = looked_ >= since && looked_ != time_point{};  // the last was in this same silence
   const bool moved = is_comparable && std::min(delivered, oldest) > delivered_;
   if (moved) last_ = now;
   delivered_ = std::min(delivered, oldest);
   arrived_ = delivered;
   if (moved || !t.unanswered)
      unanswered_since_ = never;
   else if (unanswered_since_ == never)
      unanswered_since_ = now;
   looked_ = now;
}

}  // namespace holdfast::impl
