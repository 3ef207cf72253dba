// Readers that URIs and command lines share.
#pragma once

#include "core/number.hpp"

#include <holdfast/delivery.hpp>
#include <holdfast/time.hpp>

#include <optional>
#include <string_view>

namespace holdfast {

// A number, which may have a fraction, and its unit: ns, us, ms, s, m or h; "0" needs none. No sign, no spaces. Empty
// for anything else, and for what a duration cannot hold. Digits below a nanosecond are dropped.
std::optional<duration> parse_duration(std::string_view text);

// The name of an enumerator; hyphens count as underscores.
std::optional<delivery> parse_delivery(std::string_view text);

}  // namespace holdfast
