// Translates between two counts of questions, where those of one are passed on as those of another: a lane's as the
// rounds of a tracker, a subscriber's as the mailbox's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::impl {

class question_log {
 public:
   static constexpr std::size_t most_open = 8;
   // All up to `asked` are answered when `as` is.
   void passed_on(std::uint64_t asked, std::uint64_t as) {
      if (open_.size() == most_open) open_.pop_back();  // answered with the newest
      open_.push_back({asked, as});
   }
   // `is_answered(as)` tells for each that is open.
   template <class Predicate>
   void close_answered(Predicate&& is_answered) {
      for (const question& q : open_) {
         if (is_answered(q.as)) answered_ = std::max(answered_, q.asked);
      }
      drop_answered();
   }
   // All up to `asked`, whatever they were passed on as.
   void answer(std::uint64_t asked) {
      answered_ = std::max(answered_, asked);
      drop_answered();
   }
   std::uint64_t answered() const { return answered_; }
   bool idle() const { return open_.empty(); }

 private:
   struct question {
      std::uint64_t asked = 0;
      std::uint64_t as = 0;
   };
   void drop_answered() {
      std::erase_if(open_, [&](const question& q) { return q.asked <= answered_; });
   }

   std::vector<question> open_;  // oldest first
   std::uint64_t answered_ = 0;
};

}  // namespace holdfast::impl
