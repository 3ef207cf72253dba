// The handshake with a Sentinel, and with a server that is asked for its role alone. (That of a lane: unit/lane.)
#include "commands/handshake.hpp"

#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace holdfast::impl::handshake_test {
namespace {

using subject = handshake::subject;
using state = handshake::state;

// What is written, as "AUTH secret; HELLO".
std::string commands_in(const std::string& bytes) {
   std::string all;
   for (const value& one : test::feed(bytes).replies) {
      if (!all.empty()) all += "; ";
      for (std::size_t i = 0; i != one.size(); ++i) all += (i == 0 ? "" : " ") + std::string(one[i].text());
   }
   return all;
}

struct script {
   explicit script(subject asks, session s = {}) { hand.begin(s, {.asks = asks}); }
   std::string written() { return commands_in(hand.take_output()); }
   state answer(const std::string& bytes) {
      for (const value& reply : test::feed(bytes).replies) hand.resume(reply);
      return hand.now();
   }

   handshake hand;
};

const session with_password{.username = "", .password = "secret"};
const std::string says_master = "%1\r\n$4\r\nrole\r\n$6\r\nmaster\r\n";
const std::string role_of_replica = "*3\r\n$5\r\nslave\r\n$8\r\n10.0.0.1\r\n:6379\r\n";
const std::string unknown_command = "-ERR unknown command\r\n";

std::string info_of(std::string_view role) {
   const std::string text = "role:" + std::string(role) + "\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\n";
   return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

TEST(handshake, sentinel_is_asked_for_its_id_behind_the_login) {
   script s(subject::sentinel, with_password);
   EXPECT_EQ(s.hand.unanswered(), 2U);
   EXPECT_EQ(s.written(), "AUTH secret; SENTINEL MYID");
   EXPECT_EQ(s.answer("+OK\r\n"), state::working);
   EXPECT_EQ(s.answer("$2\r\nab\r\n"), state::ready);
   EXPECT_EQ(s.hand.self().run_id, "ab");
}

TEST(handshake, sentinel_that_hides_its_id_is_used) {
   const std::string long_id(65, 'x');
   for (const std::string& reply :
        {std::string("-NOPERM no\r\n"), unknown_command, std::string(":1\r\n"), "$65\r\n" + long_id + "\r\n"}) {
      script s(subject::sentinel);
      EXPECT_EQ(s.written(), "SENTINEL MYID");
      EXPECT_EQ(s.answer(reply), state::ready) << reply;
      EXPECT_EQ(s.hand.self().run_id, "");
   }
}

TEST(handshake, sentinel_that_turns_us_away_is_named) {
   script s(subject::sentinel);
   EXPECT_EQ(s.answer("-ERR max number of clients reached\r\n"), state::failed);
   EXPECT_EQ(s.hand.failure().code, errc::refused);
}

TEST(handshake, password_that_nobody_demands_is_no_failure_but_a_lanes) {
   for (const char* reply :
        {"+OK\r\n",
         "-ERR AUTH <password> called without any password configured for the default user. Are you sure your "
         "configuration is correct?\r\n",
         "-ERR Client sent AUTH, but no password is set\r\n"}) {
      for (const subject who : {subject::sentinel, subject::role}) {
         script s(who, with_password);
         EXPECT_EQ(s.answer(reply), state::working) << reply;
      }
   }
}

TEST(handshake, password_that_is_refused_ends_it) {
   for (const char* reply : {"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
                             "-ERR invalid password\r\n", "-ERR unknown command\r\n"}) {
      script s(subject::sentinel, with_password);
      EXPECT_EQ(s.answer(reply), state::failed) << reply;
      EXPECT_NE(s.hand.failure().code, errc::refused);
      EXPECT_NE(s.hand.failure().code, errc::protocol_error);
   }
   script s(subject::sentinel, with_password);
   EXPECT_EQ(s.answer(":1\r\n"), state::failed);
   EXPECT_EQ(s.hand.failure().code, errc::protocol_error);
}

TEST(handshake, default_user_has_the_password_before_users_were_known) {
   script s(subject::role, {.username = "default", .password = "secret"});
   EXPECT_EQ(s.written(), "AUTH default secret; AUTH secret; HELLO");
   s.answer("-ERR wrong number of arguments for 'auth' command\r\n+OK\r\n" + unknown_command);
   EXPECT_EQ(s.written(), "ROLE");
   EXPECT_EQ(s.answer(role_of_replica), state::ready);
}

TEST(handshake, role_is_asked_by_hello_then_role_then_info) {
   script s(subject::role, {.name = "worker"});
   EXPECT_EQ(s.written(), "CLIENT SETNAME worker; HELLO");
   EXPECT_EQ(s.answer("-NOPERM client\r\n"), state::working) << "the name is not needed";
   EXPECT_EQ(s.answer(unknown_command), state::working);
   EXPECT_EQ(s.hand.unanswered(), 1U);
   EXPECT_EQ(s.written(), "ROLE");
   EXPECT_EQ(s.answer("-NOPERM role\r\n"), state::working);
   EXPECT_EQ(s.written(), "INFO replication");
   EXPECT_EQ(s.answer(info_of("slave")), state::ready);
   EXPECT_EQ(s.hand.role(), "slave");
   EXPECT_EQ(s.hand.follows(), (endpoint{"10.0.0.1", 6379}));
   s.hand.ask_role();
   EXPECT_EQ(s.written(), "INFO replication") << "the question that it answers";
   EXPECT_EQ(s.answer(info_of("master")), state::ready);
   EXPECT_EQ(s.hand.role(), "master");
}

TEST(handshake, master_of_a_replica_is_asked_by_role_and_info_first) {
   script s(subject::follows);
   EXPECT_EQ(s.written(), "ROLE");
   EXPECT_EQ(s.answer(role_of_replica), state::ready);
   EXPECT_EQ(s.hand.role(), "slave");
   EXPECT_EQ(s.hand.follows(), (endpoint{"10.0.0.1", 6379}));
   s.hand.ask_role();
   s.answer("-NOPERM role\r\n");
   s.answer("-NOPERM info\r\n");
   EXPECT_EQ(s.written(), "ROLE; INFO replication; HELLO");
   EXPECT_EQ(s.answer(says_master), state::ready);
   EXPECT_EQ(s.hand.role(), "master");
   EXPECT_TRUE(s.hand.follows().empty());
}

TEST(handshake, server_that_tells_no_role_fails) {
   script s(subject::role);
   s.answer("%0\r\n");
   s.answer("*0\r\n");
   EXPECT_EQ(s.answer(info_of("witness")), state::failed);
}

TEST(handshake, server_that_turns_a_role_question_away_is_not_asked_on) {
   for (const char* reply :
        {"-LOADING Redis is loading the dataset in memory\r\n", "-NOAUTH Authentication required.\r\n",
         "-BUSY Redis is busy running a script.\r\n", "-ERR max number of clients reached\r\n"}) {
      script s(subject::role);
      s.written();
      EXPECT_EQ(s.answer(reply), state::failed) << reply;
      EXPECT_EQ(s.written(), "");
   }
}

TEST(handshake, role_replica_is_a_slave) {
   script s(subject::role);
   s.answer(unknown_command);
   EXPECT_EQ(s.answer("*1\r\n$7\r\nreplica\r\n"), state::ready);
   EXPECT_EQ(s.hand.role(), "slave");
}

}  // namespace
}  // namespace holdfast::impl::handshake_test
