// Which of a name's addresses to try first. Shared by all links of an engine, so that the probe of a server, and a
// Sentinel's second connection, go where the first one went.
//
// The one that answered last is first; then those of which nothing is known, as the name server ordered them; then
// those that led nowhere or were not what was looked for, the longest ago first. To be connected is no answer, as a
// frozen server's kernel connects as well.
#pragma once

#include <holdfast/endpoint.hpp>

#include <vector>

namespace holdfast::impl {

class address_book {
 public:
   void arrange(const endpoint& name, std::vector<endpoint>& addresses) const;
   void answered(const endpoint& name, const endpoint& address);
   void failed(const endpoint& name, const endpoint& address);  // or answered, and is not wanted

 private:
   static constexpr std::size_t most_names = 64;
   static constexpr std::size_t most_failed = 64;

   struct entry {
      endpoint name;
      endpoint good = {};
      std::vector<endpoint> failed = {};  // the latest last
   };
   const entry* find(const endpoint& name) const;
   entry& entry_of(const endpoint& name);

   std::vector<entry> entries_;  // the one used last is last
};

}  // namespace holdfast::impl
