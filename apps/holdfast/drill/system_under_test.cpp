#include "drill/system_under_test.hpp"

#include "drill/systems_under_test.hpp"

#include <stdexcept>

namespace holdfast::drill {

std::unique_ptr<system_under_test> make_system(const system_options& options, holdfast::observer observer) {
   if (options.client == "holdfast" || options.client == "shared")
      return make_holdfast_system(options, std::move(observer));
#if defined(HOLDFAST_HAS_ASIO)
   if (options.client == "async") return make_async_system(options, std::move(observer));
#endif
   if (options.client == "recipe") return make_recipe_system(options, std::move(observer));
   throw std::invalid_argument("no client \"" + options.client + "\" can be drilled; there are: " + known_clients());
}

std::string known_clients() {
#if defined(HOLDFAST_HAS_ASIO)
   return "holdfast, shared, async, recipe";
#else
   return "holdfast, shared, recipe";
#endif
}

}  // namespace holdfast::drill
