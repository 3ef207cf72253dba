#pragma once

#include <cstdint>

namespace holdfast::impl {

// Callers of an engine. Where they are many, no command may change what the others see of the connection, and more of
// them may wait.
enum class callers : std::uint8_t { one, many };

}  // namespace holdfast::impl
