// What a lane repeats of a server's words: without values, cut, and kept once however many commands fail for it.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace holdfast::impl::test::words_test {
namespace {

// Bytes of text in all errors, those that they share counted once.
std::size_t bytes_of_text(const std::vector<call*>& calls) {
   std::set<const char*> seen;
   std::size_t bytes = 0;
   for (const call* c : calls) {
      bytes += c->error().server_text.size();
      for (const std::string& cause : c->error().causes)
         if (seen.insert(cause.data()).second) bytes += cause.size();
   }
   return bytes;
}

TEST(error_words, of_a_handshake_that_fails_are_cut_and_shared) {
   script s;
   std::vector<call*> calls;
   for (int i = 0; i < 1000; ++i) calls.push_back(&s.submit("SET k v", {.deadline = 1s}));
   for (int round = 0; s.now < time_point{} + 1h + 1s && round < 20; ++round) {
      if (s.main.now() == link::state::dialing) {
         s.greet(refuses("ERR " + std::to_string(round) + std::string(200'000, 'x')));
      }
      s.advance(50ms);
   }
   s.advance(2s);
   for (const call* c : calls) ASSERT_TRUE(c->done());
   EXPECT_LE(calls.front()->error().server_text.size(), 200U);
   EXPECT_LE(bytes_of_text(calls), 1000 * 200U + 8 * 400U);
   ASSERT_FALSE(calls.front()->error().causes.empty());
   EXPECT_EQ(&calls.front()->error().causes[0], &calls.back()->error().causes[0]) << "kept once";
}

TEST(error_words, of_the_topology_are_shared) {
   script s;
   s.watch.view.master.reset();
   s.watch.view.why_none = unavailable{errc::no_sentinel, {std::string(300, 'x')}, false};
   std::vector<call*> calls;
   for (int i = 0; i < 100; ++i) calls.push_back(&s.submit("GET k", {.deadline = 1s}));
   s.advance(2s);
   EXPECT_EQ(calls.front()->says(), "not_executed, no_sentinel");
   EXPECT_EQ(bytes_of_text(calls), 300U);
}

using words_of = warm_lane;

TEST_F(words_of, a_loss_are_shared) {
   std::vector<call*> calls;
   for (int i = 0; i < 100; ++i) calls.push_back(&s.submit("INCR n", {.delivery = delivery::at_most_once}));
   s.accept();
   s.lose(std::string(300, 'x'));
   s.connect(8);
   for (const call* c : calls) ASSERT_EQ(c->says(), "unknown, connection_lost");
   EXPECT_EQ(bytes_of_text(calls), 300U);
}

TEST_F(words_of, a_gate_are_cut) {
   auto& set = s.submit("SET k secret-value", {.deadline = 300ms});
   auto& next = s.send("SET k secret-value", {.deadline = 300ms});
   s.answer(refuses("OOM command not allowed when used memory > 'maxmemory'. " + std::string(100'000, 'x')) +
            refuses("LOADING Redis is loading the dataset in memory " + std::string(100'000, 'x')));
   s.advance(1s);
   for (const call* c : {&set, &next}) {
      ASSERT_TRUE(c->done());
      EXPECT_LE(c->error().what().size(), 1000U);
   }
}

TEST_F(words_of, a_command_repeat_no_value) {
   auto& own = s.submit("SET k secret-value");
   auto& unknown = s.submit("NOSUCH secret-value");
   auto& lost = s.submit("RPUSH m secret-value", {.delivery = delivery::at_least_once});
   auto& gone = s.submit("RPUSH l secret-value", {.delivery = delivery::at_most_once});
   auto& wrong = s.send("BLPOP l secret-value");
   s.answer(refuses("ERR what is 'secret-value'?") +
            refuses("ERR unknown command 'NOSUCH', with args beginning with: 'secret-value' "));
   s.reconnects();
   auto& refused = s.submit("SUBSCRIBE secret-value");
   s.accept();
   s.answer(number(1) + "$12\r\nsecret-value?broken");
   s.advance(20s);
   for (const call* c : {&own, &unknown, &gone, &wrong, &refused}) {
      if (!c->done() || c->results.back()) continue;
      EXPECT_EQ(c->error().what().find("secret"), std::string::npos) << c->error().what();
   }
   EXPECT_EQ(own.error().server_text, "ERR what is '<12 bytes>'?");
   EXPECT_TRUE(unknown.done() && !unknown.results.back());
   EXPECT_TRUE(lost.done());
   EXPECT_FALSE(s.told<event::resent>().empty());
   ASSERT_FALSE(s.told<event::outcome_unknown>().empty());
   EXPECT_NE(s.told<event::outcome_unknown>().front().where, endpoint{});
   for (const auto& e : s.history) EXPECT_EQ(to_string(e).find("secret"), std::string::npos) << to_string(e);
}

TEST_F(words_of, a_refused_member_repeat_no_value) {
   auto& unit = s.send_unit({"MULTI", "NOSUCH secret-value", "DISCARD"});
   s.answer(ok + refuses("ERR unknown command 'NOSUCH', with args beginning with: 'secret-value' ") + ok);
   ASSERT_TRUE(unit.done() && !unit.results[1]);
   EXPECT_EQ(unit.results[1].error().what().find("secret"), std::string::npos) << unit.results[1].error().what();
}

}  // namespace
}  // namespace holdfast::impl::test::words_test
