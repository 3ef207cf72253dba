#include "lane/session.hpp"

#include <charconv>

namespace holdfast::lane {
namespace {

unsigned number(std::string_view text, unsigned otherwise) {
   unsigned n = otherwise;
   std::from_chars(text.data(), text.data() + text.size(), n);
   return n;
}

bool same_word(std::string_view a, std::string_view upper) {
   if (a.size() != upper.size()) return false;
   for (std::size_t i = 0; i < a.size(); ++i) {
      const char c = a[i] >= 'a' && a[i] <= 'z' ? static_cast<char>(a[i] - 'a' + 'A') : a[i];
      if (c != upper[i]) return false;
   }
   return true;
}

}  // namespace

void session::note(resp::command_role role, const command& c) {
   switch (role) {
      case resp::command_role::select: database = number(c.argument(1), database); return;
      case resp::command_role::set_name: name = c.argument(2); return;
      case resp::command_role::auth:  // AUTH [user] password
         username = c.size() > 2 ? std::string(c.argument(1)) : std::string();
         password = c.argument(c.size() - 1);
         return;
      case resp::command_role::hello:  // HELLO [protocol [AUTH user password] [SETNAME name]]
         if (c.size() > 1) protocol = number(c.argument(1), protocol);
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

}  // namespace holdfast::lane
