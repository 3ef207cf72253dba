// One write of the drill, by whichever client of Holdfast.
#pragma once

#include "drill/system_under_test.hpp"

#include <holdfast/command.hpp>
#include <holdfast/config.hpp>
#include <holdfast/result.hpp>
#include <holdfast/value.hpp>

#include <stop_token>

namespace holdfast::drill {

config settings_of(const system_options&, holdfast::observer);
command command_of(const operation&);
// `stop` may be why it ended.
void note_reply(operation&, const result<value>&, const std::stop_token& stop);

}  // namespace holdfast::drill
