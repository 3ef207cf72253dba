// A TCP path to a server that is slow in one direction, and remembers what went over it.
#pragma once

#include "lab/await.hpp"

#include <holdfast/endpoint.hpp>

#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::cli_test {

// Each reply is held back for `delay`, so that every wait for one costs that much, however many are under way at once:
// what a program waits for one after the other can be told from what it waits for together.
class slow_path {
 public:
   // From the first byte that was sent until the first byte that came back on it. Never shorter than the delay.
   struct turn {
      lab::clock::time_point sent = {};
      lab::clock::time_point answered = {};
      std::string said = {};
   };
   struct connection {
      lab::clock::time_point accepted = {};
      std::vector<turn> turns = {};
   };

   slow_path(const endpoint& server, std::chrono::milliseconds delay);
   ~slow_path();
   slow_path(const slow_path&) = delete;
   slow_path& operator=(const slow_path&) = delete;

   endpoint address() const { return {"127.0.0.1", port_}; }
   // No delay until this is called, so that a deployment can be set up over it.
   void become_slow();
   std::vector<connection> connections() const;

 private:
   struct held {
      lab::clock::time_point due = {};
      std::string bytes = {};  // empty: the end
      std::size_t turn = 0;    // the last one that had begun when they came
   };
   struct passage {
      int client = -1;
      int server = -1;
      std::deque<held> down = {};
      std::size_t record = 0;
      bool broken = false;
   };

   void run();
   void accept_one();
   void pass_up(passage&);
   void take_down(passage&);
   void pass_down(passage&, lab::clock::time_point now);

   endpoint server_;
   std::chrono::milliseconds delay_;
   int listener_ = -1;
   int over_ = -1;
   std::uint16_t port_ = 0;
   std::list<passage> passages_;  // the thread's
   mutable std::mutex guard_;
   bool slow_ = false;
   std::vector<connection> records_;
   std::thread thread_;
};

}  // namespace holdfast::cli_test
