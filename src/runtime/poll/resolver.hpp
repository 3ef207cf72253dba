// Names to addresses, without blocking: c-ares, driven by the loop's own poll().
//
// Who asks while the same name is being resolved gets that answer; so a resolver that is slower than a connect timeout
// is found out about once, not given up anew with each try. Good answers are kept: for a moment instead of asking, and
// for as long as need be where asking fails.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

struct ares_channeldata;

namespace holdfast::poll {

class resolver {
 public:
   struct answer {
      std::uint32_t link = 0;
      std::uint32_t serial = 0;
      std::vector<endpoint> addresses;  // empty: see `problem`
      std::string problem;
   };

   resolver() = default;
   ~resolver();
   resolver(const resolver&) = delete;
   resolver& operator=(const resolver&) = delete;

   void start(std::uint32_t link, std::uint32_t serial, const endpoint& where, time_point now);
   void add_to(std::vector<pollfd>&) const;                               // what to wait for
   std::optional<std::chrono::milliseconds> timeout() const;              // and how long at most
   void process(const pollfd* begin, const pollfd* end, time_point now);  // after poll(): those added by add_to
   bool busy() const { return pending_ != 0; }
   std::vector<answer> take_answers();

 private:
   static constexpr duration fresh_for = std::chrono::seconds(5);
   static constexpr std::size_t most_names = 256;

   struct query;
   struct asker {
      std::uint32_t link = 0;
      std::uint32_t serial = 0;
      std::uint16_t port = 0;
   };
   struct name {
      bool pending = false;
      std::vector<asker> askers;
      std::vector<std::string> addresses;  // of the last good answer
      time_point answered = {};
   };
   void ask(const std::string& host);
   void finish(const std::string& host, std::vector<std::string> addresses, const std::string& problem);
   void give(const asker&, const name&, const std::string& problem);

   ares_channeldata* channel_ = nullptr;  // made with the first name
   std::size_t pending_ = 0;
   time_point now_ = {};
   std::map<std::string, name> names_;
   std::vector<answer> answers_;
};

}  // namespace holdfast::poll
