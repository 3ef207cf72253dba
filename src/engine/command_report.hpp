// The report on a command that a command observer is told.
#pragma once

#include <holdfast/command.hpp>
#include <holdfast/command_observer.hpp>
#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/time.hpp>

#include <span>

namespace holdfast::impl {

// How it ended.
struct command_end {
   const error* failed = nullptr;
   unsigned attempts = 0;
   time_point given = {};
   time_point ended = {};
};

// `commands`: one, or a MULTI and what belongs to it. What is returned refers to all of this.
ended_command report_of(std::span<const command> commands, const command_end&, const endpoint& where);

}  // namespace holdfast::impl
