#include "runtime/shared/socket.hpp"

#include "config/parse.hpp"
#include "runtime/shared/drop_undelivered.hpp"
#include "runtime/shared/self_connection.hpp"
#include "runtime/shared/socket_options.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace holdfast::impl {
namespace {

// The interface of a zone, "eth0" or "2"; 0 if there is none.
std::uint32_t interface_of(const std::string& zone) {
   if (const auto index = ::if_nametoindex(zone.c_str()); index != 0) return index;
   return parse_number<std::uint32_t>(zone).value_or(0);
}

// An IPv6 address and the zone behind its '%' (RFC 4007); 0 in `scope` where that is no interface of this machine.
bool read_ipv6(const std::string& host, in6_addr& address, std::uint32_t& scope) {
   const std::size_t percent = host.find('%');
   scope = percent == std::string::npos ? 0 : interface_of(host.substr(percent + 1));
   return ::inet_pton(AF_INET6, host.substr(0, percent).c_str(), &address) == 1;
}

// Why an address leads nowhere, where the kernel would say "Invalid argument" only; else empty.
std::string problem_of(const endpoint& where, const sockaddr_storage& address) {
   if (address.ss_family != AF_INET6) return {};
   const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
   if (v6.sin6_scope_id != 0) return {};
   if (const std::size_t percent = where.host.find('%'); percent != std::string::npos)
      return "no network interface of this machine is called '" + where.host.substr(percent + 1) + "'";
   if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
      return "a link-local address needs its network interface, as in " + where.host + "%eth0 (in a URI %25eth0)";
   return {};
}

// Fills `into`; 0 if `where` is no address.
socklen_t address_of(const endpoint& where, sockaddr_storage& into) {
   std::memset(&into, 0, sizeof into);
   if (where.is_unix()) {
      auto& path = reinterpret_cast<sockaddr_un&>(into);
      if (where.host.size() >= sizeof path.sun_path) return 0;
      path.sun_family = AF_UNIX;
      std::memcpy(path.sun_path, where.host.c_str(), where.host.size() + 1);
      return sizeof path;
   }
   auto& v4 = reinterpret_cast<sockaddr_in&>(into);
   if (::inet_pton(AF_INET, where.host.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(where.port);
      return sizeof v4;
   }
   auto& v6 = reinterpret_cast<sockaddr_in6&>(into);
   if (std::uint32_t scope = 0; read_ipv6(where.host, v6.sin6_addr, scope)) {
      v6.sin6_scope_id = scope;
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(where.port);
      return sizeof v6;
   }
   return 0;
}

}  // namespace

std::string describe_errno(int e) { return std::error_code(e, std::system_category()).message(); }

void socket::close() {
   if (!is_open()) return;
   if (is_this_process(maker_)) ::shutdown(fd(), SHUT_RDWR);
   descriptor_.close();
}

void socket::abort() {
   if (is_open() && is_this_process(maker_)) drop_undelivered(fd());
   close();
}

bool is_address(const endpoint& where) {
   sockaddr_storage ignored;
   return where.is_unix() || address_of(where, ignored) != 0;
}

connecting start_connect(const endpoint& where) {
   sockaddr_storage address;
   const socklen_t length = address_of(where, address);
   if (length == 0) return {{}, false, "not an address that can be connected to"};
   if (std::string problem = problem_of(where, address); !problem.empty()) return {{}, false, std::move(problem)};
   socket s(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
   if (!s.is_open()) return {{}, false, describe_errno(errno)};
   if (address.ss_family != AF_UNIX) notice_dead_peer(s.fd());
   if (::connect(s.fd(), reinterpret_cast<const sockaddr*>(&address), length) == 0) {
      if (is_connected_to_itself(s.fd())) return {{}, false, self_connection_text};
      return {std::move(s), true, {}};
   }
   if (errno == EINPROGRESS) return {std::move(s), false, {}};
   return {{}, false, describe_errno(errno)};
}

std::string connect_error(const socket& s) {
   int e = 0;
   socklen_t length = sizeof e;
   if (::getsockopt(s.fd(), SOL_SOCKET, SO_ERROR, &e, &length) != 0) e = errno;
   if (e == 0 && is_connected_to_itself(s.fd())) return self_connection_text;
   return e == 0 ? std::string() : describe_errno(e);
}

}  // namespace holdfast::impl
