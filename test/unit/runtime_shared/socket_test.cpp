#include "runtime/shared/socket.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace holdfast::impl::socket_test {
namespace {

// Listens on all addresses of this machine, of both families; on IPv4 alone where there is no IPv6.
class listener {
 public:
   listener() : sock_(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      sockaddr_in6 any = {};
      any.sin6_family = AF_INET6;
      const int no = 0;
      ::setsockopt(sock_.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
      if (::bind(sock_.fd(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) return;
      ::listen(sock_.fd(), 8);
      socklen_t size = sizeof any;
      ::getsockname(sock_.fd(), reinterpret_cast<sockaddr*>(&any), &size);
      port_ = ntohs(any.sin6_port);
   }
   std::uint16_t port() const { return port_; }  // 0: there is no IPv6 here

 private:
   socket sock_;
   std::uint16_t port_ = 0;
};

std::string outcome_of(const endpoint& where) {
   const connecting c = start_connect(where);
   if (!c.problem.empty() || c.finished) return c.problem;
   pollfd writable{c.sock.fd(), POLLOUT, 0};
   ::poll(&writable, 1, 5000);
   return connect_error(c.sock);
}

TEST(socket, addresses_of_all_spellings_are_connected_to) {
   const listener there;
   for (const char* host : {"127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1"}) {
      EXPECT_TRUE(is_address({host, there.port()})) << host;
      if (there.port() == 0) continue;
      EXPECT_EQ(outcome_of({host, there.port()}), "") << host;
   }
}

TEST(socket, zone_that_is_no_interface_is_named) {
   const endpoint where{"fe80::1%no-such0", 6379};
   EXPECT_TRUE(is_address(where)) << "not to be looked up as a name";
   EXPECT_EQ(outcome_of(where), "no network interface of this machine is called 'no-such0'");
   EXPECT_EQ(to_string(where), "[fe80::1%no-such0]:6379");
}

TEST(socket, link_local_address_without_zone_says_what_is_missing) {
   EXPECT_NE(outcome_of({"fe80::1", 6379}).find("needs its network interface, as in fe80::1%eth0"), std::string::npos);
}

TEST(socket, zone_by_name_or_number_reaches_the_kernel) {
   for (const char* host : {"fe80::1%lo", "fe80::1%1"}) {
      const std::string problem = outcome_of({host, 6379});
      EXPECT_EQ(problem.find("interface of this machine"), std::string::npos) << problem;
      EXPECT_NE(problem, describe_errno(EINVAL)) << host;
   }
}

TEST(socket, names_are_no_addresses) {
   for (const char* host : {"localhost", "redis.test", "1.2.3", "::1::", "fe80::x%lo", "%lo", ""})
      EXPECT_FALSE(is_address({host, 6379})) << host;
   EXPECT_TRUE(is_address({"/run/redis.sock", 0}));
}

}  // namespace
}  // namespace holdfast::impl::socket_test
