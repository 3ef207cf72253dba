#pragma once

#include "lab/fault.hpp"

namespace holdfast::lab {

std::unique_ptr<fault> make_kill();
std::unique_ptr<fault> make_stop();
std::unique_ptr<fault> make_shutdown();
std::unique_ptr<fault> make_failover();
std::unique_ptr<fault> make_reply_loss();
std::unique_ptr<fault> make_connection_kill(unsigned rounds = 20);
std::unique_ptr<fault> make_restart();

}  // namespace holdfast::lab
