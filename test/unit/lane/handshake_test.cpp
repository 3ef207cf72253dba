// From nothing to a connection that can be used: what is asked, what is refused, what is tried again.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

namespace holdfast::impl::test::handshake_test {
namespace {

settings with_database(unsigned database, settings s = {}) {
   s.initial.database = database;
   return s;
}

settings with_all(std::string user) {
   settings s = with_database(3, with_password(std::move(user), "secret"));
   s.initial.name = "worker";
   return s;
}

struct handshakes : testing::Test {
   waiting_script s;
   call& get = s.get;
};

TEST_F(handshakes, all_is_asked_in_one_write_and_what_waits_follows) {
   EXPECT_EQ(s.pending_io(), "dial 10.0.0.1");
   EXPECT_EQ(s.greet(hello()), greeting);
   EXPECT_EQ(s.pending(), 0U) << "nothing is sent before the handshake is over";
   s.answer(client_info(7));
   s.expect_sent(s.get, bulk("v"));
   EXPECT_EQ(get.op.attempts, 1U);
   EXPECT_EQ(s.watch.roles_told, std::vector<std::string>{"10.0.0.1 is master"});
}

TEST(handshake_reply, may_come_in_any_pieces) {
   for (std::size_t chunk = 1; chunk < 40; ++chunk) {
      waiting_script s;
      s.open();
      s.accept();
      s.answer(hello() + client_info(7), chunk);
      EXPECT_EQ(s.accept(), "GET k") << "in pieces of " << chunk;
      s.answer(bulk("v"), chunk);
      EXPECT_EQ(s.get.says(), "v");
   }
}

TEST(handshake_request, carries_user_name_and_database) {
   waiting_script s(with_all("ann"));
   EXPECT_EQ(s.connect(), "HELLO 3 AUTH ann secret SETNAME worker; CLIENT INFO; INFO server; SELECT 3");
   EXPECT_EQ(s.accept(), "GET k");
}

// With only a password the default user is named.
TEST(handshake_reply, that_refuses_hello_is_followed_by_the_old_way) {
   for (const char* refusal : {"ERR unknown command `HELLO`, with args beginning with: `3`",
                               "NOPROTO unsupported protocol version", "NOPERM no permissions to run 'hello'"}) {
      waiting_script s(with_all(""));
      EXPECT_EQ(s.greet(refuses(refusal) + no_auth + no_auth + no_auth),
                "HELLO 3 AUTH default secret SETNAME worker; CLIENT INFO; INFO server; SELECT 3");
      s.serve("AUTH secret; ROLE; CLIENT SETNAME worker; CLIENT INFO; INFO server; SELECT 3", ok + role_master + ok);
      s.answer(refuses("ERR unknown subcommand 'INFO'") + server_info() + ok);
      s.expect_sent(s.get, bulk("v"));
   }
}

TEST_F(handshakes, role_is_read_from_info_where_the_user_may_not_ask_for_it) {
   s.greet(refuses("NOPERM hello") + client_info(7));
   s.serve("ROLE; CLIENT INFO; INFO server", refuses("NOPERM role"));
   s.serve("INFO replication", client_info(7));
   s.answer(bulk("# Replication\r\nrole:master\r\nconnected_slaves:2\r\n"));
   EXPECT_EQ(s.accept(), "GET k");
}

TEST(handshake_reply, needs_no_role_of_a_server_whose_role_does_not_matter) {
   const std::string unknown = refuses("ERR unknown command");
   for (const char* refusal : {"NOPERM role", "ERR unknown command 'ROLE'"}) {
      script s;
      s.watch.view.verify_role = false;
      auto& get = s.submit("GET k");
      s.greet(refuses("ERR unknown command 'HELLO'") + unknown + unknown);
      s.serve("ROLE; CLIENT INFO; INFO server", refuses(refusal) + unknown + unknown);
      EXPECT_EQ(s.accept(), "INFO replication") << refusal;
      s.answer(refuses("ERR unknown command 'INFO'"));
      EXPECT_EQ(s.accept(), "GET k") << refusal;
      EXPECT_EQ(get.says(), "waiting");
   }
}

TEST(handshake_role, is_reported_of_the_node_as_it_was_dialled) {
   for (const bool is_master : {true, false}) {
      waiting_script s;
      s.open();
      s.name(node_a, 6);  // the same one under a newer epoch: it is not dialled anew
      s.answer(hello(is_master ? "master" : "slave") + client_info(7));
      ASSERT_EQ(s.watch.roles_told.size(), 1U);
      EXPECT_EQ(s.watch.view.master->generation, 2U);
      EXPECT_EQ(s.watch.generation_told, 1U) << is_master;
   }
}

TEST(handshake_role, that_is_refused_is_told_to_the_topology_and_the_node_left) {
   for (const std::string role : {"slave", "replica", ""}) {
      waiting_script s({}, {.deadline = 3s});
      s.pending_io();
      s.greet(hello(role) + client_info(7));
      EXPECT_EQ(s.pending_io(), "close");
      EXPECT_EQ(s.watch.roles_told, std::vector<std::string>{"10.0.0.1 is " + role});
      EXPECT_EQ(s.told<event::role_refused>().size(), 1U);
      EXPECT_EQ(s.get.says(), "waiting");
      EXPECT_EQ(s.io_after(1s), "dial 10.0.0.1");
      s.connect();
      EXPECT_EQ(s.accept(), "GET k");
   }
}

// ---- what is final on first contact --------------------------------------------------------------------------------

TEST(first_contact, ends_the_command_at_once) {
   // How the command ends, and a part of the server's words or of a cause.
   const auto refused = [](std::string_view replies, std::string_view says, std::string_view words,
                           settings with = {}) {
      waiting_script s(std::move(with));
      s.greet(replies);
      ASSERT_TRUE(s.get.done()) << replies;
      EXPECT_EQ(s.get.says(), "not_executed, " + std::string(says)) << replies;
      EXPECT_TRUE(s.get.has_cause(words) || s.get.error().server_text.find(words) != std::string::npos) << replies;
   };
   refused(wrong_pass, "authentication_failed", "WRONGPASS invalid username-password pair or user is disabled.",
           with_password("ann", "wrong"));
   refused(refuses("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> "
                   "AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol "
                   "version at the same time"),
           "authentication_failed", "demands a password");
   refused(hello("master", "sentinel"), "invalid_argument", "redis+sentinel://");
   for (const char* other : {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ESMTP\r\n"})
      refused(other, "protocol_error", "does not speak the Redis protocol");
   refused(hello() + client_info(7) + refuses("ERR DB index is out of range"), "invalid_argument", "DB index",
           with_database(99));
   refused(refuses("DENIED Redis is running in protected mode because protected mode is enabled"), "refused", "DENIED");
}

// ---- what is tried again -------------------------------------------------------------------------------------------

// It was connected with its password once, and has lost that connection.
struct known_script : script {
   known_script() : script(with_password("ann", "right")) {
      auto& get = submit("GET k");
      connect();
      expect_sent(get, bulk("v"));
      lose();
   }
   // What a command is told when its handshake meets this.
   std::string refuse(call& c, std::string_view reply = wrong_pass) { return greet(reply), c.says(); }
};

// A replica often has another password than its master: until that is mended, or the deadline passes.
TEST(handshake_password, that_was_right_is_tried_again) {
   known_script s;
   auto& get = s.submit("GET k", {.deadline = 3s});
   EXPECT_EQ(s.refuse(get), "waiting");
   s.advance(500ms);
   s.connect();
   s.expect_sent(get, bulk("v"));
   s.lose();
   auto& last = s.submit("GET k", {.deadline = 10ms});
   s.refuse(last);
   s.advance(10ms);
   EXPECT_EQ(last.error().code(), errc::authentication_failed) << "the reason, not only that time ran out";
}

// ... or for ten seconds, whatever time is left: it is not going to be mended soon.
TEST(handshake_password, that_has_been_refused_for_ten_seconds_is_final) {
   known_script s;
   auto& patient = s.submit("INCR n", {.deadline = 60s});
   const time_point began = s.now;
   while (s.refuse(patient) == "waiting" && s.now - began < 20s) s.advance(1s);
   EXPECT_EQ(patient.says(), "not_executed, authentication_failed");
   EXPECT_GE(s.now - began, 10s);
   EXPECT_LT(s.now - began, 12s);
   // Whoever asks next hears of it at once; whoever asks much later may meet a new trouble, which may pass.
   EXPECT_EQ(s.refuse(s.submit("INCR n", {.deadline = 60s})), "not_executed, authentication_failed");
   s.advance(1min);
   EXPECT_EQ(s.refuse(s.submit("INCR n", {.deadline = 60s})), "waiting");
}

TEST(handshake_password, problem_of_the_past_does_not_end_a_new_command_untried) {
   waiting_script s(with_password("ann", "wrong"));
   s.greet(wrong_pass);
   EXPECT_EQ(s.get.says(), "not_executed, authentication_failed");
   s.advance(1s);
   // Meanwhile the user was created.
   auto& second = s.submit("GET k");
   s.on_view();
   s.open();
   s.accept();
   s.answer(hello() + client_info(7), 5);
   s.expect_sent(second, bulk("v"));
}

TEST(handshake_silence, ends_after_the_connect_timeout_and_is_tried_again) {
   for (const bool connects : {false, true}) {
      waiting_script s({}, {.deadline = 10s});
      if (connects) s.greet("");
      s.pending_io();
      EXPECT_EQ(s.io_after(999ms), "");
      s.advance(1ms);
      EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
      s.advance(1s);
      EXPECT_NE(s.told<event::dial_failed>().size(), 0U);
      s.advance(10s);
      EXPECT_EQ(s.get.says(), "not_executed, no_master");
      EXPECT_EQ(s.get.op.attempts, 0U);
   }
}

TEST(handshake_reply, of_a_server_that_is_full_is_asked_for_again_but_not_often) {
   const std::string full = refuses("ERR max number of clients reached");
   waiting_script s({}, {.deadline = 20s});
   unsigned dials = 1;
   s.pending_io();
   const auto end = s.now + 10s;
   while (s.now < end) {
      s.greet(full);
      while (s.pending_io().find("dial") == std::string::npos && s.now < end) s.advance(10ms);
      ++dials;
   }
   EXPECT_LT(dials, 12U) << "500 ms to 5 s apart";
   EXPECT_GE(dials, 3U);
   EXPECT_EQ(s.get.says(), "waiting");
   for (; !s.get.done(); s.advance(10ms))
      if (s.main.now() == link::state::dialing) s.greet(full);
   EXPECT_EQ(s.get.says(), "not_executed, refused");
   EXPECT_EQ(s.get.error().server_text, "ERR max number of clients reached");
}

TEST(handshake_reply, of_a_server_that_loads_its_data_is_no_refusal) {
   waiting_script s(with_database(3));
   s.greet(hello() + client_info(7) + ok);
   s.serve("GET k", loading);
   EXPECT_EQ(s.get.says(), "waiting");
}

TEST_F(handshakes, master_that_is_superseded_meanwhile_is_left_at_once) {
   s.greet("");
   s.pending_io();
   s.name(node_b, 6);
   EXPECT_EQ(s.pending_io(), "abort; dial 10.0.0.2");
   s.connect();
   s.expect_sent(s.get, bulk("v"));
}

TEST_F(handshakes, push_messages_in_between_answer_nothing) {
   const std::string push = ">2\r\n" + bulk("invalidate") + "*0\r\n";
   s.greet(push + hello() + push + client_info(7) + push);
   EXPECT_EQ(s.accept(), "GET k");
}

TEST_F(handshakes, what_comes_unasked_behind_it_is_not_the_first_reply) {
   s.pending_io();
   s.greet(hello() + client_info(7) + bulk("not yours"));
   EXPECT_EQ(s.pending_io().substr(0, 5), "abort");
   EXPECT_EQ(get.says(), "waiting");
   EXPECT_EQ(get.op.attempts, 0U);
}

}  // namespace
}  // namespace holdfast::impl::test::handshake_test
