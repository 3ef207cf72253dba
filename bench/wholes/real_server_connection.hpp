// The canned server's own connection to a real server, of which it asks what it cannot answer itself.
#pragma once

#include "resp/reader.hpp"

#include <holdfast/endpoint.hpp>

#include <string_view>

namespace holdfast::bench {

class real_server_connection {
 public:
   explicit real_server_connection(const endpoint& where);  // throws std::system_error
   ~real_server_connection();
   real_server_connection(const real_server_connection&) = delete;
   real_server_connection& operator=(const real_server_connection&) = delete;

   // Sends one request, and its reply, byte for byte, to `client`. False: a connection has ended.
   bool relay(std::string_view request, int client);

 private:
   int fd_;
   impl::reader replies_{impl::limits{}};
};

// All of it; false if the connection has ended.
bool send_whole(int fd, std::string_view bytes);

}  // namespace holdfast::bench
