// The keys that some commands touch. They are looked at once somebody asks, and kept as hashes: where two keys have the
// same one, "may be" is the answer. Refers to the commands themselves.
#pragma once

#include "lane/footprint.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::lane {

class touched_keys {
 public:
   void add(const operation& op) {
      if (!everything_) added_.push_back(&op);
   }
   // A command that nobody has any more: it may be about any key.
   void add_unknown() { everything_ = true; }
   // Whether one of them may be about the same data.
   bool may_concern(const operation&);
   // Looks at those that were added, which may end now.
   void take_in();

   std::uint64_t steps() const { return steps_; }  // keys that were put in, and places that were looked at for that

 private:
   void insert(std::size_t hash);
   bool contains(std::size_t hash) const;
   void grow();

   std::vector<const operation*> added_;  // whose keys were not looked at yet
   std::vector<std::size_t> places_;      // of hashes, a power of two, at most half of them taken; zero: free
   std::size_t size_ = 0;
   std::uint64_t steps_ = 0;
   bool everything_ = false;
};

}  // namespace holdfast::lane
