// The words of the policies' enumerators.
#include <holdfast/policy/backoff.hpp>
#include <holdfast/policy/circuit_breaker.hpp>

#include <gtest/gtest.h>

namespace holdfast::names_test {
namespace {

TEST(PolicyNames, AreWords) {
   EXPECT_EQ(to_string(jitter::none), "none");
   EXPECT_EQ(to_string(jitter::full), "full");
   EXPECT_EQ(to_string(jitter::equal), "equal");
   EXPECT_EQ(to_string(jitter::decorrelated), "decorrelated");
   EXPECT_EQ(to_string(circuit_state::closed), "closed");
   EXPECT_EQ(to_string(circuit_state::open), "open");
   EXPECT_EQ(to_string(circuit_state::half_open), "half-open");
}

}  // namespace
}  // namespace holdfast::names_test
