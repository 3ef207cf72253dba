// Servers that answer HELLO in words of their own, or not at all; and what is none.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test::greeting_test {
namespace {

const std::string unknown = refuses("ERR unknown command");

TEST(greetings, hello_refused_in_any_words_is_asked_the_old_way) {
   for (const char* words :
        {"unsupported command 'HELLO'", "ERR unsupported command 'HELLO'", "ERR RESP3 protocol not supported",
         "ERR command 'HELLO' is not allowed", "WHATEVER", "ERR Syntax error in HELLO option 'setname'"}) {
      waiting_script s;
      s.greet(refuses(words) + unknown + unknown);
      EXPECT_EQ(s.accept(), "ROLE; CLIENT INFO; INFO server") << words;
      s.answer(role_master + client_info(7));
      s.expect_sent(s.get, bulk("v"));
   }
}

TEST(greetings, hello_answered_noauth_with_a_password_goes_the_old_way) {
   waiting_script s(with_password("", "secret"));
   EXPECT_EQ(s.greet(no_auth + no_auth + no_auth), "HELLO 3 AUTH default secret; CLIENT INFO; INFO server");
   s.serve("AUTH secret; ROLE; CLIENT INFO; INFO server", ok + role_master + client_info(7));
   EXPECT_EQ(s.accept(), "GET k");
}

TEST(greetings, user_name_for_a_server_without_users_is_told_at_once) {
   waiting_script s(with_password("app", "secret"));
   s.greet(unknown + unknown + unknown);
   s.serve("AUTH app secret; ROLE; CLIENT INFO; INFO server",
           refuses("ERR wrong number of arguments for 'auth' command"));
   expect_end(s.get, "not_executed, authentication_failed", "leave out the user name");
}

TEST(greetings, default_user_of_a_server_without_users_has_the_password) {
   struct row {
      std::string with_name;
      std::string alone;
      bool gets_in;
   };
   const std::string arity = refuses("ERR wrong number of arguments for 'auth' command");
   const row rows[] = {{arity, ok, true},
                       {arity, refuses("ERR invalid password"), false},
                       {ok, refuses("ERR AUTH <password> called without any password configured"), true},
                       {wrong_pass, ok, false}};
   for (const auto& r : rows) {
      waiting_script s(with_password("default", "secret"));
      s.greet(unknown + unknown + unknown);
      s.serve("AUTH default secret; AUTH secret; ROLE; CLIENT INFO; INFO server", r.with_name + r.alone);
      if (r.gets_in) s.answer(role_master + client_info(7));
      EXPECT_EQ(s.get.says(), r.gets_in ? "waiting" : "not_executed, authentication_failed") << r.with_name << r.alone;
      EXPECT_EQ(s.accept(), r.gets_in ? "GET k" : "");
   }
}

// Closed by the other side, and then `next` is asked.
void close_and_redial(script& s, std::string_view next) {
   s.lose();
   s.advance(1s);
   s.open();
   EXPECT_EQ(s.accept(), next);
}

TEST(greetings, server_that_closes_on_hello_is_found_out) {
   waiting_script s;
   s.greet("");
   close_and_redial(s, "PING");
   s.answer(pong);
   EXPECT_EQ(s.accept(), greeting);
   close_and_redial(s, "ROLE; CLIENT INFO; INFO server");
   s.answer(role_master + client_info(7));
   s.expect_sent(s.get, bulk("v"));
   s.lose();
   s.submit("GET k");
   s.open();
   s.serve("PING", pong);  // it may be another server now
   EXPECT_EQ(s.accept(), greeting);
   close_and_redial(s, "ROLE; CLIENT INFO; INFO server");
}

TEST(greetings, server_that_only_happened_to_close_gets_hello_all_the_same) {
   waiting_script s;
   s.greet("");
   close_and_redial(s, "PING");
   close_and_redial(s, greeting);
   close_and_redial(s, "PING");
   s.answer(pong);
   s.accept();
   s.answer(hello() + client_info(7));
   EXPECT_EQ(s.accept(), "GET k");
   ASSERT_EQ(s.told<event::connected>().size(), 1U);
   EXPECT_TRUE(s.told<event::connected>()[0].resp3);
}

TEST(greetings, server_that_refuses_hello_and_closes_is_asked_the_old_way) {
   waiting_script s;
   s.greet(refuses("ERR unsupported command 'HELLO'"));
   close_and_redial(s, "ROLE; CLIENT INFO; INFO server");
   s.answer(role_master + client_info(7));
   s.expect_sent(s.get, bulk("v"));
}

TEST(greetings, server_that_refuses_both_ways_and_closes_gets_hello_again) {
   waiting_script s;
   s.open();
   s.accept();
   const std::string full = refuses("ERR proxy: no free connection");
   s.answer(full);
   close_and_redial(s, "ROLE; CLIENT INFO; INFO server");
   s.answer(full);
   s.advance(1s);
   s.open();
   EXPECT_EQ(s.accept(), greeting);
}

TEST(greetings, server_that_is_full_is_named_behind_ping_too) {
   waiting_script s;
   s.greet("");
   close_and_redial(s, "PING");
   s.answer(refuses("ERR max number of clients reached"));
   EXPECT_EQ(s.accept(), "") << "it closes now, whatever it is asked";
   EXPECT_NE(s.told<event::dial_failed>().back().why.find("max number of clients reached"), std::string::npos);
}

// As twemproxy does.
TEST(greetings, server_that_closes_on_all_questions_is_used_without_a_fence) {
   script s(with_password("", "secret"));
   s.watch.view.verify_role = false;
   auto& incr = s.submit("INCR n", {.deadline = 20s});
   s.greet("");
   close_and_redial(s, "AUTH secret; PING");
   s.answer(ok + pong);
   s.accept();
   close_and_redial(s, "AUTH secret; ROLE; CLIENT INFO; INFO server");
   close_and_redial(s, "AUTH secret; PING");
   s.answer(ok + pong);
   EXPECT_EQ(s.accept(), "INCR n");
   s.lose();
   s.advance(1s);
   EXPECT_EQ(s.greet(ok + pong), "AUTH secret; PING");
   s.accept();
   close_and_redial(s, "AUTH secret; ROLE; CLIENT INFO; INFO server");
   close_and_redial(s, "AUTH secret; PING");
   EXPECT_EQ(incr.says(), "waiting");
   s.answer(ok + pong);
   expect_end(incr, "unknown, connection_lost", "not fenced: the server did not tell who we were");
}

TEST(greetings, echo_is_no_server) {
   struct row {
      unsigned protocol;
      const char* says;
   };
   for (const row& r : {row{3, "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"}, row{2, "*1\r\n$4\r\nROLE\r\n"}}) {
      settings all;
      all.initial.protocol = r.protocol;
      script s(all);
      s.watch.view.verify_role = false;
      auto& set = s.submit("SET k v");
      s.greet(r.says);
      expect_end(set, "not_executed, protocol_error", "an echo service, and no Redis server");
   }
}

TEST(greetings, answer_that_no_server_gives_is_refused) {
   for (const std::string& says : {ok, pong, number(1), bulk("welcome"), std::string("*0\r\n"), std::string("%0\r\n"),
                                   "*2\r\n" + bulk("proto") + bulk("3"), "%1\r\n" + bulk("proto") + number(7)}) {
      script s;
      s.watch.view.verify_role = false;
      auto& set = s.submit("SET k v");
      s.greet(says);
      EXPECT_EQ(set.says(), "not_executed, protocol_error") << says;
      EXPECT_TRUE(set.has_cause("none that a Redis server gives")) << set.error().what();
   }
}

// Relatives of Redis, and proxies, leave out one field or the other.
TEST(greetings, answer_that_names_the_server_or_the_protocol_will_do) {
   for (const std::string& says : {"%2\r\n" + bulk("server") + bulk("valkey") + bulk("role") + bulk("master"),
                                   "%2\r\n" + bulk("proto") + number(3) + bulk("role") + bulk("master"),
                                   "*4\r\n" + bulk("proto") + number(2) + bulk("role") + bulk("master")}) {
      script s;
      s.submit("SET k v");
      s.greet(says + client_info(7));
      EXPECT_EQ(s.accept(), "SET k v") << says;
   }
}

// A name with two addresses: whichever is tried last, the command waits for the one that may come up, and both are
// named.
TEST(greetings, name_of_which_one_address_refuses_for_good_is_tried_on) {
   for (const bool refused_last : {true, false}) {
      script s;
      auto& get = s.submit("GET k", {.deadline = 500ms});
      const auto refuse = [&] { s.greet(wrong_pass + no_auth + no_auth); };
      s.main.tries({"10.1.0.1", 6379}, 1, 2);
      refused_last ? s.lose("connection refused") : refuse();
      EXPECT_EQ(get.says(), "waiting");
      s.main.tries({"10.1.0.2", 6379}, 0, 2);
      refused_last ? refuse() : s.lose("connection refused");
      EXPECT_EQ(get.says(), "waiting") << refused_last;
      while (!get.done()) s.advance(100ms);
      EXPECT_EQ(get.says(), "not_executed, authentication_failed") << refused_last;
      EXPECT_TRUE(get.has_cause(refused_last ? "connection refused (10.1.0.1)" : "connection refused (10.1.0.2)"));
      EXPECT_TRUE(get.has_cause(refused_last ? "is disabled. (10.1.0.2)" : "is disabled. (10.1.0.1)"));
   }
}

TEST(greetings, name_of_which_each_address_refuses_for_good_fails_at_once) {
   script s;
   auto& get = s.submit("GET k", {.deadline = 3s});
   for (const std::size_t left : {1U, 0U}) {
      s.main.tries({"10.1.0." + std::to_string(left), 6379}, left, 2);
      EXPECT_EQ(get.says(), "waiting");
      s.greet(wrong_pass + no_auth + no_auth);
   }
   EXPECT_EQ(get.says(), "not_executed, authentication_failed");
   EXPECT_TRUE(get.has_cause("(10.1.0.1)") && get.has_cause("(10.1.0.0)"));
}

}  // namespace
}  // namespace holdfast::impl::test::greeting_test
