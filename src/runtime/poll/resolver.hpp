// Names to addresses, without blocking: c-ares, driven by the loop's own poll().
#pragma once

#include <holdfast/endpoint.hpp>

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <memory>
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

   resolver();
   ~resolver();
   resolver(const resolver&) = delete;
   resolver& operator=(const resolver&) = delete;

   void start(std::uint32_t link, std::uint32_t serial, const endpoint& where);
   void add_to(std::vector<pollfd>&) const;                   // what to wait for
   std::optional<std::chrono::milliseconds> timeout() const;  // and how long at most
   void process(const pollfd* begin, const pollfd* end);      // after poll(): those added by add_to
   bool busy() const { return pending_ != 0; }
   std::vector<answer> take_answers();

 private:
   struct query;
   ares_channeldata* channel_ = nullptr;  // made with the first name
   std::size_t pending_ = 0;
   std::vector<answer> answers_;
};

}  // namespace holdfast::poll
