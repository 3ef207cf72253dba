// Something that listens where a Redis server is expected, and is none.
#pragma once

#include <holdfast/endpoint.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

namespace holdfast::cli_test {

class responder {
 public:
   // To whatever it is sent it answers `answer` and hangs up; without one it says nothing, ever.
   explicit responder(std::optional<std::string> answer = {});
   ~responder();
   responder(const responder&) = delete;
   responder& operator=(const responder&) = delete;

   std::string host_and_port() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
   void run();

   std::optional<std::string> answer_;
   int listener_ = -1;
   int over_ = -1;
   std::uint16_t port_ = 0;
   std::thread thread_;
};

}  // namespace holdfast::cli_test
