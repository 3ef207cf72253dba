#include "exit_status.hpp"

namespace holdfast::cli {

exit_status exit_status_of(const error& e) {
   if (e.outcome == outcome::unknown) return exit_status::unknown;
   if (e.outcome == outcome::executed) return exit_status::failed;
   const std::error_code code = e.code();
   // Answered to the command, that is; a handshake may be answered with an error too.
   if (code == errc::server_error && e.attempts != 0) return exit_status::failed;
   for (const errc refused_by_us : {errc::invalid_argument, errc::not_supported, errc::limit_exceeded}) {
      if (code == refused_by_us) return exit_status::usage;
   }
   return exit_status::not_executed;
}

exit_status exit_status_of_search(const error& e) {
   return exit_status_of(e) == exit_status::usage ? exit_status::usage : exit_status::not_executed;
}

}  // namespace holdfast::cli
