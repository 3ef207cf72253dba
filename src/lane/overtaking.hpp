// What a lost connection forbids to send again: to repeat an older write behind a newer one that may have run, on the
// same data, would leave behind what no order of the two can explain; an older read would answer from the future.
#pragma once

#include "lane/footprint.hpp"

#include <string_view>
#include <unordered_set>

namespace holdfast::lane {

// What some commands touch. Refers to the commands' own bytes.
class touched_keys {
 public:
   void add(const operation&);
   // A command that nobody has any more: it may be about any key.
   void add_unknown() { everything_ = true; }
   // Whether one of them may be about the same data.
   bool may_concern(const operation&) const;

 private:
   std::unordered_set<std::string_view> keys_;
   bool everything_ = false;
};

}  // namespace holdfast::lane
