// What the lab's relay does to what passes through it.
#include "lab/deployment.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

// One server behind a relay, for all tests of this program.
class LabRelayBreaks : public testing::Test {
 protected:
   static void SetUpTestSuite() {
      shared = std::make_unique<deployment>(deployment_options{.replicas = 0, .sentinels = 0, .relay = true});
   }
   static void TearDownTestSuite() { shared.reset(); }
   void SetUp() override { behind().run({"FLUSHALL"}); }
   void TearDown() override {
      relay().heal(relay::healing::intact);
      relay().delay(0ms);
      await("nothing is under way", [] { return relay().connections() == 0; }, 5s);
   }

   static lab::relay& relay() { return *shared->relay(); }
   static control through(milliseconds timeout = 2000ms) { return control(relay().address(), {}, timeout); }
   static control behind() { return shared->node(0).connect(); }
   static std::string counter() { return behind().run({"GET", "n"}).text; }

   static inline std::unique_ptr<deployment> shared;
};

// Says something without waiting for what is answered.
void say(const control& connection, const std::string& text) {
   ASSERT_EQ(::send(connection.descriptor(), text.data(), text.size(), MSG_NOSIGNAL),
             static_cast<ssize_t>(text.size()));
}

// What comes within the connection's timeout; "" for an end, "reset" or "nothing".
std::string heard(const control& connection) {
   std::string bytes(100, '\0');
   const ssize_t size = ::recv(connection.descriptor(), bytes.data(), bytes.size(), 0);
   if (size < 0) return errno == ECONNRESET ? "reset" : "nothing";
   bytes.resize(static_cast<std::size_t>(size));
   return bytes;
}

const std::string incr = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";

TEST_F(LabRelayBreaks, AHeldConnectionHearsNothingUntilThePartitionHealsAndThenEverything) {
   control client = through(600ms);
   client.run({"PING"});
   relay().hold();
   say(client, incr + incr);
   EXPECT_EQ(heard(client), "nothing");
   EXPECT_EQ(counter(), "");
   relay().heal(relay::healing::intact);
   EXPECT_EQ(heard(client), ":1\r\n:2\r\n");
   EXPECT_EQ(client.run({"INCR", "n"}).integer, 3);
}

TEST_F(LabRelayBreaks, AReplyThatWasUnderWayWhenThePartitionBeganComesWhenItHeals) {
   control client = through(600ms);
   control blocker = behind();
   say(client, "*3\r\n$5\r\nBLPOP\r\n$1\r\nl\r\n$1\r\n0\r\n");
   await("it waits", [&] { return blocker.info("clients", "blocked_clients") == "1"; }, 2s);
   relay().hold();
   blocker.run({"RPUSH", "l", "x"});
   EXPECT_EQ(heard(client), "nothing");
   relay().heal(relay::healing::intact);
   EXPECT_EQ(heard(client), "*2\r\n$1\r\nl\r\n$1\r\nx\r\n");
}

TEST_F(LabRelayBreaks, WhatWasSaidBeforeTheConnectionWasAbortedRunsWhenThePartitionHeals) {
   auto client = std::make_unique<control>(relay().address());
   client->run({"PING"});
   relay().hold();
   say(*client, incr);
   const linger abort = {1, 0};
   ASSERT_EQ(::setsockopt(client->descriptor(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort), 0);
   client.reset();
   EXPECT_EQ(counter(), "");
   relay().heal(relay::healing::intact);
   EXPECT_TRUE(became_true([] { return counter() == "1"; }, 2s));
   EXPECT_TRUE(became_true([] { return relay().connections() == 0; }, 2s));
}

TEST_F(LabRelayBreaks, AResetEndsTheConnectionsOfBeforeAndWhatTheyHadSaidIsGone) {
   control client = through();
   client.run({"PING"});
   relay().hold();
   say(client, incr);
   relay().heal(relay::healing::reset);
   EXPECT_EQ(heard(client), "reset");
   EXPECT_EQ(through().run({"INCR", "n"}).integer, 1);
}

TEST_F(LabRelayBreaks, NoConnectIsCompletedWhileThePartitionLasts) {
   relay().hold();
   for (int i = 0; i < 3; ++i) EXPECT_THROW(through(100ms), control_error);
   relay().heal(relay::healing::reset);
   EXPECT_EQ(through().run({"INCR", "n"}).integer, 1);
}

TEST_F(LabRelayBreaks, APartitionCanComeAgain) {
   control client = through(100ms);
   for (int i = 1; i <= 3; ++i) {
      relay().hold();
      say(client, incr);
      EXPECT_EQ(heard(client), "nothing");
      EXPECT_THROW(through(50ms), control_error);
      relay().heal(relay::healing::intact);
      EXPECT_EQ(heard(client), ":" + std::to_string(i) + "\r\n");
   }
}

TEST_F(LabRelayBreaks, ADelayIsThatOfEachWayAndKeepsTheOrder) {
   control client = through();
   client.run({"PING"});
   relay().delay(100ms);
   const auto start = clock::now();
   say(client, incr);
   relay().delay(0ms);
   say(client, incr);
   EXPECT_EQ(client.run({"INCR", "n"}).integer, 1) << "the reply to what was said first";
   EXPECT_GE(clock::now() - start, 100ms) << "what was delayed stays so, and what comes after it waits for it";
   EXPECT_EQ(client.run({"PING"}).integer, 2);
   EXPECT_EQ(client.run({"PING"}).integer, 3);
   control another = through();
   relay().delay(100ms);
   const auto asked = clock::now();
   EXPECT_TRUE(another.pongs());
   EXPECT_GE(clock::now() - asked, 200ms);
}

TEST_F(LabRelayBreaks, ADelayedEndComesAfterWhatWasSaidBefore) {
   control watching = behind();
   auto client = std::make_unique<control>(relay().address());
   client->run({"PING"});
   relay().delay(150ms);
   say(*client, incr);
   const linger abort = {1, 0};
   ASSERT_EQ(::setsockopt(client->descriptor(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort), 0);
   client.reset();
   EXPECT_EQ(watching.run({"GET", "n"}).text, "");
   EXPECT_TRUE(became_true([&] { return watching.run({"GET", "n"}).text == "1"; }, 2s));
   EXPECT_TRUE(became_true([] { return relay().connections() == 0; }, 2s));
}

}  // namespace
}  // namespace holdfast::lab
