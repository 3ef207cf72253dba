// Options of SET.
#pragma once

#include <holdfast/time.hpp>

#include <optional>

namespace holdfast {

// For `set` of each client. At most one of `expires` and `keep_ttl`, and at most one of the two conditions.
struct set_options {
   // EX or PX; above 0, to 292 years, in whole milliseconds, rounded up; unset: never.
   std::optional<time_span> expires = {};
   bool keep_ttl = false;    // KEEPTTL: what remains of the present expiry stays
   bool if_absent = false;   // NX
   bool if_present = false;  // XX
};

}  // namespace holdfast
