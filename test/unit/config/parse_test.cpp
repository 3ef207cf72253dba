#include "config/parse.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::parse_test {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsANumberWithItsUnit) {
   struct row {
      const char* text;
      duration expected;
   };
   const row table[] = {
      {"0", 0s},
      {"0s", 0s},
      {"1ns", 1ns},
      {"20us", 20us},
      {"500ms", 500ms},
      {"2s", 2s},
      {"1m", 60s},
      {"2h", 7200s},
      {"1.5s", 1500ms},
      {"0.25ms", 250us},
      {"1.5m", 90s},
      {"007s", 7s},
      {"1.0000000009s", 1s},
      {"0.000000001s", 1ns},
      {"0.5ns", 0ns},
      {"2562047h", 2562047h},
      {"9223372036854775807ns", duration::max()},
   };
   for (const row& r : table) EXPECT_EQ(parse_duration(r.text), r.expected) << r.text;
}

TEST(ParseDuration, RefusesEverythingElse) {
   for (const char* text : {"",
                            " ",
                            "5",
                            "s",
                            "ms",
                            "-1s",
                            "+1s",
                            " 1s",
                            "1s ",
                            "1 s",
                            "1S",
                            "1sec",
                            "1.s",
                            ".5s",
                            "1,5s",
                            "1e3s",
                            "1s500ms",
                            "0x1s",
                            "inf",
                            "2562048h",
                            "9223372036854775808ns",
                            "99999999999999999999s",
                            "9223372036.9s"})
      EXPECT_EQ(parse_duration(text), std::nullopt) << text;
   EXPECT_EQ(parse_duration(std::string_view("1s\0", 3)), std::nullopt);
}

TEST(ParseDelivery, ReadsTheNamesWithHyphensOrUnderscores) {
   EXPECT_EQ(parse_delivery("automatic"), delivery::automatic);
   EXPECT_EQ(parse_delivery("at_most_once"), delivery::at_most_once);
   EXPECT_EQ(parse_delivery("at-least-once"), delivery::at_least_once);
   EXPECT_EQ(parse_delivery("exactly-once"), delivery::exactly_once);
   for (const char* text : {"", "Automatic", "at most once", "once", "at_most_once "})
      EXPECT_EQ(parse_delivery(text), std::nullopt) << text;
}

TEST(ParseNumber, ReadsDigitsAloneAndWithinRange) {
   EXPECT_EQ(parse_number<std::uint16_t>("0"), 0);
   EXPECT_EQ(parse_number<std::uint16_t>("65535"), 65535);
   for (const char* text : {"", "65536", "-1", "+1", " 1", "1 ", "0x10", "1.0"})
      EXPECT_EQ(parse_number<std::uint16_t>(text), std::nullopt) << text;
}

}  // namespace
}  // namespace holdfast::parse_test
