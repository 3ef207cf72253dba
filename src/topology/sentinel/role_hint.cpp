#include "topology/sentinel/role_hint.hpp"

namespace holdfast::impl {

void role_hint::on_role(const endpoint& where, std::string_view role, const endpoint& whose) {
   if (!concerns(where)) return;
   if (state_ == state::asking) {
      if (role == "slave" && !whose.empty()) return set_state(state::verifying, endpoint(whose));
   } else if (role == "master") {
      return set_state(state::following, endpoint(where));
   }
   stop();
}

}  // namespace holdfast::impl
