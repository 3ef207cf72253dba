// AUTH and HELLO, to which servers and Sentinels give the same answers.
#pragma once

#include "sim/servers/sessions.hpp"
#include "sim/servers/wire.hpp"

#include <cstddef>
#include <string_view>

namespace holdfast::sim {

// The user, if one is named, and the password are the words from `from` on. False: the answer is an error.
bool authenticate(basic_session&, std::string_view password, const words&, std::size_t from);
// Servers tell their role, Sentinels none. False: the answer is an error.
bool hello(basic_session&, std::string_view password, std::string_view mode, std::string_view role, const words&);

}  // namespace holdfast::sim
