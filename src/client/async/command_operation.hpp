// The engine's view of one command of async_client.
#pragma once

#include "lane/operation.hpp"

namespace holdfast::impl {

class async_call;

struct command_operation final : operation {
   async_call* call = nullptr;
};

}  // namespace holdfast::impl
