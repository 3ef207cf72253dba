// The decision: what becomes of a command that failed. One pure function; everything else only gathers its arguments.
// test/unit/lane/decision_test.cpp goes through their whole product.
#pragma once

#include "commands/command_table.hpp"
#include "commands/error_reply.hpp"

#include <holdfast/delivery.hpp>
#include <holdfast/error.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <optional>

namespace holdfast::impl {

// How it failed.
enum class fault : std::uint8_t {
   connection_lost,  // FIN, RST, write error, no reply for too long: whatever broke, all that counts is what was
                     // written
   reply_too_large,  // it answered, but the answer goes over a limit of ours
   broken_protocol,  // what came back can't be parsed, so no later reply can be matched
   error_reply,      // the server answered an error: see `reply`
};

struct situation {
   bool whole = false;  // it was written whole
   holdfast::impl::fault fault = fault::connection_lost;
   reply_proof reply = {};  // for error_reply
   repeat_class repeats = repeat_class::not_repeatable;
   holdfast::delivery delivery = holdfast::delivery::automatic;
   unsigned attempts = 1;                     // times it was written, this one included
   std::optional<unsigned> max_resends = {};  // of the configuration; unset: the deadline alone bounds
   unsigned pushbacks = 0;                    // gate replies it has met so far
   bool budget = true;                        // the retry budget has one for it
   bool master_is_new = false;                // the master changed less than a minute ago
   bool fence_impossible = false;             // the server does not let the lane ask (rule 5 of docs/architecture.md)
   bool pinned = false;                       // to its connection: it cannot be sent on another
   time_point deadline = never;
   time_point now = {};
};

enum class next_step : std::uint8_t {
   park,                    // it was never written whole: it waits, and costs neither an attempt nor budget
   resend,                  // to the same node, in order, after the pause
   rediscover_then_resend,  // leave the node, ask the Sentinels, then send again
   complete,                // the caller gets the error
};

// Pauses between gate replies: drawn between half and all of base * 2^n, at most cap.
struct pause {
   duration base = duration::zero();
   duration cap = duration::zero();

   friend bool operator==(const pause&, const pause&) = default;
};

struct decision {
   holdfast::impl::next_step next_step = next_step::complete;
   holdfast::outcome outcome = outcome::unknown;  // what is known of the failed attempt, whatever the next step
   errc code = errc::connection_lost;             // for complete
   holdfast::impl::pause pause = {};              // for resend and rediscover_then_resend; zero: at once

   friend bool operator==(const decision&, const decision&) = default;
};

decision decide(const situation&);

inline bool sends_again(const decision& d) {
   return d.next_step == next_step::resend || d.next_step == next_step::rediscover_then_resend;
}

// Whether a command may run once more though the first may have run.
bool may_repeat(repeat_class, delivery);

}  // namespace holdfast::impl
