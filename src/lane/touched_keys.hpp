// Keys that some operations touch together, looked at once somebody asks. ("footprint.hpp" says what conflicts.)
#pragma once

#include "lane/footprint.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::impl {

class touched_keys {
 public:
   void add(const operation& op) {
      if (!everything_) added_.push_back(&op);
   }
   void add(const footprint&);
   // Whether one of them may be about the same data.
   bool may_concern(const operation&);
   // Looks at those that were added, which may end now.
   void take_in();

   std::uint64_t steps() const { return steps_; }  // marks that were put in, and places that were looked at for that

 private:
   void insert(std::size_t mark);
   bool contains(std::size_t mark) const;
   void grow();

   std::vector<const operation*> added_;  // not looked at yet
   std::vector<std::size_t> places_;      // of marks, a power of two, at most half of them taken; zero: free
   std::size_t size_ = 0;
   std::uint64_t steps_ = 0;
   bool everything_ = false;
};

}  // namespace holdfast::impl
