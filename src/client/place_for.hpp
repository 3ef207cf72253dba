#pragma once

#include <holdfast/result.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <vector>

namespace holdfast::impl {

// Room for the replies to a list.
std::vector<result<value>> place_for(std::size_t n);

}  // namespace holdfast::impl
