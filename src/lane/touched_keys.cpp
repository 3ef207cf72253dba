#include "lane/touched_keys.hpp"

#include <functional>
#include <string_view>
#include <utility>

namespace holdfast::lane {
namespace {

std::size_t hash_of(std::string_view key) {
   const std::size_t hash = std::hash<std::string_view>{}(key);
   return hash != 0 ? hash : 1;
}

}  // namespace

bool touched_keys::may_concern(const operation& op) {
   if (!everything_ && size_ == 0 && added_.empty()) return false;
   take_in();
   if (!everything_ && size_ == 0) return false;
   bool found = everything_;
   const reach its = each_key(op, [&](std::string_view key) { found = found || contains(hash_of(key)); });
   return its == reach::everything || (its == reach::keys && found);
}

void touched_keys::take_in() {
   for (const operation* op : added_) {
      if (everything_) break;
      everything_ = each_key(*op, [&](std::string_view key) { insert(hash_of(key)); }) == reach::everything;
   }
   added_.clear();
}

void touched_keys::insert(std::size_t hash) {
   if (2 * size_ >= places_.size()) grow();
   for (std::size_t at = hash;; ++at) {
      ++steps_;
      std::size_t& place = places_[at & (places_.size() - 1)];
      if (place == hash) return;
      if (place != 0) continue;
      place = hash;
      ++size_;
      return;
   }
}

bool touched_keys::contains(std::size_t hash) const {
   if (size_ == 0) return false;
   for (std::size_t at = hash;; ++at) {
      const std::size_t place = places_[at & (places_.size() - 1)];
      if (place == 0 || place == hash) return place == hash;
   }
}

void touched_keys::grow() {
   const auto before = std::exchange(places_, std::vector<std::size_t>(places_.empty() ? 16 : places_.size() * 4));
   size_ = 0;
   for (const std::size_t hash : before) {
      if (hash != 0) insert(hash);
   }
}

}  // namespace holdfast::lane
