// Forms in which commands and servers' words are shown: never a value, and never without end.
#pragma once

#include <holdfast/command.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::impl {

// The text in a command's first place; empty where that is no name, but may be a value that was given there.
std::string_view name_of(const command&);

// Of an error reply as it comes, what is enough to know and to show it: some 800 bytes.
std::string received_words(std::string_view server_text);

// Of a server's words the beginning and the end, together some 200 bytes: the end tells where a script failed.
std::string kept_words(std::string_view server_text);

// `kept_words` of what answers `c`: without what it repeats of the command's arguments, but for name and keys. What
// servers are known to say stays as it is.
std::string without_values(std::string_view server_text, const command& c);

}  // namespace holdfast::impl
