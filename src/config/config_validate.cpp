#include <holdfast/config.hpp>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

namespace holdfast {
namespace {

using complaints = std::vector<std::string>;

constexpr std::size_t longest_socket_path = 107;  // sockaddr_un's, without its final zero

// fe80::1 is another host on each network interface: without its zone it leads nowhere.
bool is_link_local_without_zone(std::string_view host) {
   if (host.size() < 5 || host[4] != ':' || host.find('%') != std::string_view::npos) return false;
   const auto is_one_of = [&](std::size_t i, std::string_view letters) {
      return letters.find(host[i]) != std::string_view::npos;
   };
   return is_one_of(0, "fF") && is_one_of(1, "eE") && is_one_of(2, "89abAB") && is_one_of(3, "0123456789abcdefABCDEF");
}

void check_endpoint(const endpoint& e, const std::string& name, bool may_be_unix, complaints& into) {
   const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
   if (std::any_of(e.host.begin(), e.host.end(), control)) into.push_back(name + ": the host has a control character");
   if (e.empty()) {
      into.push_back(name + ": the host is missing");
   } else if (!e.is_unix()) {
      if (e.port == 0) into.push_back(name + ": the port is missing");
      if (is_link_local_without_zone(e.host))
         into.push_back(name + ": a link-local address needs its network interface, as in " + e.host +
                        "%eth0 (in a URI %25eth0)");
   } else if (!may_be_unix) {
      into.push_back(name + ": a Sentinel listens on no Unix socket; give host and port");
   } else if (e.host.size() > longest_socket_path) {
      into.push_back(name + ": the path of a Unix socket is at most " + std::to_string(longest_socket_path) + " bytes");
   }
}

void check_where(const config& c, complaints& into) {
   if (c.sentinels.empty() && c.server.empty())
      into.emplace_back("neither sentinels nor server is set; set one of them");
   if (!c.sentinels.empty() && !c.server.empty())
      into.emplace_back("both sentinels and server are set; set one of them");
   if (!c.sentinels.empty() && c.master.empty())
      into.emplace_back("master: missing; set the name that the Sentinels know it by, such as mymaster");
   if (c.sentinels.empty() && !c.master.empty()) into.emplace_back("master: is set, but no sentinels to ask for it");
   for (std::size_t i = 0; i < c.sentinels.size(); ++i)
      check_endpoint(c.sentinels[i], "sentinels[" + std::to_string(i) + "]", false, into);
   if (!c.server.empty()) check_endpoint(c.server, "server", true, into);
}

void check_who(const config& c, complaints& into) {
   if (c.db > static_cast<unsigned>(std::numeric_limits<int>::max()))
      into.emplace_back("db: must be at most 2147483647");
   // Redis' own rule for CLIENT SETNAME.
   if (!std::all_of(c.client_name.begin(), c.client_name.end(), [](char ch) { return ch >= '!' && ch <= '~'; }))
      into.emplace_back("client_name: only printable ASCII without spaces is allowed");
}

void check_times(const config& c, complaints& into) {
   const std::pair<const char*, duration> positive[] = {
      {"deadline", c.deadline.value_or(duration(1))},
      {"attempt_timeout", c.attempt_timeout},
      {"connect_timeout", c.connect_timeout},
      {"sentinel_timeout", c.sentinel_timeout},
      {"breaker.window", c.breaker ? c.breaker->window : duration(1)},
      {"breaker.open_for", c.breaker ? c.breaker->open_for : duration(1)},
      {"breaker.probe_timeout", c.breaker ? c.breaker->probe_timeout : duration(1)},
      {"resend.budget.window", c.resend.budget.window},
   };
   // So that sums of a few of them can't overflow.
   constexpr duration most = std::chrono::hours(24 * 365);
   for (const auto& [name, value] : positive) {
      if (value <= duration::zero()) into.push_back(std::string(name) + ": must be more than 0");
      if (value > most) into.push_back(std::string(name) + ": must be at most a year");
   }
   const std::pair<const char*, duration> not_negative[] = {{"hold_on_selected", c.hold_on_selected},
                                                            {"reconnect_spread", c.reconnect_spread}};
   for (const auto& [name, value] : not_negative) {
      if (value < duration::zero()) into.push_back(std::string(name) + ": must not be negative");
      if (value > most) into.push_back(std::string(name) + ": must be at most a year");
   }
}

void check_numbers(const config& c, complaints& into) {
   struct limit {
      const char* name;
      std::size_t value, most;
   };
   constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
   const limit limits[] = {
      {"parked_commands", c.limits.parked_commands.value_or(1), any},
      {"parked_bytes", c.limits.parked_bytes, any},
      {"in_flight", c.limits.in_flight, any},
      {"in_flight_before_first_reply", c.limits.in_flight_before_first_reply, any},
      {"reply_bytes", c.limits.reply_bytes, 0xffff'ffff},
      {"reply_nesting", c.limits.reply_nesting, 1000},
      {"reply_elements", c.limits.reply_elements, 0x7fff'ffff},
      {"lanes", c.limits.lanes, any},
   };
   for (const limit& l : limits) {
      if (l.value == 0) into.push_back("limits." + std::string(l.name) + ": must be at least 1");
      if (l.value > l.most)
         into.push_back("limits." + std::string(l.name) + ": must be at most " + std::to_string(l.most));
   }
   const retry_budget_settings& budget = c.resend.budget;
   if (!(budget.ratio >= 0 && budget.ratio <= 1000)) into.emplace_back("resend.budget.ratio: must be from 0 to 1000");
   if (!(budget.per_second >= 0 && budget.per_second <= 1e6))
      into.emplace_back("resend.budget.per_second: must be from 0 to 1000000");
   if (!c.breaker) return;
   if (!(c.breaker->failure_ratio >= 0 && c.breaker->failure_ratio <= 1))
      into.emplace_back("breaker.failure_ratio: must be from 0 to 1");
   if (c.breaker->probes == 0) into.emplace_back("breaker.probes: must be at least 1");
   if (c.breaker->consecutive_failures == 0 && c.breaker->minimum_calls == 0)
      into.emplace_back("breaker: both of its conditions are off; leave it unset instead");
}

}  // namespace

std::string_view to_string(cutover c) {
   switch (c) {
      case cutover::eager: return "eager";
      case cutover::confirmed: return "confirmed";
   }
   return "?";  // GCOV_EXCL_LINE: each enumerator has returned before; the compiler demands it
}

result<void> validate(const config& c) {
   complaints found;
   check_where(c, found);
   check_who(c, found);
   check_times(c, found);
   check_numbers(c, found);
   if (found.empty()) return {};
   for (std::string& text : found) text.insert(0, "config: ");
   error e(errc::invalid_argument, outcome::not_executed);
   e.causes = std::move(found);  // NOLINT(performance-move-const-arg)
   return e;
}

}  // namespace holdfast
