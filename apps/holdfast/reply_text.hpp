// A reply as redis-cli prints it.
#pragma once

#include <holdfast/value.hpp>

#include <string>

namespace holdfast::cli {

// For a person: quoted strings, (integer) 1, 1) "a", 1# "key" => "value", (nil). Ends with a newline. Strings are
// escaped, so that nothing in them can move the cursor; also where redis-cli does not do so (verbatim text, errors).
std::string formatted(value_view);

// For a program: the bytes themselves, one line for each element of an aggregate, keys and values of a map in turn (as
// from a server that speaks RESP2), an empty line for nil and behind an error. Ends with a newline.
std::string raw(value_view);

// The error reply that a command was answered with, in either way.
std::string formatted_error(std::string_view server_text);
std::string raw_error(std::string_view server_text);

}  // namespace holdfast::cli
