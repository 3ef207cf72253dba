// config::from_uri: any bytes are a sound configuration or one line that names the part which is wrong and shows no
// password. What is accepted means the same in every other spelling.
//
//    input: which of the checks (a template around a password, or the URI itself), and the bytes
#include "fuzz/target.hpp"

#include <holdfast/config.hpp>

#include <array>
#include <string>
#include <tuple>
#include <vector>

namespace holdfast::fuzz {
namespace {

constexpr std::string_view secret = "HUSH-it-is-secret";

bool one_line(std::string_view text) {
   return std::none_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void check_refusal(const error& e) {
   require(e.outcome == outcome::not_executed, "nothing ran");
   require(e.code() == errc::invalid_argument || e.code() == errc::not_supported, "it is the argument that is wrong");
   require(!e.causes.empty(), "an error has a cause");
   require(one_line(e.what()) && e.what().size() < 2000, "an error is one line", e.what());
   for (const std::string_view cause : e.causes) {
      if (cause.starts_with("config: ")) continue;
      constexpr std::string_view parts[] = {
         "scheme:", "user:", "password:", "host:", "port:", "path:", "master:", "db:", "option:", "option ", "'#':"};
      require(cause.starts_with("URI: "), "an error says what it is about", cause);
      const auto names = [&](std::string_view part) { return cause.substr(5).starts_with(part); };
      require(std::any_of(std::begin(parts), std::end(parts), names), "an error names the part", cause);
   }
}

// All that a URI can set.
auto meaning(const config& c) {
   return std::tuple(c.sentinels, c.master, c.server, c.username, c.password, c.sentinel_username, c.sentinel_password,
                     c.db, c.client_name, c.deadline, c.attempt_timeout, c.connect_timeout, c.sentinel_timeout,
                     c.hold_on_selected, c.reconnect_spread, c.delivery, c.resend.max_resends, c.cutover,
                     c.warm_replicas, c.follow_role_hint, c.breaker.has_value());
}

void means_the_same(const std::string& uri, const config& c, const char* spelling) {
   const auto again = config::from_uri(uri);
   require(again.has_value(), spelling, again ? uri : uri + " -> " + again.error().what());
   require(meaning(*again) == meaning(c), spelling, uri);
}

std::string encoded(std::string_view text) {
   constexpr std::string_view digits = "0123456789abcdef";
   std::string out;
   for (const char ch : text) {
      const auto byte = static_cast<unsigned char>(ch);
      out += {'%', digits[byte >> 4], digits[byte & 15]};
   }
   return out;
}

std::string spelled(const endpoint& e) {
   const bool v6 = e.host.find(':') != std::string::npos;
   return (v6 ? "[" + encoded(e.host) + "]" : encoded(e.host)) + ":" + std::to_string(e.port);
}

// Every letter that may be is percent-encoded, every option is given.
std::string spelled(const config& c) {
   std::string uri;
   if (c.server.is_unix()) {
      uri = "unix:///" + encoded(std::string_view(c.server.host).substr(1));
   } else if (!c.server.empty()) {
      uri = "redis://" + spelled(c.server);
   } else {
      uri = "redis+sentinel://";
      for (const endpoint& e : c.sentinels) uri += (uri.ends_with('/') ? "" : ",") + spelled(e);
      uri += "/" + encoded(c.master);
   }
   const auto time = [](duration d) { return std::to_string(d.count()) + "ns"; };
   const auto flag = [](bool b) { return std::string(b ? "true" : "false"); };
   uri += "?db=" + std::to_string(c.db) + "&username=" + encoded(c.username) + "&password=" + encoded(c.password) +
          "&sentinel_username=" + encoded(c.sentinel_username) + "&sentinel_password=" + encoded(c.sentinel_password) +
          "&client_name=" + encoded(c.client_name) + "&attempt_timeout=" + time(c.attempt_timeout) +
          "&connect_timeout=" + time(c.connect_timeout) + "&sentinel_timeout=" + time(c.sentinel_timeout) +
          "&hold_on_selected=" + time(c.hold_on_selected) + "&reconnect_spread=" + time(c.reconnect_spread) +
          "&delivery=" + std::string(to_string(c.delivery)) + "&cutover=" + std::string(to_string(c.cutover)) +
          "&warm_replicas=" + flag(c.warm_replicas) + "&follow_role_hint=" + flag(c.follow_role_hint) +
          "&breaker=" + flag(c.breaker.has_value());
   if (c.deadline) uri += "&deadline=" + time(*c.deadline);
   if (c.resend.max_resends) uri += "&max_resends=" + std::to_string(*c.resend.max_resends);
   return uri;
}

// The options in the other order, and the scheme in capitals.
std::string turned_round(std::string_view uri) {
   const auto scheme_end = uri.find("://");
   std::string out(uri.substr(0, uri.find('?')));
   for (std::size_t i = 0; i != scheme_end; ++i) {
      if (out[i] >= 'a' && out[i] <= 'z') out[i] = static_cast<char>(out[i] - 'a' + 'A');
   }
   if (out.size() == uri.size()) return out;
   std::vector<std::string_view> options;
   for (std::string_view rest = uri.substr(out.size() + 1);;) {
      const auto end = rest.find('&');
      options.push_back(rest.substr(0, end));
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
   }
   out += '?';
   for (auto o = options.rbegin(); o != options.rend(); ++o) out += std::string(*o) + "&&";
   return out;
}

void check_uri(std::string_view uri) {
   const auto c = config::from_uri(uri);
   if (!c) return check_refusal(c.error());
   require(validate(*c).has_value(), "what is accepted is sound");
   means_the_same(std::string(uri), *c, "the same again");
   means_the_same(spelled(*c), *c, "percent-encoded it is the same");
   means_the_same(turned_round(uri), *c, "with its options in another order it is the same");
}

}  // namespace

void uri(std::string_view bytes) {
   input in(bytes);
   constexpr std::string_view schemes[] = {"redis", "unix", "redis+sentinel", "rediss", "http"};
   switch (const auto which = in.below(8)) {
      case 0: {  // <scheme>://<user>:<...secret...>@<tail>
         std::string text(schemes[in.below(std::size(schemes))]);
         text += "://";
         text += in.line();
         text += ':';
         text += in.line();
         const auto password = text.size();
         text += secret;
         text += in.line();
         text += '@';
         text += in.rest();
         if (text.find(secret) != password || text.rfind(secret) != password) return;  // elsewhere it is none
         const auto c = config::from_uri(text);
         if (c) return;
         check_refusal(c.error());
         require(c.error().what().find(secret) == std::string::npos, "no password is shown", text);
         return;
      }
      case 1: {
         std::string text = "redis://h?password=" + std::string(in.line()) + std::string(secret);
         text += in.rest();
         const auto c = config::from_uri(text);
         if (c) return;
         check_refusal(c.error());
         return;
      }
      case 2:
      case 3:
      case 4: return check_uri(std::string(schemes[which - 2]) + "://" + std::string(in.rest()));
      default: return check_uri(in.rest());
   }
}

}  // namespace holdfast::fuzz

HOLDFAST_FUZZ_ENTRY(uri)
