#include <holdfast/config.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

namespace holdfast::config_validate_test {
namespace {

using namespace std::chrono_literals;

config sound() { return {.server = {"127.0.0.1", 6379}}; }

TEST(ConfigValidate, AServerOrSentinelsWithAMasterAreEnough) {
   EXPECT_TRUE(validate(sound()));
   EXPECT_TRUE(validate({.sentinels = {{"h", 26379}}, .master = "m"}));
   EXPECT_TRUE(validate({.server = {"/run/redis.sock", 0}}));
   for (const char* host : {"fe80::1%eth0", "fec0::1", "fe8::1", "feed", "fe80", "fe7f::1"})
      EXPECT_TRUE(validate({.server = {host, 6379}})) << host;
}

TEST(ConfigValidate, EachMemberThatIsWrongIsNamed) {
   struct row {
      std::function<void(config&)> spoil;
      const char* says;
   };
   const double nan = std::numeric_limits<double>::quiet_NaN();
   const row table[] = {
      {[](config& c) { c.server = {}; }, "config: neither sentinels nor server is set"},
      {[](config& c) { c.sentinels = {{"h", 1}}, c.master = "m"; }, "config: both sentinels and server are set"},
      {[](config& c) { c = {.sentinels = {{"h", 1}}}; }, "config: master: missing"},
      {[](config& c) { c.master = "m"; }, "config: master: is set, but no sentinels"},
      {[](config& c) { c = {.sentinels = {{"h", 1}, {"i", 0}}, .master = "m"}; }, "config: sentinels[1]: the port is"},
      {[](config& c) { c = {.sentinels = {{"", 1}}, .master = "m"}; }, "config: sentinels[0]: the host is missing"},
      {[](config& c) { c = {.sentinels = {{"/run/s", 0}}, .master = "m"}; },
       "config: sentinels[0]: a Sentinel listens on"},
      {[](config& c) { c.server.port = 0; }, "config: server: the port is missing"},
      {[](config& c) { c.server.host = "fe80::1"; },
       "config: server: a link-local address needs its network interface"},
      {[](config& c) { c.server.host = "FEBF:0::1"; }, "config: server: a link-local address needs"},
      {[](config& c) { c = {.sentinels = {{"h", 1}, {"fe91::1", 1}}, .master = "m"}; },
       "config: sentinels[1]: a link-local address needs its network interface, as in fe91::1%eth0"},
      {[](config& c) { c.server.host = "a\nb"; }, "config: server: the host has a control character"},
      {[](config& c) { c.server.host = std::string("a\0b", 3); }, "config: server: the host has a control character"},
      {[](config& c) { c.server = {"/" + std::string(107, 'x'), 0}; }, "config: server: the path of a Unix socket"},
      {[](config& c) { c.db = ~0U; }, "config: db: must be at most"},
      {[](config& c) { c.client_name = "my app"; }, "config: client_name: "},
      {[](config& c) { c.client_name = "\xc3\xa9"; }, "config: client_name: "},
      {[](config& c) { c.deadline = 0s; }, "config: deadline: must be more than 0"},
      {[](config& c) { c.deadline = -1s; }, "config: deadline: must be more than 0"},
      {[](config& c) { c.attempt_timeout = 0s; }, "config: attempt_timeout: must be more than 0"},
      {[](config& c) { c.connect_timeout = 0s; }, "config: connect_timeout: must be more than 0"},
      {[](config& c) { c.sentinel_timeout = 0s; }, "config: sentinel_timeout: must be more than 0"},
      {[](config& c) { c.hold_on_selected = -1ns; }, "config: hold_on_selected: must not be negative"},
      {[](config& c) { c.reconnect_spread = -1ns; }, "config: reconnect_spread: must not be negative"},
      {[](config& c) { c.limits.parked_commands = 0; }, "config: limits.parked_commands: must be at least 1"},
      {[](config& c) { c.limits.parked_bytes = 0; }, "config: limits.parked_bytes: "},
      {[](config& c) { c.limits.in_flight = 0; }, "config: limits.in_flight: "},
      {[](config& c) { c.limits.in_flight_before_first_reply = 0; }, "config: limits.in_flight_before_first_reply: "},
      {[](config& c) { c.limits.reply_bytes = 0; }, "config: limits.reply_bytes: "},
      {[](config& c) { c.limits.reply_nesting = 0; }, "config: limits.reply_nesting: "},
      {[](config& c) { c.limits.reply_elements = 0; }, "config: limits.reply_elements: "},
      {[](config& c) { c.limits.lanes = 0; }, "config: limits.lanes: must be at least 1"},
      {[](config& c) { c.limits.reply_bytes = 1UL << 32; }, "config: limits.reply_bytes: must be at most 4294967295"},
      {[](config& c) { c.limits.reply_nesting = 1001; }, "config: limits.reply_nesting: must be at most 1000"},
      {[](config& c) { c.limits.reply_elements = 1UL << 31; }, "config: limits.reply_elements: must be at most"},
      {[=](config& c) { c.resend.budget.ratio = nan; }, "config: resend.budget.ratio: "},
      {[](config& c) { c.resend.budget.per_second = -1; }, "config: resend.budget.per_second: "},
      {[](config& c) { c.resend.budget.window = 0s; }, "config: resend.budget.window: "},
      {[](config& c) { c.breaker.emplace().failure_ratio = 1.5; }, "config: breaker.failure_ratio: "},
      {[](config& c) { c.breaker.emplace().probes = 0; }, "config: breaker.probes: "},
      {[](config& c) { c.breaker.emplace().window = 0s; }, "config: breaker.window: "},
      {[](config& c) { c.breaker.emplace().open_for = 0s; }, "config: breaker.open_for: "},
      {[](config& c) { c.breaker.emplace().probe_timeout = 0s; }, "config: breaker.probe_timeout: "},
      {[](config& c) { c.breaker = {.consecutive_failures = 0, .minimum_calls = 0}; }, "config: breaker: both of"},
   };
   for (const row& r : table) {
      config c = sound();
      r.spoil(c);
      const result<void> verdict = validate(c);
      ASSERT_FALSE(verdict) << r.says;
      EXPECT_EQ(verdict.error().code(), errc::invalid_argument);
      EXPECT_EQ(verdict.error().outcome, outcome::not_executed);
      EXPECT_EQ(verdict.error().causes.size(), 1U) << verdict.error().what();
      EXPECT_NE(verdict.error().what().find(r.says), std::string::npos) << verdict.error().what();
   }
}

TEST(ConfigValidate, AllThatIsWrongIsToldAtOnce) {
   config c;
   c.db = ~0U;
   c.attempt_timeout = -1s;
   EXPECT_EQ(validate(c).error().causes.size(), 3U);
}

TEST(ConfigValidate, ThePasswordIsNotAmongTheComplaints) {
   config c{.username = "u", .password = "HUSH", .sentinel_password = "HUSH"};
   EXPECT_EQ(validate(c).error().what().find("HUSH"), std::string::npos);
}

TEST(ConfigValidate, EachWayToCutOverHasAName) {
   EXPECT_EQ(to_string(cutover::eager), "eager");
   EXPECT_EQ(to_string(cutover::confirmed), "confirmed");
}

}  // namespace
}  // namespace holdfast::config_validate_test
