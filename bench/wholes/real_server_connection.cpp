#include "bench/wholes/real_server_connection.hpp"

#include "lab/sockets.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace holdfast::bench {

bool send_whole(int fd, std::string_view bytes) {
   while (!bytes.empty()) {
      const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
   }
   return true;
}

real_server_connection::real_server_connection(const endpoint& where)
   : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
   const sockaddr_in to = lab::address_of(where);
   if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return;
   const int why = errno;
   ::close(fd_);
   throw std::system_error(why, std::generic_category(), "no connection to " + to_string(where));
}

real_server_connection::~real_server_connection() { ::close(fd_); }

bool real_server_connection::relay(std::string_view request, int client) {
   if (!send_whole(fd_, request)) return false;
   while (replies_.next() != impl::reader::status::reply) {
      const auto space = replies_.prepare();
      const auto n = ::recv(fd_, space.data(), space.size(), 0);
      if (n <= 0 || !send_whole(client, {space.data(), static_cast<std::size_t>(n)})) return false;
      replies_.commit(static_cast<std::size_t>(n));
   }
   return true;
}

}  // namespace holdfast::bench
