#include "lane/overtaking.hpp"

namespace holdfast::lane {

void touched_keys::add(const operation& op) {
   if (everything_) return;
   everything_ = each_key(op, [&](std::string_view key) { keys_.insert(key); }) == reach::everything;
}

bool touched_keys::may_concern(const operation& op) const {
   if (!everything_ && keys_.empty()) return false;
   bool found = everything_;
   const reach its = each_key(op, [&](std::string_view key) { found = found || keys_.contains(key); });
   return its == reach::everything || (its == reach::keys && found);
}

}  // namespace holdfast::lane
