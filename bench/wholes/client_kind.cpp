#include "bench/wholes/client_kind.hpp"

#include "bench/wholes/clients/all.hpp"

#include <stdexcept>

namespace holdfast::bench {

std::span<const client_kind> all_clients() {
   static const client_kind all[] = {
      raw(), hiredis(), holdfast_fixed(), holdfast_sentinel(), holdfast_deployment(), holdfast_shared(),
   };
   return all;
}

const client_kind& client_named(std::string_view name) {
   for (const client_kind& c : all_clients())
      if (c.name == name) return c;
   throw std::runtime_error("there is no client " + std::string(name));
}

}  // namespace holdfast::bench
