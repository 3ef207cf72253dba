// Rows of the catalogue: commands that a server holds back, and what ends the wait: a push, an operator, a demotion, a
// handover, a shutdown.
#include "catalogue/server_fixture.hpp"
#include "failed_as.hpp"

namespace holdfast::catalogue {
namespace {

struct held_at_one_server : one_server {};
struct held_watched : one_watched_server {};

// Waits until the client's command is held, and returns the id of its connection.
std::string held(lab::control& control) {
   std::string id;
   lab::await(
      "a command is held back",
      [&] {
         const std::string list = control.run({"CLIENT", "LIST", "TYPE", "normal"}).text;
         for (std::size_t at = 0, end = 0; at < list.size(); at = end + 1) {
            end = std::min(list.find('\n', at), list.size());
            const std::string line = list.substr(at, end - at);
            if (line.find(" flags=b") != std::string::npos) id = line.substr(3, line.find(' ') - 3);
         }
         return !id.empty();
      },
      5s);
   return id;
}

TEST_F(held_at_one_server, a_wait_that_nothing_came_for_answers_nil) {
   covers("3.11");
   const auto r = s.redis().run({"BLPOP", "q", "0.05"});
   ASSERT_TRUE(r) << r.error().what();
   EXPECT_TRUE(r->is_nil());
   EXPECT_EQ(s.heard.text(), "");
}

// Nobody is answered, not even who asks for CLIENT KILL: the client takes the server for dead, comes back when it
// lives, and says of its command what is true by then.
TEST_F(held_at_one_server, a_pause_of_everything_looks_like_a_server_that_is_stopped) {
   covers("2.1g");
   s.settings.attempt_timeout = 150ms;
   for (const bool repeatable : {false, true}) {
      s.redis();
      s.heard.forget();
      s.server().run({"CLIENT", "PAUSE", "1500", "ALL"});
      if (repeatable) {
         EXPECT_TRUE(s.redis().set("k", "v")) << s.heard.text();
         EXPECT_EQ(s.heard.count("resent"), 1U) << s.heard.text();
      } else {
         const auto r = s.redis().incr("n");
         ASSERT_TRUE(failed_as(r, outcome::unknown));
         EXPECT_EQ(s.heard.count("resent"), 0U) << s.heard.text();
      }
      EXPECT_EQ(s.heard.count("suspected"), 1U) << s.heard.text();
      EXPECT_EQ(s.heard.count("fenced", "nothing sent on it can run"), 1U) << s.heard.text();
      const std::string at_once = s.stored("n");
      EXPECT_TRUE(s.redis().ping());
      EXPECT_EQ(s.stored("n"), at_once) << "behind the fence nothing runs any more";
   }
   EXPECT_EQ(s.stored("k"), "v");
}

TEST_F(held_watched, a_wait_that_an_operator_ends_is_told_at_once) {
   covers("3.8");
   s.redis();
   meanwhile unblock([&] { control.run({"CLIENT", "UNBLOCK", held(control), "ERROR"}); });
   expect_told_at_once(s, {"BLPOP", "q", 0}, "UNBLOCKED client unblocked via CLIENT UNBLOCK", reply_class::unblocked);
   unblock.join();
   control.run({"RPUSH", "q", "kept"});
   EXPECT_EQ(s.redis().lpop("q").value(), "kept");
}

TEST_F(held_watched, a_wait_that_a_demotion_ends_goes_on_at_the_next_master) {
   covers("3.9a");
   s.redis();
   meanwhile demotion([&] {
      held(control);
      control.run({"REPLICAOF", "127.0.0.1", "1"});
      s.heard.await("connected", "");
      control.run_all({{"REPLICAOF", "NO", "ONE"}, {"RPUSH", "q", "one", "two"}});
   });
   const auto r = s.redis().run({"BLPOP", "q", 0});
   demotion.join();
   ASSERT_TRUE(r) << r.error().what() << s.heard.text();
   EXPECT_EQ((*r)[1].text(), "one");
   EXPECT_GE(s.heard.count("connection_lost", "UNBLOCKED force unblock"), 1U) << s.heard.text();
   EXPECT_EQ(control.run({"LLEN", "q"}).integer, 1) << "popped once";
}

// What a Sentinel sends to a master that it demotes: the connections end in the same transaction, before any word.
TEST_F(held_watched, a_pop_that_waits_when_sentinel_demotes_the_master_is_unknown) {
   covers("3.9c");
   s.redis();
   meanwhile demotion([&] {
      held(control);
      control.run_all({{"MULTI"}, {"REPLICAOF", "127.0.0.1", "1"}, {"CLIENT", "KILL", "TYPE", "normal"}, {"EXEC"}});
      s.heard.await("connected", "");
      control.run({"REPLICAOF", "NO", "ONE"});
   });
   const auto r = s.redis().run({"BLPOP", "q", 0});
   ASSERT_TRUE(failed_as(r, outcome::unknown));
   EXPECT_EQ(r.error().server_text, "");
   EXPECT_EQ(r.error().attempts, 1U);
   EXPECT_EQ(s.heard.count("fenced", "nothing sent on it can run"), 1U) << s.heard.text();
   EXPECT_EQ(s.redis().rpush("q", "kept").value(), 1);
   EXPECT_EQ(s.redis().lpop("q").value(), "kept");
}

TEST_F(held_watched, wait_is_told_of_the_demotion_and_not_sent_to_another_node) {
   covers("3.9b");
   s.redis().set("k", "v").value();
   meanwhile demotion([&] {
      held(control);
      control.run({"REPLICAOF", "127.0.0.1", "1"});
   });
   const auto r = s.redis().run({"WAIT", 1, 0});
   expect_reply(r, "UNBLOCKED force unblock", reply_class::demoted, outcome::not_executed);
   EXPECT_EQ(r.error().attempts, 1U);
   EXPECT_EQ(s.stored("k"), "v");
}

TEST_F(held_watched, a_stream_that_is_deleted_under_a_reader_is_told_at_once) {
   covers("3.10");
   s.redis();
   control.run({"XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"});
   meanwhile deletion([&] {
      held(control);
      control.run({"DEL", "s"});
   });
   const auto r = s.redis().run({"XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS", "s", ">"});
   ASSERT_TRUE(failed_as(r, outcome::not_executed));
   const std::string& text = r.error().server_text;
   EXPECT_TRUE(text.starts_with("UNBLOCKED the stream key no longer exists") || text.starts_with("NOGROUP")) << text;
   EXPECT_EQ(impl::classify_error(text, false, false, true).cls, reply_class::deterministic);
   EXPECT_EQ(r.error().attempts, 1U);
}

// A deployment without Sentinels whose replica is stopped, so that the master has something to wait for.
server_fixture lagging(std::vector<std::string> lines) {
   return server_fixture(
      lab::deployment_options{.replicas = 1, .sentinels = 0, .durable = true, .node_config = std::move(lines)});
}

void let_it_lag(server_fixture& s) {
   s.servers.node(1).stop();
   s.server().run({"SET", "unseen", "by the replica"});
}

TEST(held, a_write_held_by_a_shutdown_never_runs_but_nobody_can_know) {
   covers("2.1c", "4.7b", "4.13");
   server_fixture s = lagging({"shutdown-timeout 60"});
   s.redis().set("k", "v").value();
   let_it_lag(s);
   auto control = s.server();
   meanwhile shutdown([&] {
      auto impatient = s.server();
      meanwhile order([&] {
         try {
            impatient.ask({"SHUTDOWN"});
         } catch (const lab::control_error&) {  // it ends, or it is resumed too late for the order's own patience
         }
      });
      auto observer = s.server();
      held(observer);
      EXPECT_EQ(observer.run({"GET", "k"}).text, "v") << "reads go on";
      // Two are held: the order's own connection, and the client's write.
      lab::await("the write is held back", [&] { return observer.info("clients", "blocked_clients") == "2"; }, 5s);
      s.servers.node(1).resume();
      EXPECT_TRUE(s.servers.node(0).ended(10s));
      s.servers.node(0).start();
   });
   lab::await("the shutdown waits", [&] { return !control.info("server", "shutdown_in_milliseconds").empty(); }, 5s);
   const auto r = s.redis().incr("n");
   ASSERT_TRUE(failed_as(r, outcome::unknown));
   s.servers.node(0).await_pong();
   EXPECT_EQ(s.stored("n"), "(nil)");
   EXPECT_EQ(s.redis().get("unseen").value(), "by the replica");
}

TEST(held, a_write_held_while_the_role_is_handed_over_goes_to_a_master) {
   covers("2.1e", "3.15b");
   server_fixture s = lagging({});
   s.redis();
   let_it_lag(s);
   auto control = s.server();
   const endpoint replica = s.servers.node(1).own_address();
   control.run({"FAILOVER", "TO", replica.host, std::to_string(replica.port)});
   expect_told_at_once(s, {"REPLICAOF", "NO", "ONE"}, "ERR REPLICAOF not allowed while failing over",
                       reply_class::deterministic);
   meanwhile handover([&] {
      held(control);
      s.servers.node(1).resume();
      s.heard.await("resent", "READONLY");
      control.run({"REPLICAOF", "NO", "ONE"});
   });
   EXPECT_EQ(s.redis().incr("n").value(), 1) << s.heard.text();
   EXPECT_GE(s.heard.count("connection_lost", "READONLY"), 1U) << s.heard.text();
}

// A script that never ends, run on a connection of its own until the server ends or is told to kill it.
class endless_script {
 public:
   endless_script(server_fixture& s, const std::string& script)
      : caller_(s.server()), running_([this, script] {
           try {
              caller_.ask({"EVAL", script, "0"});
           } catch (const lab::control_error&) {  // the server was ended
           }
        }) {}

 private:
   lab::control caller_;
   meanwhile running_;
};

TEST(held, a_script_that_an_operator_kills_had_not_written) {
   covers("3.4");
   server_fixture s(std::vector<std::string>{"busy-reply-threshold 10"});
   s.redis();
   auto control = s.server();
   meanwhile kill([&] {
      lab::await("the script runs", [&] { return control.ask({"PING"}).text.starts_with("BUSY"); }, 5s);
      control.run({"SCRIPT", "KILL"});
   });
   const auto r = s.redis().run({"EVAL", "while true do end redis.call('incr', KEYS[1])", 1, "n"});
   expect_reply(r, "ERR Script killed by user with SCRIPT KILL", reply_class::script_killed, outcome::not_executed,
                true);
   EXPECT_EQ(r.error().attempts, 1U);
   EXPECT_EQ(s.stored("n"), "(nil)");
}

TEST(held, a_script_that_has_written_cannot_be_killed) {
   covers("3.12b");
   server_fixture s(std::vector<std::string>{"busy-reply-threshold 10"});
   s.redis();
   auto control = s.server();
   endless_script script(s, "redis.call('set', 'k', 'v') while true do end");
   lab::await("the script runs", [&] { return control.ask({"PING"}).text.starts_with("BUSY"); }, 5s);
   expect_told_at_once(s, {"SCRIPT", "KILL"}, "UNKILLABLE", reply_class::deterministic);
   EXPECT_TRUE(control.ask({"PING"}).text.starts_with("BUSY")) << "the script goes on";
   s.servers.node(0).kill();
}

}  // namespace
}  // namespace holdfast::catalogue
