// The exit status of the binary.
#pragma once

#include <holdfast/error.hpp>

namespace holdfast::cli {

enum class exit_status : int {
   done = 0,
   failed = 1,  // the server answered an error, too few replicas acknowledged, the result could not be written, or
                // a drill or a simulated world broke a promise
   usage = 2,   // wrong URI or option, or a command that was refused before anything was sent
   not_executed = 3,  // unreachable, deadline, unknown master, refused password, interrupted: it certainly did not run
   unknown = 4,       // it may have run
};

// Of a command that failed. What is known of the outcome comes first: an error reply that proves nothing is `unknown`.
exit_status exit_status_of(const error&);

// Of a search for the master: nothing of the user's was to run, so that nothing can be unknown.
exit_status exit_status_of_search(const error&);

}  // namespace holdfast::cli
