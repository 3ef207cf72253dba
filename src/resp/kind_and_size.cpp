#include "resp/kind_and_size.hpp"

namespace holdfast::impl {

std::string kind_and_size(value_view v) {
   std::string line;
   switch (v.kind()) {
      case kind::nil: return "nil";
      case kind::integer: return "an integer";
      case kind::real: return "a real number";
      case kind::boolean: return "a boolean";
      case kind::big_number: return "a big number";
      case kind::string: line = "a string of "; break;
      case kind::verbatim: line = "a verbatim string of "; break;
      case kind::status: line = "a status of "; break;
      case kind::error: line = "an error of "; break;
      case kind::array: line = "an array of "; break;
      case kind::map: line = "a map of "; break;
      case kind::set: line = "a set of "; break;
      case kind::push: line = "a push of "; break;
   }
   const auto n = v.is_aggregate() ? v.size() : v.text().size();
   return line + std::to_string(n) + (v.is_aggregate() ? " element" : " byte") + (n == 1 ? "" : "s");
}

}  // namespace holdfast::impl
