// What the independent checker finds after (and around) a run. Shares no code with the client.
#pragma once

#include "drill/record.hpp"
#include "lab/deployment.hpp"

namespace holdfast::drill {

// The number that the text is, and nothing else.
std::optional<std::uint64_t> number_in(const std::string& text);

// Reads from `master` what it holds of the workload's writes, of which the last has the number `last`.
// Throws lab::control_error if it does not answer for longer than `patience`.
survivors read_survivors(lab::server& master, std::uint64_t last, lab::milliseconds patience);

// The connections of the workload at that node (neither Sentinels' nor the lab's), and this process' memory.
footprint measure(lab::server& node, lab::milliseconds patience);

}  // namespace holdfast::drill
