// A reply in words that show no value: "a string of 17 bytes", "an array of 3 elements".
#pragma once

#include <holdfast/value.hpp>

#include <string>

namespace holdfast::impl {

std::string kind_and_size(value_view);

}  // namespace holdfast::impl
