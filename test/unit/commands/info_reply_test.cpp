// A line of INFO is found by its whole key, wherever and however the lines end.
#include "commands/info_reply.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::info_reply_test {
namespace {

constexpr std::string_view info =
   "# Replication\r\nrole:slave\r\nmaster_host:fe80::1\r\nmaster_port:6379\r\nempty:\r\n";

TEST(info_reply, value_is_what_stands_behind_the_first_colon) {
   EXPECT_EQ(info_value(info, "role"), "slave");
   EXPECT_EQ(info_value(info, "master_host"), "fe80::1");
   EXPECT_EQ(info_value(info, "empty"), "");
}

TEST(info_reply, key_matches_only_a_whole_line_beginning) {
   EXPECT_EQ(info_value(info, "ole"), "");
   EXPECT_EQ(info_value(info, "master"), "");
   EXPECT_EQ(info_value(info, "slave"), "");
   EXPECT_EQ(info_value("x_role:slave\r\nrole:master\r\n", "role"), "master");
}

TEST(info_reply, first_of_two_lines_counts) { EXPECT_EQ(info_value("role:master\r\nrole:slave", "role"), "master"); }

TEST(info_reply, lines_may_end_in_a_single_byte_or_not_at_all) {
   EXPECT_EQ(info_value("a:1\nrole:master\nb:2", "role"), "master");
   EXPECT_EQ(info_value("a:1\rrole:master", "role"), "master");
   EXPECT_EQ(info_value("\r\n\r\nrole:master", "role"), "master");
   EXPECT_EQ(info_value("role", "role"), "");
   EXPECT_EQ(info_value("", "role"), "");
}

}  // namespace
}  // namespace holdfast::impl::info_reply_test
