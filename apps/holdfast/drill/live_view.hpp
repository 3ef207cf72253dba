// How a drill is getting on: on a terminal one line that is written over, with a timeline that grows; elsewhere one
// line for each run.
#pragma once

#include "drill/colour.hpp"
#include "drill/run.hpp"

#include <string>
#include <vector>

namespace holdfast::drill {

// Writes to stderr.
class live_view {
 public:
   live_view();
   ~live_view() { clear(); }
   live_view(const live_view&) = delete;
   live_view& operator=(const live_view&) = delete;

   void begin(const std::string& fault, unsigned run, unsigned runs);
   void show(const progress&);
   // Takes the line away, before something else is written.
   void clear();

 private:
   struct cell {
      std::uint64_t acked = 0;
      std::uint64_t failed = 0;
      bool fault = false;
   };
   void remember(const progress&);
   std::string bar() const;

   bool moving_;
   colours paint_;
   std::string title_ = {};
   std::size_t shown_ = 0;
   std::size_t widest_ = 0;  // of the bar
   // The run so far, in equal pieces of time; when they get too many, each two become one.
   std::vector<cell> cells_ = {};
   lab::milliseconds piece_ = {};
   clock::time_point began_ = {};
   progress last_ = {};
};

}  // namespace holdfast::drill
