// Somebody who listens and never answers.
#pragma once

#include <holdfast/endpoint.hpp>

namespace holdfast::lab {

// A connect to it succeeds, as the kernel completes it; what is said to it is acknowledged, and read by nobody.
class deaf_listener {
 public:
   // Listens at `where`, an address of ours where nobody listens at present. Throws std::system_error.
   explicit deaf_listener(const endpoint& where);
   ~deaf_listener();
   deaf_listener(const deaf_listener&) = delete;
   deaf_listener& operator=(const deaf_listener&) = delete;

 private:
   int socket_ = -1;
};

}  // namespace holdfast::lab
