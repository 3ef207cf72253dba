// Nothing is sent again behind something newer: what was rejected and overtaken ends with an error that says so.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace holdfast::lane::test {
namespace {

const std::string loading_reply = refuses("LOADING Redis is loading the dataset in memory");
const std::string oom_reply = refuses("OOM command not allowed when used memory > 'maxmemory'.");
const std::string no_replicas_reply = refuses("NOREPLICAS Not enough good replicas to write.");

TEST(Overtaking, WhatWasRejectedIsNotSentAgainOnceANewerWriteHasRun) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1");
   auto& del = s.submit("DEL a");
   s.accept();
   s.answer(oom_reply + number(1));
   EXPECT_EQ(del.says(), "1");
   EXPECT_EQ(set.says(), "not_executed, server_error");
   EXPECT_TRUE(set.has_cause("newer command"));
   EXPECT_EQ(set.error().server_text, "OOM command not allowed when used memory > 'maxmemory'.");
   s.advance(1s);
   EXPECT_EQ(s.accept(), "");
}

TEST(Overtaking, AReadDoesNotCount) {
   for (const char* read : {"GET a", "PING", "TIME", "CLIENT ID"}) {
      script s;
      s.warm_up();
      auto& set = s.submit("SET a 1", {.deadline = 10s});
      s.submit(read);
      s.accept();
      s.answer(no_replicas_reply + ok);
      EXPECT_EQ(set.says(), "waiting") << read;
      s.advance(1s);
      EXPECT_EQ(s.accept(), "SET a 1");
   }
}

TEST(Overtaking, AWriteWhoseCallerHasLeftCountsToo) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   auto& del = s.submit("DEL a", {.deadline = 10ms});
   s.accept();
   s.answer(oom_reply);
   s.advance(10ms);
   EXPECT_EQ(del.says(), "unknown, deadline_exceeded");
   s.answer(number(1));
   EXPECT_EQ(set.says(), "not_executed, server_error");
   s.advance(1s);
   EXPECT_EQ(s.accept(), "");
}

TEST(Overtaking, AScriptThatFailedAfterAWriteCountsToo) {
   for (const bool abandoned : {false, true}) {
      script s;
      s.warm_up();
      auto& set = s.submit("SET a 1", {.deadline = 10s});
      auto& eval = s.submit("EVAL x 0", {.deadline = 10ms});
      s.accept();
      if (abandoned) s.advance(10ms);
      s.answer(oom_reply + refuses("WRONGTYPE Operation against a key script: 8d2a, on @user_script:1."));
      EXPECT_TRUE(eval.done());
      EXPECT_EQ(set.says(), "not_executed, server_error");
      s.advance(1s);
      EXPECT_EQ(s.accept(), "");
   }
}

TEST(Overtaking, ANewerWriteThatWasRejectedTooKeepsItsPlace) {
   script s;
   s.warm_up();
   s.submit("SET a 1", {.deadline = 10s});
   s.submit("SET a 2", {.deadline = 10s});
   s.submit("SET a 3", {.deadline = 10s});
   s.accept();
   s.answer(no_replicas_reply + no_replicas_reply + no_replicas_reply);
   s.advance(1s);
   EXPECT_EQ(s.accept(), "SET a 1; SET a 2; SET a 3");
}

TEST(Overtaking, NothingNewIsSentBeforeWhatIsToBeSentAgain) {
   script s;
   s.warm_up();
   s.submit("SET a 1", {.deadline = 10s});
   s.submit("SET a 2", {.deadline = 10s});
   s.accept();
   s.answer(no_replicas_reply);
   s.submit("SET a 3", {.deadline = 10s});
   s.advance(1s);
   EXPECT_EQ(s.accept(), "") << "the second, which is under way, is answered first";
   s.answer(no_replicas_reply);
   s.advance(1s);
   EXPECT_EQ(s.accept(), "SET a 1; SET a 2; SET a 3");
}

// What is read in another database, or as another user, is another read.
TEST(Overtaking, NothingIsSentAgainBehindAChangeOfTheConnectionsState) {
   for (const char* change : {"SELECT 1", "AUTH ann secret", "HELLO 3"}) {
      script s;
      s.warm_up();
      auto& get = s.submit("GET k", {.deadline = 10s});
      s.submit(change);
      s.accept();
      s.answer(loading_reply + (std::string_view(change) == "HELLO 3" ? hello() : ok));
      EXPECT_EQ(get.says(), "not_executed, server_error") << change;
      s.advance(1s);
      EXPECT_EQ(s.accept(), "");
   }
}

TEST(Overtaking, AWriteOfUnknownOutcomeThatIsOvertakenStaysUnknown) {
   script s;
   s.warm_up();
   auto& set = s.submit("SET a 1", {.deadline = 10s});
   s.accept();
   s.lose();
   auto& del = s.submit("DEL a", {.deadline = 10s});
   s.connect(8);
   EXPECT_EQ(s.accept(), "SET a 1; DEL a");
   s.answer(oom_reply + number(1));
   EXPECT_EQ(del.says(), "1");
   EXPECT_EQ(set.says(), "unknown, server_error") << "its first may have run";
}

}  // namespace
}  // namespace holdfast::lane::test
