// What a server's permissions, or a caller's mistake, keep from being done at all.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace holdfast::impl::test::refusal_test {
namespace {

// HELLO and ROLE are forbidden; what INFO answers is the case's.
void meet_a_server_that_hides_its_role(script& s, std::string_view info) {
   s.greet(refuses("NOPERM hello") + client_info(7));
   s.serve("ROLE; CLIENT INFO; INFO server", refuses("NOPERM role") + client_info(7));
   s.serve("INFO replication", info);
}

TEST(refusal, of_every_way_to_the_role_is_final_and_says_what_to_allow) {
   for (const std::string& info : {refuses("NOPERM info"), bulk("# Replication\r\n"), bulk("")}) {
      script s;
      auto& get = s.submit("GET k", {.deadline = 3s});
      meet_a_server_that_hides_its_role(s, info);
      EXPECT_EQ(get.says(), "not_executed, no_master") << info;
      EXPECT_TRUE(get.has_cause("allow the user HELLO, ROLE or INFO")) << get.error().what();
      EXPECT_EQ(get.op.attempts, 0U);
   }
}

TEST(refusal, of_the_role_for_another_reason_is_tried_again) {
   script s;
   auto& get = s.submit("GET k", {.deadline = 3s});
   s.greet(refuses("NOPERM hello") + client_info(7));
   EXPECT_EQ(s.accept(), "ROLE; CLIENT INFO; INFO server");
   s.pending_io();
   s.answer(refuses("ERR not now"));
   EXPECT_EQ(s.pending_io(), "abort");
   EXPECT_EQ(get.says(), "waiting");
   EXPECT_EQ(s.io_after(1s), "dial 10.0.0.1");
   s.connect();
   EXPECT_EQ(s.accept(), "GET k");
   EXPECT_EQ(s.subject.where(), node_a);
}

TEST(refusal, to_tell_who_we_are_means_that_nothing_can_be_fenced) {
   for (const char* half : {"addr=10.9.9.9:7 name=\n", "id=7 laddr=10.9.9.9:7 name=\n", ""}) {
      script s;
      auto& incr = s.submit("INCR n");
      s.greet(hello() + bulk(half) + refuses("NOPERM info"));
      EXPECT_EQ(s.accept(), "INCR n");
      s.lose();
      s.advance(1s);
      EXPECT_EQ(s.connect(8), greeting) << "half a name might be a stranger's: " << half;
      expect_end(incr, "unknown, connection_lost", "not fenced: the server did not tell");
   }
}

TEST(refusal, of_a_command_that_was_moved_from_sends_nothing) {
   command moved = words("GET k");
   const command taken = std::move(moved);
   script s;
   auto& call = s.submit_commands({moved});  // NOLINT(bugprone-use-after-move): that is the mistake
   expect_end(call, "not_executed, invalid_argument", "it was moved from");
   auto& unit = s.submit_commands({words("MULTI"), moved, words("EXEC")});
   EXPECT_EQ(unit.says(), "not_executed, invalid_argument");
   EXPECT_EQ(s.pending_io(), "");
}

}  // namespace
}  // namespace holdfast::impl::test::refusal_test
