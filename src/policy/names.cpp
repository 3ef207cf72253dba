#include <holdfast/policy/backoff.hpp>
#include <holdfast/policy/circuit_breaker.hpp>

namespace holdfast {

std::string_view to_string(jitter j) {
   switch (j) {
      case jitter::none: return "none";
      case jitter::full: return "full";
      case jitter::equal: return "equal";
      case jitter::decorrelated: return "decorrelated";
   }
   return "?";
}

std::string_view to_string(circuit_state s) {
   switch (s) {
      case circuit_state::closed: return "closed";
      case circuit_state::open: return "open";
      case circuit_state::half_open: return "half-open";
   }
   return "?";
}

}  // namespace holdfast
