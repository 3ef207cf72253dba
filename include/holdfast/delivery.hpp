// What a caller asks of the delivery of a command.
#pragma once

#include <holdfast/detail/requirements.hpp>

#include <string_view>

namespace holdfast {

enum class delivery {
   // Resend what certainly did not run, and, when that is unknown, a command whose repetition changes neither the state
   // nor the reply (a read, a plain SET, ...). The default. Everything else comes back as outcome `unknown`.
   automatic,
   // Resend only what certainly did not run.
   at_most_once,
   // Also resend commands that may run twice (INCR, RPUSH, ...), as retry loops do. Never FLUSHALL and its like.
   at_least_once,
   // Not built yet: answers errc::not_supported.
   exactly_once,
};

std::string_view to_string(delivery);

}  // namespace holdfast
