// What a single call may ask for, beside the command.
#pragma once

#include <holdfast/delivery.hpp>
#include <holdfast/time.hpp>

#include <optional>
#include <stop_token>

namespace holdfast {

inline constexpr unsigned all_replicas = ~0u;

// What is unset follows the client's configuration.
struct call_options {
   // From the call to its end, everything included; more than zero. A failover that takes longer ends the command.
   // Given here it is exact: unlike the default, a blocking command's own timeout (BLPOP ... 30) is not added to it.
   // Longer than a `duration` can be (292 years): never.
   std::optional<time_span> deadline = {};
   std::optional<holdfast::delivery> delivery = {};
   // How many replicas must have acknowledged the write, or `all_replicas`. Not built yet: anything but 0 answers
   // errc::not_supported, outcome not_executed.
   unsigned acks = 0;
   // For clients that block: a request to stop ends every wait at once with errc::cancelled. The command is not taken
   // back from the server: the outcome tells what is known. One that blocks there (BLPOP ...) is ended with its
   // connection, before the call returns; what it popped until the server saw that is lost, and its outcome unknown.
   // May be requested from any thread.
   std::stop_token stop = {};
   // Of a shared_client, for a single command that does not block on the server. Where others fill the queue: the call
   // waits for room until its deadline (errc::deadline_exceeded, not executed), instead of errc::queue_full at once.
   // The commands of a list wait for those of the same list alone.
   bool wait_for_room = false;
};

}  // namespace holdfast
