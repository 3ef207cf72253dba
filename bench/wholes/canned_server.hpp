// A server that costs next to nothing: it knows one request, byte for byte, and answers it with the same bytes each
// time. It compares, and parses nothing. All else (a client's handshake) is asked of a real server.
#pragma once

#include <holdfast/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>

namespace holdfast::bench {

class real_server_connection;

class canned_server {
 public:
   // Listens on a free port of the loopback address until its end. Throws std::system_error.
   canned_server(std::string request, std::string_view reply, endpoint real);
   ~canned_server();  // ends all connections
   canned_server(const canned_server&) = delete;
   canned_server& operator=(const canned_server&) = delete;

   endpoint where() const { return {"127.0.0.1", port_}; }

 private:
   void accept_all();
   void serve(int client);
   std::size_t answer(int client, real_server_connection&, std::string_view received);

   const std::string request_;
   const std::size_t reply_size_;
   const std::string replies_;  // many of them
   const endpoint real_;
   int socket_;
   std::uint16_t port_;
   std::map<int, std::jthread> clients_;
   std::jthread thread_;
};

}  // namespace holdfast::bench
