// How a drill is getting on: one line that is written over on a terminal, one line for each run elsewhere.
#pragma once

#include "drill/paint.hpp"
#include "drill/run.hpp"

#include <string>

namespace holdfast::drill {

// Writes to stderr.
class live {
 public:
   live();
   ~live() { clear(); }
   live(const live&) = delete;
   live& operator=(const live&) = delete;

   void begin(const std::string& fault, unsigned run, unsigned runs);
   void show(const progress&);
   // Takes the line away, before something else is written.
   void clear();

 private:
   bool moving_;
   paint paint_;
   std::string title_ = {};
   std::size_t shown_ = 0;
};

}  // namespace holdfast::drill
