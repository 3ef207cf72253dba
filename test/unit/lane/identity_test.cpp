// A node is its process: by its run id it is known under any name, and another one at the same address is another node.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::impl::test::identity_test {
namespace {

const endpoint other_name{"redis-1.example", 6379};
const std::string run_c(40, 'c');
const std::string kill_7 = "CLIENT KILL ID 7 ADDR 10.9.9.9:40007";
const std::string of_unix_socket = "id=7 addr=/tmp/my app/redis.sock:0 laddr=/tmp/my app/redis.sock:0 fd=8 flags=U\n";

// One INCR was written on connection 7 of the process, which told itself so, and is unanswered.
call& lose_an_incr(script& s, const std::string& info = client_info(7)) {
   s.submit("PING");
   s.greet(hello() + info);
   s.accept();
   s.answer(pong);  // the connection is proven
   return s.send("INCR n", {.deadline = 5s});
}

TEST(identity, same_process_under_another_name_is_fenced) {
   script s;
   auto& incr = lose_an_incr(s);
   s.watch.name(other_name, 6);
   s.lose();
   EXPECT_EQ(s.greet(hello() + client_info(8)), greeting) << "which process it is, nobody knows yet";
   EXPECT_EQ(s.accept(), kill_7);
   EXPECT_EQ(incr.says(), "waiting");
   s.answer(number(1));
   s.expect_fenced(incr);
   ASSERT_EQ(s.told<event::fenced>().size(), 1U);
   EXPECT_TRUE(s.told<event::fenced>()[0].done);
}

using known_process = warm_lane;

TEST_F(known_process, same_process_under_another_name_is_not_left) {
   auto& pop = s.send("BLPOP q 13", {.deadline = 20s});
   s.name(other_name, 5, run_a);
   EXPECT_EQ(s.pending_io(), "");
   EXPECT_EQ(s.watch.roles_told.back(), other_name.host + " is master");
   s.answer("*2\r\n" + bulk("q") + bulk("job"));
   EXPECT_TRUE(pop.done() && pop.results[0]);
   s.name(node_b, 6, run_b);
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.2");
}

TEST(identity, another_process_under_another_name_is_gone_to) {
   for (const std::string& run_id : {run_b, std::string()}) {
      warm_script s;
      s.name(other_name, 6, run_id);
      EXPECT_NE(s.pending_io().find("dial " + other_name.host), std::string::npos) << run_id;
   }
}

TEST(identity, another_process_at_the_same_address_needs_no_fence) {
   for (const char* killed : {":0\r\n", ":1\r\n", "-NOPERM client|kill\r\n"}) {
      script s;
      auto& incr = lose_an_incr(s);
      auto& set = s.lost("SET a 1", {.deadline = 5s});
      EXPECT_EQ(s.greet(hello() + client_info(3, {}, run_c) + killed), greeting_and_kill(7));
      s.expect_fenced(incr);
      s.expect_resent(set, ok);
      EXPECT_TRUE(s.told<event::fenced>().empty());
      s.lose();
      s.submit("GET a");
      EXPECT_EQ(s.reconnects_to(node_a), greeting) << "that address leads to another process now";
   }
}

// A name that leads to one process and then to another one, and back: the first may have lived on.
TEST(identity, process_that_comes_back_to_its_address_is_fenced) {
   script s;
   lose_an_incr(s);
   s.lose();
   s.greet(hello() + client_info(3, {}, run_c) + number(0));
   s.lose();
   s.submit("GET a");
   s.advance(100ms);
   EXPECT_EQ(s.greet(hello() + client_info(9)), greeting);
   s.serve(kill_7, number(1));
   EXPECT_EQ(s.accept(), "GET a");
}

// All its clients have the same address, and the path may have spaces.
TEST(identity, connection_to_a_unix_socket_is_fenced_by_its_id_alone) {
   script s;
   auto& incr = lose_an_incr(s, bulk(of_unix_socket) + server_info());
   s.lose();
   EXPECT_EQ(s.greet(hello() + bulk(of_unix_socket) + server_info()), greeting) << "the id may be a stranger's";
   EXPECT_EQ(s.accept(), "CLIENT KILL ID 7");
   EXPECT_EQ(incr.says(), "waiting");
   s.answer(number(1));
   s.expect_fenced(incr);
}

TEST(identity, connection_to_a_unix_socket_of_another_process_kills_nobody) {
   script s;
   auto& incr = lose_an_incr(s, bulk(of_unix_socket) + server_info());
   s.lose();
   s.greet(hello() + bulk(of_unix_socket) + server_info(run_c));
   EXPECT_EQ(s.accept(), "");
   s.expect_fenced(incr);
}

TEST(identity, connection_to_a_unix_socket_without_run_id_is_not_fenced) {
   for (const bool before : {true, false}) {
      script s;
      const std::string refused = refuses("NOPERM info");
      auto& incr = lose_an_incr(s, bulk(of_unix_socket) + (before ? refused : server_info()));
      s.lose();
      s.greet(hello() + bulk(of_unix_socket) + (before ? server_info() : refused));
      EXPECT_EQ(s.accept(), "");
      EXPECT_EQ(incr.says(), "unknown, connection_lost");
      EXPECT_TRUE(incr.has_cause("not fenced: the server did not tell its run id")) << before;
      ASSERT_EQ(s.told<event::fenced>().size(), 1U);
      EXPECT_FALSE(s.told<event::fenced>()[0].done);
   }
}

// Without a run id the address of a TCP connection proves what the id alone does not.
TEST(identity, tcp_connection_without_run_id_is_fenced_by_id_and_address) {
   struct row {
      endpoint where;
      const char* killed;
      bool is_told;  // that it is fenced
      bool is_not_fenced;
   };
   const char* const refused = "-NOPERM client|kill\r\n";
   const row rows[] = {{node_a, ":1\r\n", true, false},      {node_a, ":0\r\n", true, false},
                       {node_a, refused, false, true},       {other_name, ":1\r\n", false, false},
                       {other_name, ":0\r\n", false, false}, {other_name, refused, false, true}};
   for (const auto& r : rows) {
      script s;
      auto& incr = lose_an_incr(s, client_info(7, {}, ""));
      s.watch.name(r.where, 6);
      s.lose();
      const bool same = r.where == node_a;
      EXPECT_EQ(s.greet(hello() + client_info(8, {}, "")), same ? greeting_and_kill(7) : greeting);
      EXPECT_EQ(s.accept(), same ? "" : kill_7);
      s.answer(r.killed);
      EXPECT_EQ(incr.says(), "unknown, connection_lost");
      EXPECT_EQ(incr.has_cause("not fenced"), r.is_not_fenced) << r.where.host << r.killed;
      const auto told = s.told<event::fenced>();
      EXPECT_EQ(!told.empty() && told[0].done, r.is_told) << r.where.host << r.killed;
   }
}

// Nine processes with a lost write each, and then the first again: which connection is to be ended is forgotten.
TEST(identity, forgotten_connection_is_not_fenced) {
   const auto process = [](int c) { return std::string(40, static_cast<char>(c)); };
   for (const char last : {'0', '1', 'z'}) {
      script s;
      s.submit("PING");
      call* waits = nullptr;
      for (char c = '0'; c != '9'; ++c) {
         s.greet(hello() + client_info(7, {}, process(c)));
         if (c == '0') {
            s.accept();
            s.answer(pong);
            waits = &s.submit("SET a 1", {.deadline = 1h});
         }
         s.submit("INCR n", {.deadline = 100ms});
         EXPECT_EQ(s.accept(), "SET a 1; INCR n") << c;
         s.name({"10.0.1." + std::string(1, c), 6379}, static_cast<std::uint64_t>(c), process(c + 1));
      }
      s.name({"10.0.2.1", 6379}, 100, process(last));
      s.greet(hello() + client_info(8, {}, process(last)));
      const bool is_forgotten = last == '0';
      EXPECT_EQ(s.accept(), is_forgotten ? "" : last == '1' ? kill_7 : "SET a 1");
      EXPECT_EQ(waits->says(), is_forgotten ? "unknown, connection_lost" : "waiting") << last;
      EXPECT_EQ(is_forgotten, waits->done() && waits->has_cause("not fenced: writes were lost at more than 8 nodes"));
   }
}

// Neither run ids nor a kill tell whether it is the same process. After a failover it is not; under the same epoch it
// may be, and there a late original would overtake.
TEST(identity, write_is_resent_at_another_address_only_at_another_node) {
   struct row {
      std::uint64_t epoch;
      const char* killed;
      bool is_resent;
   };
   const char* const refused = "-NOPERM client|kill\r\n";
   for (const row& r : {row{5, refused, false}, row{6, refused, true}, row{5, ":0\r\n", true}}) {
      script s;
      lose_an_incr(s, client_info(7, {}, ""));
      auto& set = s.submit("SET a 1", {.deadline = 5s});
      auto& get = s.send("GET b", {.deadline = 5s});
      s.watch.name(other_name, r.epoch);
      s.lose();
      s.greet(hello() + client_info(8, {}, ""));
      s.accept();
      s.answer(r.killed);
      EXPECT_EQ(s.accept(), r.is_resent ? "SET a 1; GET b" : "GET b") << r.epoch << r.killed;
      s.answer_all();
      EXPECT_EQ(set.says(), r.is_resent ? "OK" : "unknown, connection_lost") << r.epoch << r.killed;
      EXPECT_TRUE(r.is_resent || set.has_cause("not fenced: NOPERM"));
      EXPECT_EQ(get.says(), "OK");
   }
}

// A failover, and the next one: what was lost at first, and did not wait, makes nothing of the second unknown.
TEST(identity, write_is_resent_at_the_next_failover_as_at_the_first) {
   script s;
   lose_an_incr(s, client_info(7, {}, ""));
   std::uint64_t epoch = 5;
   for (const endpoint& where : {other_name, endpoint{"10.0.0.3", 6379}, endpoint{"10.0.0.4", 6379}}) {
      auto& set = s.send("SET a 1", {.deadline = 5s});
      s.watch.name(where, ++epoch);
      s.lose();
      s.greet(hello() + client_info(8, {}, ""));
      const std::string kills = s.accept();
      EXPECT_TRUE(kills.starts_with("CLIENT KILL ID 7")) << kills;
      for (std::size_t n = std::count(kills.begin(), kills.end(), ';') + 1; n != 0; --n)
         s.answer(refuses("NOPERM client|kill"));
      s.expect_sent(set, ok);
   }
}

// One name, and another address behind it than before: another node, perhaps.
TEST(identity, another_address_of_the_name_without_run_id_proves_no_fence) {
   script s;
   s.main.tries({"10.1.0.1", 6379}, 0, 1);
   auto& incr = lose_an_incr(s, client_info(7, {}, ""));
   s.lose();
   s.main.tries({"10.1.0.2", 6379}, 0, 1);
   EXPECT_EQ(s.greet(hello() + client_info(8, {}, "")), greeting);
   s.serve(kill_7, number(0));
   EXPECT_EQ(incr.says(), "unknown, connection_lost");
   EXPECT_TRUE(s.told<event::fenced>().empty());
   s.lose();
   s.submit("GET k");
   s.main.tries({"10.1.0.1", 6379}, 0, 1);
   EXPECT_EQ(s.reconnects_to(node_a), greeting_and_kill(7)) << "back where it was";
}

TEST(identity, address_of_a_tcp_connection_is_read_whole_or_not_at_all) {
   struct row {
      const char* info;
      std::string kill;
   };
   const row rows[] = {
      {"id=7 addr=10.9.9.9:40007 laddr=10.0.0.1:6379 fd=8\n", kill_7},
      {"id=7 addr=[fe80::1%eth0]:40007 laddr=[::1]:6379\n", "CLIENT KILL ID 7 ADDR [fe80::1%eth0]:40007"},
      {"id=7 addr=redis.sock:0 laddr=redis.sock:0 fd=8\n", "CLIENT KILL ID 7"},
      {"id=7 addr=/run/10.9.9.9:4 my/redis.sock:0 fd=8\n", "CLIENT KILL ID 7"},
      {"id=7 addr=/a/path/cut/off:4000 laddr=x fd=8\n", "CLIENT KILL ID 7"},
      {"id=7 addr=10.9.9.9 laddr=x\n", "CLIENT KILL ID 7"},
      {"id=x addr=10.9.9.9:40007 laddr=x\n", ""},
   };
   for (const auto& r : rows) {
      script s;
      lose_an_incr(s, bulk(r.info) + server_info());
      s.watch.name(other_name, 6);
      s.lose();
      s.greet(hello() + client_info(8));
      EXPECT_EQ(s.accept(), r.kill) << r.info;
   }
}

// Resting means no more tries, of a fixed server, too.
TEST(connector, to_a_server_that_is_down_rests_when_nobody_waits) {
   script s;
   s.watch.view.verify_role = false;
   auto& get = s.submit("GET k", {.deadline = 100ms});
   unsigned dials = 0;
   const auto refuse_for = [&](duration d) {
      for (const time_point end = s.now + d; s.now < end; s.advance(1ms)) {
         if (s.main.now() != link::state::dialing) continue;
         ++dials;
         s.lose("connection refused");
      }
   };
   refuse_for(200ms);
   EXPECT_TRUE(get.done());
   EXPECT_GE(dials, 2U);
   dials = 0;
   refuse_for(60s);
   EXPECT_EQ(dials, 0U);
   EXPECT_FALSE(s.watch.needed);
   auto& next = s.submit("GET k");
   s.connect(8);
   s.expect_sent(next, bulk("v"));
}

}  // namespace
}  // namespace holdfast::impl::test::identity_test
