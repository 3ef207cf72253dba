#include "sim/servers/greeting.hpp"

namespace holdfast::sim {

bool authenticate(basic_session& s, std::string_view password, const words& w, std::size_t from) {
   const bool named = w.size() == from + 2;
   if (password.empty() && !named) {
      add_error(s.out,
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
                "configuration is correct?");
      return false;
   }
   if ((named && w[from] != "default") || (!password.empty() && w.back() != password)) {
      add_error(s.out, "WRONGPASS invalid username-password pair or user is disabled.");
      return false;
   }
   return s.authenticated = true;
}

bool hello(basic_session& s, std::string_view password, std::string_view mode, std::string_view role, const words& w) {
   const auto refuse = [&](std::string_view why) {
      add_error(s.out, why);
      return false;
   };
   std::optional<long long> version = s.resp3 ? 3 : 2;
   if (w.size() > 1) version = read_integer(w[1]);
   if (!version) return refuse("ERR Protocol version is not an integer or out of range");
   if (*version != 2 && *version != 3) return refuse("NOPROTO unsupported protocol version");
   std::optional<std::string_view> name;
   for (std::size_t i = 2; i < w.size(); ++i) {
      if (same_word(w[i], "AUTH") && i + 2 < w.size()) {
         if (!authenticate(s, password, {w[i], w[i + 1], w[i + 2]}, 1)) return false;
         i += 2;
      } else if (same_word(w[i], "SETNAME") && i + 1 < w.size()) {
         name = w[++i];
      } else {
         return refuse("ERR Syntax error in HELLO option '" + std::string(w[i]) + "'");
      }
   }
   if (!s.authenticated)
      return refuse(
         "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> "
         "option can be used to authenticate the client and select the RESP protocol version at the same time");
   if (name) s.name = *name;
   s.resp3 = *version == 3;
   const int fields = role.empty() ? 6 : 7;
   add_number(s.out, s.resp3 ? '%' : '*', s.resp3 ? fields : 2 * fields);
   for (const std::string_view text : {"server", "redis", "version", "7.0.15", "proto"}) add_bulk(s.out, text);
   add_integer(s.out, *version);
   add_bulk(s.out, "id");
   add_integer(s.out, static_cast<long long>(s.id));
   add_bulk(s.out, "mode");
   add_bulk(s.out, mode);
   if (!role.empty()) {
      add_bulk(s.out, "role");
      add_bulk(s.out, role);
   }
   add_bulk(s.out, "modules");
   add_array(s.out, 0);
   return true;
}

}  // namespace holdfast::sim
