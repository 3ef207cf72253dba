// Somebody who listens and never answers.
#pragma once

#include <holdfast/endpoint.hpp>

#include <array>

namespace holdfast::lab {

// A connect to it succeeds, as the kernel completes it; what is said to it is acknowledged, and read by nobody.
class silent_listener {
 public:
   // Listens at `where`, an address of ours where nobody listens at present. `full`: its queue is, and a connect to it
   // is never completed, as the kernel drops each SYN. Throws std::system_error.
   explicit silent_listener(const endpoint& where, bool full = false);
   ~silent_listener();
   silent_listener(const silent_listener&) = delete;
   silent_listener& operator=(const silent_listener&) = delete;

 private:
   int socket_ = -1;
   std::array<int, 4> fillers_ = {-1, -1, -1, -1};
};

}  // namespace holdfast::lab
