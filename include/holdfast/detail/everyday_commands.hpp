// Commands of the everyday members that are more than a line. Included by <holdfast/calls.hpp>; not for use on its own.
#pragma once

#include <holdfast/command.hpp>
#include <holdfast/result.hpp>
#include <holdfast/set_options.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <initializer_list>
#include <string_view>

namespace holdfast::impl {

// They answer errc::invalid_argument for a time of more than 292 years.
result<command> set_command(std::string_view key, std::string_view value, const set_options&);
result<command> expire_command(std::string_view key, time_span);
command with(command, std::initializer_list<std::string_view> more);

// The reply to SET: nil where a condition was not met.
struct set_reply {
   bool was_set = false;
};
inline bool from_value(value_view from, set_reply& to) {
   to.was_set = !from.is_nil();
   return true;
}

}  // namespace holdfast::impl
