// `holdfast drill`: real servers, real faults, and what became of the writes.
#pragma once

#include "command_line.hpp"

namespace holdfast::drill {

// Its exit status: done, all promises were kept (or, with --exec, the program ended well); failed, one was broken, or
// it could not be carried out; usage.
void add_drill(cli::command_line&);

}  // namespace holdfast::drill
