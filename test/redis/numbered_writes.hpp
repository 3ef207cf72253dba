// A workload whose effect can be judged afterwards: every number is written once, by RPUSH, and what became of it is
// written down.
#pragma once

#include "lab/await.hpp"
#include "lab/server.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {

class numbered_writes {
 public:
   struct written {
      int number = 0;
      bool acknowledged = false;
      outcome what = outcome::executed;
      std::string error = {};
      lab::clock::time_point at = {};  // when the answer came
   };
   using list = std::vector<int>;

   // Begins at once, in a thread of its own; `from` is the first number.
   explicit numbered_writes(config c, int from = 1)
      : client_(std::move(c)), next_(from), thread_([this](const std::stop_token& stop) { work(stop); }) {}

   // How many have been acknowledged so far.
   int acknowledged() const { return acknowledged_; }
   // Until so many more were.
   void await_more(int n, lab::milliseconds patience = lab::milliseconds(20'000)) {
      const int goal = acknowledged_ + n;
      lab::await("further writes are acknowledged", [&] { return acknowledged_ >= goal; }, patience);
   }
   // No more after this; all that were begun have ended.
   const std::vector<written>& finish() {
      thread_.request_stop();
      if (thread_.joinable()) thread_.join();
      return all_;
   }

   static list held_by(lab::server& node) {
      list numbers;
      for (const auto& e : node.connect().run({"LRANGE", "numbers", "0", "-1"}).elements) {
         numbers.push_back(std::stoi(e.text));
      }
      return numbers;
   }

   // After `finish`: `held` has nothing twice, nothing out of order, nothing that certainly did not run, and all that
   // was acknowledged, but for what was acknowledged within [from, to] (a master that is about to lose it).
   void expect_sound(const list& held, lab::clock::time_point from = lab::clock::time_point::max(),
                     lab::clock::time_point to = lab::clock::time_point::min()) const {
      EXPECT_TRUE(std::is_sorted(held.begin(), held.end())) << "something overtook";
      EXPECT_EQ(std::adjacent_find(held.begin(), held.end()), held.end()) << "something was doubled";
      const std::set<int> there(held.begin(), held.end());
      EXPECT_EQ(there.size(), held.size()) << "something was doubled";
      for (const written& w : all_) {
         if (w.acknowledged && (w.at < from || w.at > to)) {
            EXPECT_TRUE(there.contains(w.number)) << w.number << " was acknowledged and is lost";
         }
         if (!w.acknowledged && w.what == outcome::not_executed) {
            EXPECT_FALSE(there.contains(w.number)) << w.number << " ran: " << w.error;
         }
      }
   }
   // Errors that say more than that one command in flight was of unknown outcome.
   void expect_no_errors_but_unknown(unsigned at_most) const {
      unsigned unknown = 0;
      for (const written& w : all_) {
         if (w.acknowledged) continue;
         EXPECT_EQ(w.what, outcome::unknown) << w.error;
         ++unknown;
      }
      EXPECT_LE(unknown, at_most);
   }

 private:
   void work(const std::stop_token& stop) {
      while (!stop.stop_requested()) {
         written w;
         w.number = next_++;
         const auto r = client_.run({"RPUSH", "numbers", w.number});
         w.at = lab::clock::now();
         w.acknowledged = r.has_value();
         if (!r) w.what = r.error().outcome, w.error = r.error().what();
         all_.push_back(std::move(w));
         if (r) ++acknowledged_;
         client_.wait_for_events(std::chrono::milliseconds(1));
      }
   }

   client client_;
   int next_;
   std::vector<written> all_;  // of the thread, until it has ended
   std::atomic<int> acknowledged_ = 0;
   std::jthread thread_;
};

}  // namespace holdfast
