// Where a server listens.
#pragma once

#include <holdfast/detail/requirements.hpp>

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
inline std::string to_string(const endpoint& e) {
   if (e.empty()) return "(none)";
   if (e.is_unix()) return e.host;
   const bool v6 = e.host.find(':') != std::string::npos;
   return (v6 ? "[" + e.host + "]" : e.host) + ":" + std::to_string(e.port);
}

}  // namespace holdfast
