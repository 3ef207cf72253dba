// Expectation of how a call failed.
#pragma once

#include <holdfast/result.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace holdfast {

// Success if the call failed with this outcome, and with this code where one is given; else what became of it instead.
template <class T>
testing::AssertionResult failed_as(const result<T>& r, outcome ran, std::optional<errc> code = {}) {
   if (r) return testing::AssertionFailure() << "it did not fail";
   const error& e = r.error();
   if (e.outcome == ran && (!code || e.code() == *code)) return testing::AssertionSuccess();
   return testing::AssertionFailure() << e.what();
}

}  // namespace holdfast
