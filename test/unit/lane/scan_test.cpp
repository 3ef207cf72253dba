// A cursor is a place in one process: a scan that would go on in another one is refused.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::scan_test {
namespace {

std::string page(std::string_view cursor) { return "*2\r\n" + bulk(cursor) + "*0\r\n"; }

// Answered by node a: `line` handed out cursor 17.
void begin(script& s, std::string_view line) {
   s.warm_up();
   s.send(line);
   s.answer(page("17"));
}

void fail_over(script& s, const std::string& run_id = run_b) {
   s.name(node_b, 6);
   s.greet(hello() + client_info(1, {}, run_id));
}

TEST(scan, cursor_of_another_process_is_refused) {
   struct row {
      const char* begins;
      const char* goes_on;
   };
   for (const row& r : {row{"SCAN 0 COUNT 100", "SCAN 17 COUNT 100"}, row{"SSCAN s 0", "SSCAN s 17"},
                        row{"hscan h 0", "HSCAN h 17"}, row{"ZSCAN z 0", "ZSCAN z 017"}}) {
      script s;
      begin(s, r.begins);
      fail_over(s);
      auto& scan = s.submit(r.goes_on);
      EXPECT_EQ(scan.says(), "not_executed, invalid_argument") << r.goes_on;
      EXPECT_TRUE(scan.has_cause("of another server process (10.0.0.1:6379)")) << scan.error().what();
      EXPECT_EQ(scan.error().attempts, 0U);
      EXPECT_EQ(s.accept(), "");
      auto& get = s.submit("GET k");
      s.expect_sent(get, bulk("v"));
   }
}

TEST(scan, cursor_of_the_same_process_goes_on) {
   for (const bool under_another_name : {true, false}) {
      script s;
      begin(s, "SCAN 0");
      if (under_another_name) {
         fail_over(s, run_a);
      } else {
         s.reconnects();
      }
      s.submit("SCAN 17");
      EXPECT_EQ(s.accept(), "SCAN 17") << under_another_name;
   }
}

TEST(scan, cursor_that_proves_nothing_is_let_through) {
   for (const char* line : {"SCAN 0", "SCAN 18", "HSCAN h 17", "SCAN x", "SCAN"}) {
      script s;
      begin(s, "SCAN 0");
      fail_over(s);
      s.submit(line);
      EXPECT_EQ(s.accept(), line);
   }
}

using scans = warm_lane;

TEST_F(scans, that_is_lost_does_not_go_on_in_another_process) {
   auto& scan = s.submit("SCAN 17");  // from another client, perhaps
   auto& first = s.send("SCAN 0");
   fail_over(s);
   EXPECT_TRUE(scan.has_cause("of another server process")) << scan.says();
   s.serve("SCAN 0", page("0"));
   EXPECT_TRUE(first.done() && first.results[0]);
}

TEST(scan, cursor_that_both_processes_gave_is_the_newest_ones) {
   script s;
   begin(s, "SCAN 0");
   fail_over(s);
   s.send("SCAN 0");
   s.answer(page("17"));
   s.send("SCAN 17");
}

TEST(scan, cursor_is_refused_in_a_transaction_too) {
   script s;
   begin(s, "SCAN 0");
   fail_over(s);
   auto& unit = s.submit_unit({"MULTI", "SCAN 17", "EXEC"});
   EXPECT_EQ(unit.says(), "not_executed, invalid_argument");
   EXPECT_EQ(s.accept(), "");
}

TEST(scan, that_is_asked_for_again_keeps_its_process) {
   script s;
   begin(s, "SCAN 0");
   s.submit("SET k v");
   auto& scan = s.refused("SCAN 17", no_replicas + page("18"));
   EXPECT_EQ(scan.says(), "waiting") << "its page is from before the SET";
   fail_over(s);
   s.serve("SET k v", ok);
   EXPECT_EQ(s.accept(), "");
   EXPECT_TRUE(scan.has_cause("of another server process")) << scan.says();
}

// The first of the transaction may have run: an older SET behind it would undo it.
TEST(scan, transaction_refused_for_its_cursor_is_not_overtaken) {
   script s;
   begin(s, "SCAN 0");
   auto& set = s.submit("SET k 1");
   auto& unit = s.send_unit({"MULTI", "SET k 2", "SCAN 17", "EXEC"});
   fail_over(s);
   EXPECT_EQ(unit.says(), "unknown, invalid_argument");
   EXPECT_EQ(s.accept(), "");
   EXPECT_EQ(set.says(), "unknown, connection_lost");
}

TEST(scan, without_run_ids_a_process_is_its_address) {
   script s;
   s.submit("SCAN 0");
   s.greet(hello() + client_info(7, {}, ""));
   s.accept();
   s.answer(page("17"));
   s.lose();
   s.greet(hello() + client_info(8, {}, ""));
   s.send("SCAN 17");
   s.answer(page("18"));
   fail_over(s, "");
   EXPECT_EQ(s.submit("SCAN 18").says(), "not_executed, invalid_argument");
}

TEST(scan, without_run_ids_each_address_of_a_name_is_a_process) {
   script s;
   s.main.tries({"10.1.0.1", 6379}, 0, 1);
   s.submit("SCAN 0");
   s.greet(hello() + client_info(7, {}, ""));
   s.accept();
   s.answer(page("17"));
   s.lose();
   s.main.tries({"10.1.0.2", 6379}, 0, 1);
   auto& scan = s.submit("SCAN 17");
   s.greet(hello() + client_info(8, {}, ""));
   EXPECT_EQ(scan.says(), "not_executed, invalid_argument");
}

TEST(scan, memory_of_cursors_is_bounded) {
   scan_cursors cursors;
   cursors.connected(node_a, run_a);
   const auto scan = [](std::size_t n) { return command{"SCAN", n}; };
   const auto& entry = *find_command(scan(1));
   for (std::size_t n = 1; n <= scan_cursors::most + 1; ++n) cursors.sent(entry, scan(n));
   cursors.connected(node_b, run_b);
   EXPECT_EQ(cursors.origin_elsewhere(entry, scan(1)), nullptr) << "the oldest is forgotten";
   EXPECT_NE(cursors.origin_elsewhere(entry, scan(2)), nullptr);
   EXPECT_NE(cursors.origin_elsewhere(entry, scan(scan_cursors::most + 1)), nullptr);
   for (int n = 0; n < 1000; ++n) cursors.connected({"10.1.1.1", 1}, std::to_string(n));
   EXPECT_EQ(cursors.origin_elsewhere(entry, scan(2)), nullptr);
}

// No Sentinel says where its master is, so it is waited for; but it is told at once.
TEST(fixed_server, replica_is_told_at_the_first_refused_write) {
   script s;
   s.watch.view.verify_role = false;
   auto& set = s.submit("SET k v", {.deadline = 1s});
   unsigned refused = 0;
   for (const time_point end = s.now + 900ms; s.now < end; s.advance(1ms)) {
      if (s.main.now() == link::state::dialing) {
         s.greet(hello("replica") + client_info(7));
      }
      if (s.accept().empty()) continue;
      s.answer(readonly);
      ++refused;
      ASSERT_EQ(s.told<event::role_refused>().size(), 1U) << "once";
   }
   EXPECT_GE(refused, 2U);
   EXPECT_EQ(set.says(), "waiting");
   s.advance(1s);
   EXPECT_EQ(set.error().outcome, outcome::not_executed);
   EXPECT_TRUE(set.has_cause("is a replica, and nothing but its address is configured")) << set.error().what();
}

}  // namespace
}  // namespace holdfast::impl::test::scan_test
