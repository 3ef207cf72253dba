#include "engine/address_book.hpp"

#include <algorithm>
#include <cstddef>

namespace holdfast::impl {

const address_book::entry* address_book::find(const endpoint& name) const {
   const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) { return e.name == name; });
   return known == entries_.end() ? nullptr : &*known;
}

address_book::entry& address_book::entry_of(const endpoint& name) {
   if (const entry* known = find(name)) {
      const auto place = entries_.begin() + (known - entries_.data());
      std::rotate(place, place + 1, entries_.end());
   } else {
      if (entries_.size() == most_names) entries_.erase(entries_.begin());
      entries_.push_back({name});
   }
   return entries_.back();
}

void address_book::arrange(const endpoint& name, std::vector<endpoint>& addresses) const {
   const entry* const known = find(name);
   if (known == nullptr) return;
   const auto rank = [&](const endpoint& address) -> std::ptrdiff_t {
      if (address == known->good) return -1;
      const auto failed = std::find(known->failed.begin(), known->failed.end(), address);
      return failed == known->failed.end() ? 0 : 1 + (failed - known->failed.begin());
   };
   std::stable_sort(addresses.begin(), addresses.end(),
                    [&](const endpoint& a, const endpoint& b) { return rank(a) < rank(b); });
}

void address_book::answered(const endpoint& name, const endpoint& address) {
   if (name == address) return;  // no name
   entry& e = entry_of(name);
   e.good = address;
   std::erase(e.failed, address);
}

void address_book::failed(const endpoint& name, const endpoint& address) {
   if (name == address) return;
   entry& e = entry_of(name);
   if (e.good == address) e.good = {};
   std::erase(e.failed, address);
   if (e.failed.size() == most_failed) e.failed.erase(e.failed.begin());
   e.failed.push_back(address);
}

}  // namespace holdfast::impl
