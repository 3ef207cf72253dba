// From nothing to a connection that can be used: what is asked, what is refused, what is tried again.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test {
namespace {

settings with_password(std::string user, std::string password) {
   settings s;
   s.initial.username = std::move(user);
   s.initial.password = std::move(password);
   return s;
}

TEST(Handshake, AsksAllInOneWriteAndThenSendsWhatWaits) {
   script s;
   auto& get = s.submit("GET k");
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.1");
   s.open();
   EXPECT_EQ(s.accept(), "HELLO 3; CLIENT INFO; INFO server");
   s.answer(hello());
   EXPECT_EQ(s.pending(), 0U) << "nothing is sent before the handshake is over";
   s.answer(client_info(7));
   EXPECT_EQ(s.accept(), "GET k");
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
   EXPECT_EQ(get.op.attempts, 1U);
   EXPECT_EQ(s.watch.roles_told, std::vector<std::string>{"10.0.0.1 is master"});
}

TEST(Handshake, TakesItsRepliesInAnyPieces) {
   for (std::size_t chunk = 1; chunk < 40; ++chunk) {
      script s;
      auto& get = s.submit("GET k");
      s.open();
      s.accept();
      s.answer(hello() + client_info(7), chunk);
      EXPECT_EQ(s.accept(), "GET k") << "in pieces of " << chunk;
      s.answer(bulk("v"), chunk);
      EXPECT_EQ(get.says(), "v");
   }
}

TEST(Handshake, CarriesUserNameAndDatabase) {
   settings all = with_password("ann", "secret");
   all.initial.name = "worker";
   all.initial.database = 3;
   script s(all);
   s.submit("GET k");
   EXPECT_EQ(s.connect(), "HELLO 3 AUTH ann secret SETNAME worker; CLIENT INFO; INFO server; SELECT 3");
   EXPECT_EQ(s.accept(), "GET k");
}

TEST(Handshake, AuthenticatesAsTheDefaultUserWhereOnlyAPasswordIsKnown) {
   script s(with_password("", "secret"));
   s.submit("GET k");
   EXPECT_EQ(s.connect(), "HELLO 3 AUTH default secret; CLIENT INFO; INFO server");
}

TEST(Handshake, FallsBackToTheOldWayWhereHelloIsRefused) {
   const std::string refusals[] = {refuses("ERR unknown command `HELLO`, with args beginning with: `3`"),
                                   refuses("NOPROTO unsupported protocol version"),
                                   refuses("NOPERM this user has no permissions to run the 'hello' command")};
   for (const auto& refusal : refusals) {
      settings all = with_password("", "secret");
      all.initial.name = "worker";
      all.initial.database = 3;
      script s(all);
      auto& get = s.submit("GET k");
      s.open();
      EXPECT_EQ(s.accept(), "HELLO 3 AUTH default secret SETNAME worker; CLIENT INFO; INFO server; SELECT 3");
      const std::string locked = refuses("NOAUTH Authentication required.");
      s.answer(refusal + locked + locked + locked);
      EXPECT_EQ(s.accept(), "AUTH secret; ROLE; CLIENT SETNAME worker; CLIENT INFO; INFO server; SELECT 3");
      s.answer(ok + "*3\r\n" + bulk("master") + number(0) + "*0\r\n" + ok);
      s.answer(refuses("ERR unknown subcommand 'INFO'") + server_info() + ok);
      EXPECT_EQ(s.accept(), "GET k") << refusal;
      s.answer(bulk("v"));
      EXPECT_EQ(get.says(), "v");
   }
}

TEST(Handshake, ReadsTheRoleFromInfoWhereTheUserMayNotAskForIt) {
   script s;
   s.submit("GET k");
   s.open();
   s.accept();
   s.answer(refuses("NOPERM hello") + client_info(7));
   EXPECT_EQ(s.accept(), "ROLE; CLIENT INFO; INFO server");
   s.answer(refuses("NOPERM role"));
   EXPECT_EQ(s.accept(), "INFO replication");
   s.answer(client_info(7));
   s.answer(bulk("# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"));
   EXPECT_EQ(s.accept(), "GET k");
}

TEST(Handshake, OfAServerWhoseRoleDoesNotMatterNeedsNoRole) {
   for (const char* refusal : {"NOPERM role", "ERR unknown command 'ROLE'"}) {
      script s;
      s.watch.view.verify_role = false;
      auto& get = s.submit("GET k");
      s.open();
      s.accept();
      const std::string unknown = refuses("ERR unknown command");
      s.answer(refuses("ERR unknown command 'HELLO'") + unknown + unknown);
      EXPECT_EQ(s.accept(), "ROLE; CLIENT INFO; INFO server");
      s.answer(refuses(refusal) + unknown + unknown);
      EXPECT_EQ(s.accept(), "INFO replication") << refusal;
      s.answer(refuses("ERR unknown command 'INFO'"));
      EXPECT_EQ(s.accept(), "GET k") << refusal;
      EXPECT_EQ(get.says(), "waiting");
   }
}

TEST(Handshake, reports_a_role_of_the_node_as_it_was_dialled) {
   for (const bool is_master : {true, false}) {
      script s;
      s.submit("GET k");
      s.open();
      s.watch.name(node_a, 6);  // the same one under a newer epoch: it is not dialled anew
      s.on_view();
      s.answer(hello(is_master ? "master" : "slave") + client_info(7));
      ASSERT_EQ(s.watch.roles_told.size(), 1U);
      EXPECT_EQ(s.watch.view.master->generation, 2U);
      EXPECT_EQ(s.watch.generation_told, 1U) << is_master;
   }
}

TEST(Handshake, LeavesANodeThatIsNoMasterAndSaysSoToTheGuide) {
   for (const char* role : {"slave", "replica", ""}) {
      script s;
      auto& get = s.submit("GET k", {.deadline = 3s});
      s.open();
      s.accept();
      s.pending_io();
      s.answer(hello(role) + client_info(7));
      EXPECT_EQ(s.pending_io(), "close");
      EXPECT_EQ(s.watch.roles_told, std::vector<std::string>{"10.0.0.1 is " + std::string(role)});
      EXPECT_EQ(s.told<event::role_refused>().size(), 1U);
      EXPECT_EQ(get.says(), "waiting");
      s.advance(1s);
      EXPECT_EQ(s.pending_io(), "dial 10.0.0.1");
      s.connect();
      EXPECT_EQ(s.accept(), "GET k");
   }
}

TEST(Handshake, AWrongPasswordIsFinalOnFirstContact) {
   script s(with_password("ann", "wrong"));
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.answer(refuses("WRONGPASS invalid username-password pair or user is disabled."));
   EXPECT_EQ(get.says(), "not_executed, authentication_failed");
   EXPECT_EQ(get.error().server_text, "WRONGPASS invalid username-password pair or user is disabled.");
}

TEST(Handshake, APasswordThatIsDemandedAndNotConfiguredIsFinalOnFirstContact) {
   script s;
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.answer(
      refuses("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> "
              "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol "
              "version at the same time"));
   EXPECT_EQ(get.says(), "not_executed, authentication_failed");
   EXPECT_TRUE(get.has_cause("demands a password"));
}

// A replica often has another password than its master: until that is mended, or the deadline passes.
TEST(Handshake, AWrongPasswordIsTriedAgainOnceWeWereIn) {
   script s(with_password("ann", "right"));
   s.submit("GET k");
   s.connect();
   s.accept();
   s.answer(bulk("v"));
   s.lose();
   auto& get = s.submit("GET k", {.deadline = 3s});
   s.open();
   s.accept();
   s.answer(refuses("WRONGPASS invalid username-password pair or user is disabled."));
   EXPECT_EQ(get.says(), "waiting");
   s.advance(500ms);
   s.connect();
   EXPECT_EQ(s.accept(), "GET k");
   s.answer(bulk("v"));
   s.lose();
   auto& last = s.submit("GET k", {.deadline = 10ms});
   s.open();
   s.accept();
   s.answer(refuses("WRONGPASS invalid username-password pair or user is disabled."));
   s.advance(10ms);
   EXPECT_EQ(last.error().code(), errc::authentication_failed) << "the reason, not only that time ran out";
}

// ... or for ten seconds, whatever time is left: it is not going to be mended soon.
TEST(Handshake, AWrongPasswordIsFinalOnceItHasBeenRefusedForTenSeconds) {
   const auto refused = refuses("WRONGPASS invalid username-password pair or user is disabled.");
   script s(with_password("ann", "right"));
   s.submit("GET k");
   s.connect();
   s.accept();
   s.answer(bulk("v"));
   s.lose();
   auto& patient = s.submit("INCR n", {.deadline = 60s});
   const time_point began = s.now;
   while (patient.says() == "waiting" && s.now - began < 20s) {
      s.open();
      s.accept();
      s.answer(refused);
      if (patient.says() == "waiting") s.advance(1s);
   }
   EXPECT_EQ(patient.says(), "not_executed, authentication_failed");
   EXPECT_GE(s.now - began, 10s);
   EXPECT_LT(s.now - began, 12s);
   // Whoever asks next hears of it at once; whoever asks much later may meet a new trouble, which may pass.
   auto& next = s.submit("INCR n", {.deadline = 60s});
   s.open();
   s.accept();
   s.answer(refused);
   EXPECT_EQ(next.says(), "not_executed, authentication_failed");
   s.advance(1min);
   auto& later = s.submit("INCR n", {.deadline = 60s});
   s.open();
   s.accept();
   s.answer(refused);
   EXPECT_EQ(later.says(), "waiting");
}

TEST(Handshake, AProblemOfThePastDoesNotEndANewCommandBeforeItIsTried) {
   script s(with_password("ann", "wrong"));
   auto& first = s.submit("GET k");
   s.open();
   s.accept();
   s.answer(refuses("WRONGPASS invalid username-password pair or user is disabled."));
   EXPECT_EQ(first.says(), "not_executed, authentication_failed");
   s.advance(1s);
   // Meanwhile the user was created.
   auto& second = s.submit("GET k");
   s.on_view();
   s.open();
   s.accept();
   s.answer(hello() + client_info(7), 5);
   EXPECT_EQ(second.says(), "waiting");
   EXPECT_EQ(s.accept(), "GET k");
}

TEST(Handshake, ASentinelIsNoServer) {
   script s;
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.answer(hello("master", "sentinel"));
   EXPECT_EQ(get.says(), "not_executed, invalid_argument");
   EXPECT_TRUE(get.has_cause("redis+sentinel://"));
}

TEST(Handshake, WhatIsNoRedisIsSaidToBeNone) {
   for (const char* garbage : {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ESMTP\r\n"}) {
      script s;
      auto& get = s.submit("GET k");
      s.open();
      s.accept();
      s.answer(garbage);
      EXPECT_EQ(get.says(), "not_executed, protocol_error");
      EXPECT_TRUE(get.has_cause("does not speak the Redis protocol"));
   }
}

TEST(Handshake, ADatabaseThatIsNotThereIsFinalOnFirstContact) {
   settings all;
   all.initial.database = 99;
   script s(all);
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.answer(hello() + client_info(7) + refuses("ERR DB index is out of range"));
   EXPECT_EQ(get.says(), "not_executed, invalid_argument");
}

TEST(Handshake, ASilentNodeIsGivenUpAfterTheConnectTimeoutAndTriedAgain) {
   for (const bool connects : {false, true}) {
      script s;
      auto& get = s.submit("GET k", {.deadline = 10s});
      if (connects) {
         s.open();
         s.accept();
      }
      s.pending_io();
      s.advance(999ms);
      EXPECT_EQ(s.pending_io(), "");
      s.advance(1ms);
      EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
      s.advance(1s);
      EXPECT_NE(s.told<event::dial_failed>().size(), 0U);
      s.advance(10s);
      EXPECT_EQ(get.says(), "not_executed, no_master");
      EXPECT_EQ(get.op.attempts, 0U);
   }
}

TEST(Handshake, AServerThatIsFullIsAskedAgainButNotOften) {
   script s;
   auto& get = s.submit("GET k", {.deadline = 20s});
   unsigned dials = 1;
   s.pending_io();
   const auto end = s.now + 10s;
   while (s.now < end) {
      s.open();
      s.accept();
      s.answer(refuses("ERR max number of clients reached"));
      while (s.pending_io().find("dial") == std::string::npos && s.now < end) s.advance(10ms);
      ++dials;
   }
   EXPECT_LT(dials, 12U) << "500 ms to 5 s apart";
   EXPECT_GE(dials, 3U);
   EXPECT_EQ(get.says(), "waiting");
   while (!get.done()) {
      if (s.main.now() == link::state::dialing) {
         s.open();
         s.accept();
         s.answer(refuses("ERR max number of clients reached"));
      }
      s.advance(10ms);
   }
   EXPECT_EQ(get.says(), "not_executed, refused");
   EXPECT_EQ(get.error().server_text, "ERR max number of clients reached");
}

TEST(Handshake, ProtectedModeIsAMatterOfConfiguration) {
   script s;
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.answer(refuses("DENIED Redis is running in protected mode because protected mode is enabled"));
   EXPECT_EQ(get.says(), "not_executed, refused");
}

TEST(Handshake, AServerThatLoadsItsDataDoesNotRefuseTheConnection) {
   settings all;
   all.initial.database = 3;
   script s(all);
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.answer(hello() + client_info(7) + ok);
   EXPECT_EQ(s.accept(), "GET k");
   s.answer(refuses("LOADING Redis is loading the dataset in memory"));
   EXPECT_EQ(get.says(), "waiting");
}

TEST(Handshake, AMasterThatIsSupersededWhileWeGreetItIsLeftAtOnce) {
   script s;
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.pending_io();
   s.watch.name(node_b, 6);
   s.on_view();
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.2");
   s.connect();
   EXPECT_EQ(s.accept(), "GET k");
   s.answer(bulk("v"));
   EXPECT_EQ(get.says(), "v");
}

TEST(Handshake, PushMessagesInBetweenAnswerNothing) {
   script s;
   s.submit("GET k");
   s.open();
   s.accept();
   const std::string push = ">2\r\n" + bulk("invalidate") + "*0\r\n";
   s.answer(push + hello() + push + client_info(7) + push);
   EXPECT_EQ(s.accept(), "GET k");
}

TEST(Handshake, WhatComesUnaskedAfterItIsNotTakenForTheFirstReply) {
   script s;
   auto& get = s.submit("GET k");
   s.open();
   s.accept();
   s.pending_io();
   s.answer(hello() + client_info(7) + bulk("not yours"));
   EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
   EXPECT_EQ(get.says(), "waiting");
   EXPECT_EQ(get.op.attempts, 0U);
}

}  // namespace
}  // namespace holdfast::impl::test
