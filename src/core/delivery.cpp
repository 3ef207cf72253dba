#include <holdfast/delivery.hpp>

namespace holdfast {

std::string_view to_string(delivery d) {
   switch (d) {
      case delivery::automatic: return "automatic";
      case delivery::at_most_once: return "at_most_once";
      case delivery::at_least_once: return "at_least_once";
      case delivery::exactly_once: return "exactly_once";
   }
   return "?";  // GCOV_EXCL_LINE: each enumerator has returned before; the compiler demands it
}

}  // namespace holdfast
