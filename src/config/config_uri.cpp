#include "config/parse.hpp"
#include "core/ascii_case.hpp"

#include <holdfast/config.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast {
namespace {

constexpr std::uint16_t redis_port = 6379;
constexpr std::uint16_t sentinel_port = 26379;

std::optional<std::string> percent_decoded(std::string_view text) {
   const auto hex = [](char c) {
      if (c >= '0' && c <= '9') return c - '0';
      if (c >= 'a' && c <= 'f') return c - 'a' + 10;
      if (c >= 'A' && c <= 'F') return c - 'A' + 10;
      return -1;
   };
   std::string decoded;
   for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
         decoded += text[i];
         continue;
      }
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex(text[i + 1]), low = hex(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
   }
   return decoded;
}

// ---- options ------------------------------------------------------------------------------------------------------

template <auto Member>
bool set_text(config& c, const std::string& value) {
   c.*Member = value;
   return true;
}
template <auto Member>
bool set_duration(config& c, const std::string& value) {
   const auto d = parse_duration(value);
   if (d) c.*Member = *d;
   return d.has_value();
}
template <auto Member>
bool set_flag(config& c, const std::string& value) {
   c.*Member = value == "true";
   return value == "true" || value == "false";
}
bool set_db(config& c, const std::string& value) {
   const auto db = parse_number<unsigned>(value);
   if (db) c.db = *db;
   return db.has_value();
}
bool set_delivery(config& c, const std::string& value) {
   const auto d = parse_delivery(value);
   if (d) c.delivery = *d;
   return d.has_value();
}
bool set_max_resends(config& c, const std::string& value) {
   c.resend.max_resends = parse_number<unsigned>(value);
   return c.resend.max_resends.has_value();
}
bool set_breaker(config& c, const std::string& value) {
   if (value == "true") c.breaker.emplace();
   return value == "true" || value == "false";
}
bool set_cutover(config& c, const std::string& value) {
   c.cutover = value == "eager" ? cutover::eager : cutover::confirmed;
   return value == "eager" || value == "confirmed";
}

struct option {
   std::string_view name;
   bool (*set)(config&, const std::string& value);
   std::string_view expects;
};

constexpr std::string_view a_time = "a number with its unit, such as 500ms, 2s or 1m";
constexpr std::string_view a_flag = "true or false";
constexpr std::string_view a_number = "a number, such as 0 or 15";

constexpr std::array<option, 18> options = {{
   {"username", set_text<&config::username>, ""},
   {"password", set_text<&config::password>, ""},
   {"sentinel_username", set_text<&config::sentinel_username>, ""},
   {"sentinel_password", set_text<&config::sentinel_password>, ""},
   {"db", set_db, a_number},
   {"client_name", set_text<&config::client_name>, ""},
   {"deadline", set_duration<&config::deadline>, a_time},
   {"attempt_timeout", set_duration<&config::attempt_timeout>, a_time},
   {"connect_timeout", set_duration<&config::connect_timeout>, a_time},
   {"sentinel_timeout", set_duration<&config::sentinel_timeout>, a_time},
   {"hold_on_selected", set_duration<&config::hold_on_selected>, a_time},
   {"reconnect_spread", set_duration<&config::reconnect_spread>, a_time},
   {"delivery", set_delivery, "automatic, at_most_once, at_least_once or exactly_once"},
   {"max_resends", set_max_resends, a_number},
   {"cutover", set_cutover, "eager or confirmed"},
   {"warm_replicas", set_flag<&config::warm_replicas>, a_flag},
   {"follow_role_hint", set_flag<&config::follow_role_hint>, a_flag},
   {"breaker", set_breaker, a_flag},
}};

std::string all_options() {
   std::string names;
   for (const option& o : options) names += (names.empty() ? "" : ", ") + std::string(o.name);
   return names;
}

// ---- the parts of a URI -------------------------------------------------------------------------------------------

class uri_reader {
 public:
   explicit uri_reader(std::string_view uri) : uri_(uri) {}

   result<config> run() {
      const std::size_t colon = uri_.find("://");
      if (colon == std::string_view::npos) {
         complain("scheme: missing; " + std::string(schemes));
         return refusal(errc::invalid_argument);
      }
      for (const char c : uri_.substr(0, colon)) scheme_ += impl::lower(c);
      if (scheme_ == "rediss" || scheme_ == "rediss+sentinel") {
         complain(
            "scheme: TLS is not built yet, so rediss:// can't be used; redis:// can, where the network is trusted");
         return refusal(errc::not_supported);
      }
      split(uri_.substr(colon + 3));
      if (!read_all()) return refusal(errc::invalid_argument);
      if (const result<void> sound = validate(config_); !sound) return sound.error();
      return std::move(config_);
   }

 private:
   static constexpr std::string_view schemes =
      "write redis://HOST:PORT, unix:///PATH or redis+sentinel://HOST:PORT,HOST:PORT/MASTER";

   void split(std::string_view rest) {
      const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
      authority_ = rest.substr(0, end);
      tail_ = rest.substr(end);
      path_ = tail_.substr(0, tail_.find('?'));
      if (path_.size() != tail_.size()) query_ = tail_.substr(path_.size() + 1);
      const std::size_t at = authority_.rfind('@');
      if (at != std::string_view::npos) {
         userinfo_ = authority_.substr(0, at);
         authority_.remove_prefix(at + 1);
      }
   }

   bool read_all() {
      if (scheme_ != "redis" && scheme_ != "unix" && scheme_ != "redis+sentinel")
         return complain("scheme: not one of ours; " + std::string(schemes));
      if (tail_.find('#') != std::string_view::npos)
         return complain("'#': a URI of a server has no fragment; where it is part of a name or password, write %23");
      if (path_.find('@') != std::string_view::npos) return complain("path: '@' must be written %40 there");
      if (!read_userinfo()) return false;
      if (scheme_ == "unix" ? !read_unix() : scheme_ == "redis" ? !read_redis() : !read_sentinel()) return false;
      return read_query();
   }

   bool read_userinfo() {
      if (!userinfo_) return true;
      const std::size_t colon = userinfo_->find(':');
      if (colon == std::string_view::npos)
         return complain("user: a name or a password alone is ambiguous; write " + scheme_ + "://:PASSWORD@... or " +
                         scheme_ + "://USER:PASSWORD@...");
      given_ = {"username", "password"};
      return decode("user", userinfo_->substr(0, colon), config_.username) &&
             decode("password", userinfo_->substr(colon + 1), config_.password);
   }

   bool read_unix() {
      if (!authority_.empty() || path_.size() < 2)
         return complain("path: missing or not absolute; write unix:///PATH, with three slashes");
      config_.server.port = 0;
      return decode("path", path_, config_.server.host);
   }

   bool read_redis() {
      if (authority_.find(',') != std::string_view::npos)
         return complain("host: a list; only redis+sentinel:// takes one, of Sentinels");
      return read_endpoint(authority_, redis_port, config_.server) && read_db(path_.empty() ? path_ : path_.substr(1));
   }

   bool read_sentinel() {
      for (std::string_view rest = authority_;;) {
         const std::size_t comma = rest.find(',');
         endpoint& e = config_.sentinels.emplace_back();
         if (!read_endpoint(rest.substr(0, comma), sentinel_port, e)) return false;
         const auto last = std::prev(config_.sentinels.end());
         if (std::find(config_.sentinels.begin(), last, e) != last) config_.sentinels.pop_back();
         if (comma == std::string_view::npos) break;
         rest.remove_prefix(comma + 1);
      }
      const std::string_view path = path_.empty() ? path_ : path_.substr(1);
      const std::string_view name = path.substr(0, path.find('/'));
      if (!decode("master", name, config_.master)) return false;
      if (config_.master.empty())
         return complain(
            "master: missing; write redis+sentinel://HOST:PORT/MASTER with the name that the Sentinels know "
            "it by, such as mymaster");
      return read_db(name.size() == path.size() ? std::string_view() : path.substr(name.size() + 1));
   }

   bool read_db(std::string_view text) {
      if (text.empty()) return true;
      given_.insert("db");
      if (set_db(config_, std::string(text))) return true;
      return complain("db: " + quoted(text) + " is not " + std::string(a_number));
   }

   bool read_endpoint(std::string_view text, std::uint16_t default_port, endpoint& into) {
      std::string_view host = text.substr(0, text.find(':'));
      std::string_view after_host = text.substr(host.size());
      const bool bracketed = text.starts_with('[');
      if (bracketed) {
         const std::size_t end = text.find(']');
         if (end == std::string_view::npos) return complain("host: a ']' is missing after the IPv6 address");
         host = text.substr(1, end - 1);
         after_host = text.substr(end + 1);
         if (!after_host.empty() && after_host[0] != ':')
            return complain("host: only :PORT may follow the ']' of an IPv6 address");
         // [fe80::1%32] would be read as fe80::12. (What is percent-encoded from the first letter on is meant so.)
         const std::string_view address = host.substr(0, host.find('%'));
         const std::string_view zone = host.substr(address.size());
         const bool is_encoded = address.find(':') == std::string_view::npos;
         if (!zone.empty() && !is_encoded && (!zone.starts_with("%25") || zone.size() == 3))
            return complain("host: the zone of an IPv6 address is written %25ZONE, as in [fe80::1%25eth0]");
      } else if (after_host.size() > 1 && after_host.find(':', 1) != std::string_view::npos) {
         return complain("host: more than one ':'; write an IPv6 address in brackets, as in [::1]:6379");
      }
      into.port = default_port;
      if (!decode("host", host, into.host)) return false;
      if (into.host.empty()) return complain("host: missing; write " + scheme_ + "://HOST:PORT");
      if (!is_host(into.host, bracketed)) return complain("host: " + quoted(into.host) + " is no name or address");
      if (after_host.empty()) return true;
      // The text there is not shown: where the host was forgotten, it is the password.
      const auto port = parse_number<std::uint16_t>(after_host.substr(1));
      if (!port || *port == 0) return complain("port: must be a number from 1 to 65535, after " + quoted(into.host));
      into.port = *port;
      return true;
   }

   static bool is_host(const std::string& host, bool v6) {
      const auto fits = [v6](char c) {
         if (v6) return std::string_view("0123456789abcdefABCDEF:.").find(c) != std::string_view::npos;
         return static_cast<unsigned char>(c) > 0x20 && c != 0x7f &&
                std::string_view("/\\@[]:?#,").find(c) == std::string_view::npos;
      };
      const std::string address = v6 ? host.substr(0, host.find('%')) : host;  // a zone may follow: fe80::1%eth0
      return std::all_of(address.begin(), address.end(), fits) &&
             (!v6 || std::count(address.begin(), address.end(), ':') >= 2);
   }

   bool read_query() {
      for (std::string_view rest = query_; !rest.empty();) {
         const std::string_view pair = rest.substr(0, rest.find('&'));
         rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
         if (!pair.empty() && !read_option(pair)) return false;
      }
      return true;
   }

   bool read_option(std::string_view pair) {
      const std::string_view name = pair.substr(0, pair.find('='));
      const auto known = std::find_if(options.begin(), options.end(), [&](const option& o) { return o.name == name; });
      if (known == options.end())
         return complain("option: " + quoted(name) + " is unknown; there are " + all_options());
      const std::string option_name(name);
      if (name.size() == pair.size()) return complain("option " + option_name + ": a value is missing after '='");
      if (!given_.insert(known->name).second) return complain("option " + option_name + ": is given twice");
      std::string value;
      if (!decode("option " + option_name, pair.substr(name.size() + 1), value)) return false;
      if (known->set(config_, value)) return true;
      return complain("option " + option_name + ": " + quoted(value) + " is not " + std::string(known->expects));
   }

   bool decode(const std::string& what, std::string_view text, std::string& into) {
      const auto decoded = percent_decoded(text);
      if (!decoded) return complain(what + ": '%' must be followed by two hexadecimal digits; write % itself as %25");
      into = *decoded;
      return true;
   }

   // ---- complaints ----

   // An '@' behind what we took for the host means that the password holds a delimiter, and that what we took for a
   // host, a port or an option is a piece of it: nothing of it is shown.
   bool may_hold_password() const { return tail_.find('@') != std::string_view::npos; }
   std::string quoted(std::string_view text) const {
      constexpr std::size_t most = 60;
      if (may_hold_password()) return "what is there";
      return '\'' + std::string(text.substr(0, most)) + (text.size() > most ? "...'" : "'");
   }
   bool complain(std::string text) {
      complaint_ = "URI: " + std::move(text);
      if (may_hold_password())
         complaint_ += "; if the password has a '/', '?' or '#', write it as %2F, %3F or %23 (and '@' as %40)";
      return false;
   }
   error refusal(errc code) { return {code, outcome::not_executed, std::move(complaint_)}; }

   std::string_view uri_;
   std::string scheme_ = {};
   std::string_view authority_ = {};  // without the user
   std::string_view tail_ = {};       // from the first '/', '?' or '#' on
   std::string_view path_ = {};
   std::string_view query_ = {};
   std::optional<std::string_view> userinfo_ = {};
   std::set<std::string_view> given_ = {};
   std::string complaint_ = {};
   config config_ = {};
};

}  // namespace

result<config> config::from_uri(std::string_view uri) { return uri_reader(uri).run(); }

}  // namespace holdfast
