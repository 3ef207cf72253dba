// What one server runs for clients, as MONITOR tells it.
#pragma once

#include "lab/deployment.hpp"
#include "soak/judge.hpp"

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace holdfast::soak {

// Listens as often as the node can be reached. What the node runs in the moments after it was promoted, when its
// connections have ended, may be missed: a run that was heard is certain, one that was not proves nothing.
class listener {
 public:
   listener(lab::deployment&, std::size_t node);
   // All runs so far by client, once what was said before this call has been heard, if the node answers.
   std::map<std::string, std::vector<ran>> conclude();

 private:
   void listen(const std::stop_token&);
   void take_in(std::string_view line);

   const lab::server& node_;
   std::set<std::string> masters_ = {};  // what comes from these is replicated
   std::string farewell_;
   std::atomic<bool> farewell_heard_ = false;
   std::map<std::string, std::vector<ran>> runs_ = {};  // the thread's until it has ended
   std::jthread thread_ = {};                           // last: it uses the others
};

}  // namespace holdfast::soak
