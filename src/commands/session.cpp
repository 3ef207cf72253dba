#include "commands/session.hpp"

#include "core/ascii_case.hpp"
#include "core/number.hpp"

namespace holdfast::impl {

void session::note(command_role role, const command& c) {
   switch (role) {
      case command_role::select: database = parse_number<unsigned>(c.argument(1)).value_or(database); return;
      case command_role::set_name: name = c.argument(2); return;
      case command_role::auth:  // AUTH [user] password
         username = c.size() > 2 ? std::string(c.argument(1)) : std::string();
         password = c.argument(c.size() - 1);
         return;
      case command_role::hello:  // HELLO [protocol [AUTH user password] [SETNAME name]]
         if (c.size() > 1) protocol = parse_number<unsigned>(c.argument(1)).value_or(protocol);
         for (std::size_t i = 2; i < c.size(); ++i) {
            if (same_word(c.argument(i), "AUTH") && i + 2 < c.size()) {
               username = c.argument(i + 1);
               password = c.argument(i + 2);
               i += 2;
            } else if (same_word(c.argument(i), "SETNAME") && i + 1 < c.size()) {
               name = c.argument(++i);
            }
         }
         return;
      default: return;
   }
}

}  // namespace holdfast::impl
