// Somebody who listens and never answers.
#pragma once

#include <holdfast/endpoint.hpp>

namespace holdfast::lab {

// A connect to it succeeds, as the kernel completes it; what is said to it is acknowledged, and read by nobody.
class silent_listener {
 public:
   // Listens at `where`, an address of ours where nobody listens at present. Throws std::system_error.
   explicit silent_listener(const endpoint& where);
   ~silent_listener();
   silent_listener(const silent_listener&) = delete;
   silent_listener& operator=(const silent_listener&) = delete;

 private:
   int socket_ = -1;
};

}  // namespace holdfast::lab
