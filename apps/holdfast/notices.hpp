// What a person is told on stderr while a command takes its time.
#pragma once

#include <holdfast/event.hpp>

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::cli {

// Turns events into a few plain lines. Nothing is said of trouble that lasts for less than `patience`; from then on one
// line for each kind of trouble with each server, however often it comes again, and one when it is over.
class notices {
 public:
   using clock = std::chrono::steady_clock;
   static constexpr std::chrono::milliseconds patience{300};

   // `say` is given one line at a time, without a newline.
   notices(std::function<void(const std::string&)> say, clock::time_point begin)
      : say_(std::move(say)), since_(begin) {}

   void on(const any_event&, clock::time_point now);

 private:
   static constexpr std::size_t most_topics = 32;

   void hear(const event::connected&, clock::time_point now);
   void hear(const event::suspicion_cleared&, clock::time_point now);
   void hear(const event::connection_lost&, clock::time_point now);
   void hear(const event::suspected&, clock::time_point now);
   void hear(const event::dial_failed&, clock::time_point now);
   void hear(const event::role_refused&, clock::time_point now);
   void hear(const event::sentinel_down&, clock::time_point now);
   void hear(const event::sentinel_said&, clock::time_point now);
   void hear(const event::master_named&, clock::time_point now);
   void hear(const event::master_withdrawn&, clock::time_point now);
   void hear(const event::resent&, clock::time_point now);
   template <class Other>
   void hear(const Other&, clock::time_point) {}  // nothing that whoever waits for a reply could use

   void trouble_begins(clock::time_point now);
   void note(const std::string& topic, std::string line, clock::time_point now);
   void trouble_ends(const std::string& how, clock::time_point now);

   std::function<void(const std::string&)> say_;
   bool in_trouble_ = true;  // not connected yet
   clock::time_point since_;
   bool told_ = false;
   std::set<std::string> topics_ = {};      // told already, or waiting to be
   std::vector<std::string> waiting_ = {};  // until patience is spent
};

}  // namespace holdfast::cli
