// What became of the writes by what the nodes hold afterwards: lost, applied twice, applied where none belonged. Pure.
#pragma once

#include "drill/figures.hpp"

namespace holdfast::drill {

// A master may acknowledge a write in this time before it dies, and its replicas never hear of it.
inline constexpr double last_moments_ms = 10;

// Fills in `lost` and `duplicated` of each command, and all of figures that is about lost writes; after its other
// counts. Returns how many writes ran that were reported as not executed.
std::uint64_t compare(const record&, figures&);

// How many writes the forbidden node was given by the client though they began after it had written to the new master
// (or, where nothing is promoted, after the fault). Empty: no node was watched.
std::optional<std::uint64_t> forbidden_writes(const record&);

}  // namespace holdfast::drill
