// Where a server listens.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

// A host and a port. `host` is a name, an IPv4 address, an IPv6 address without brackets, or the absolute path of a
// Unix socket (then `port` is 0). An empty host means "no endpoint".
struct endpoint {
   std::string host = {};
   std::uint16_t port = 0;

   bool empty() const { return host.empty(); }
   bool is_unix() const { return host.starts_with('/'); }

   friend bool operator==(const endpoint&, const endpoint&) = default;
   friend auto operator<=>(const endpoint&, const endpoint&) = default;
};

// "host:port", "[v6]:port", or the path of the socket; "(none)" when empty.
std::string to_string(const endpoint&);

}  // namespace holdfast
