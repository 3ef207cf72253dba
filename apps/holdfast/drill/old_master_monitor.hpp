// Which writes of the workload reached a node that they should not reach, told by the node itself.
#pragma once

#include "drill/record.hpp"
#include "lab/deployment.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace holdfast::drill {

// What a line of MONITOR tells of a write that has a number, and who had said it ("127.0.0.1:6379").
struct overheard {
   sighting what = {};
   std::string from = {};
};
// Empty: it is none of those.
std::optional<overheard> overheard_in(std::string_view line);

// Watches one node on connections of its own (MONITOR), whatever becomes of it: a node that was stopped tells what it
// runs when it wakes, one that was killed is watched again as soon as it answers. What it says and what it holds at
// that moment are taken in together, so that nothing falls between them. What a master sends to its replica is no
// sighting. Not seen is what a node runs in the very turn of its event loop in which it is made a replica: with that it
// ends our connection.
class old_master_monitor {
 public:
   // Returns when it watches.
   old_master_monitor(lab::deployment&, std::size_t node);
   ~old_master_monitor() = default;
   old_master_monitor(const old_master_monitor&) = delete;
   old_master_monitor& operator=(const old_master_monitor&) = delete;

   // It was a master, and was found to be a replica.
   bool demoted() const { return demoted_; }
   // Looks once more, if it can, and ends. All that was seen, each write once.
   std::vector<sighting> conclude();

 private:
   void watch(const std::stop_token&);
   void listen(const std::stop_token&);
   void hear_out(lab::control& ear);
   void look();
   bool take_in(lab::control& ear);

   const lab::server& node_;
   std::set<std::string> nodes_ = {};  // how they are named where one speaks to another
   std::string farewell_ = {};         // has been heard: all that came before it has been, too
   std::set<sighting> seen_ = {};      // by the thread until it has ended
   bool was_master_ = false;
   bool last_words_heard_ = false;
   std::atomic<bool> watching_ = false;
   std::atomic<bool> demoted_ = false;
   std::jthread thread_ = {};  // last: it uses the others
};

}  // namespace holdfast::drill
