// The clients that can be put to the drill; one file each. A new one is added here and in system_under_test.cpp.
#pragma once

#include "drill/system_under_test.hpp"

namespace holdfast::drill {

std::unique_ptr<system_under_test> make_holdfast_system(const system_options&, holdfast::observer);
#if defined(HOLDFAST_HAS_ASIO)
std::unique_ptr<system_under_test> make_async_system(const system_options&, holdfast::observer);
#endif
std::unique_ptr<system_under_test> make_recipe_system(const system_options&, holdfast::observer);

}  // namespace holdfast::drill
