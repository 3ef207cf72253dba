// Rows of the catalogue: gates that pass by themselves or by an operator's hand (LOADING, BUSY, CLUSTERDOWN), and what
// another node is to be asked for.
#include "catalogue/server_fixture.hpp"
#include "failed_as.hpp"

#include <sys/socket.h>
#include <sys/un.h>

namespace holdfast::catalogue {
namespace {

struct connections_at_one_server : one_server {};
struct connections_watched : one_watched_server {};

// Runs a script that never ends on a connection of its own, and returns when the server is busy with it.
class busy_script {
 public:
   busy_script(server_fixture& s, std::vector<std::string> run) : caller_(s.server()) {
      control_.emplace(s.server());
      running_.emplace([this, run = std::move(run)] {
         try {
            caller_.ask(run);
         } catch (const lab::control_error&) {  // it is the server that is in question
         }
      });
      lab::await("the server is busy", [&] { return control_->ask({"PING"}).text.starts_with("BUSY"); }, 5s);
   }
   void kill(const char* family) { control_->run({family, "KILL"}); }
   lab::control& control() { return *control_; }

 private:
   lab::control caller_;
   std::optional<lab::control> control_;
   std::optional<meanwhile> running_;
};

TEST(gates, a_busy_script_is_waited_for_on_the_same_connection) {
   covers("2.17a");
   server_fixture s(std::vector<std::string>{"busy-reply-threshold 10"});
   s.redis();
   busy_script script(s, {"EVAL", "while true do end", "0"});
   // BUSY keeps out the commands, not the connections: HELLO is answered.
   EXPECT_TRUE(script.control().ask({"HELLO", "2"}).kind == lab::reply::type::array);
   EXPECT_TRUE(script.control().ask({"CLIENT", "INFO"}).text.starts_with("BUSY"));
   expect_gate(s, "BUSY ", reply_class::busy, way::stays, [&] { script.kill("SCRIPT"); });
}

TEST(gates, a_busy_function_is_waited_for_as_well) {
   covers("2.17b");
   server_fixture s(std::vector<std::string>{"busy-reply-threshold 10"});
   s.server().run({"FUNCTION", "LOAD",
                   "#!lua name=l\nredis.register_function{function_name='spin', callback=function() while true do end "
                   "end, flags={'no-writes'}}"});
   s.redis();
   busy_script function(s, {"FCALL", "spin", "0"});
   expect_gate(s, "BUSY ", reply_class::busy, way::stays, [&] { function.kill("FUNCTION"); });
}

// Keys enough that reading them takes a while, as each is made to take `delay` (in microseconds).
void make_slow_to_load(lab::control& control, const char* delay) {
   control.run({"CONFIG", "SET", "key-load-delay", delay});
   control.run({"EVAL", "for i=1,2000 do redis.call('set','filler'..i,string.rep('x',100)) end", "0"});
}

TEST(gates, a_server_that_loads_its_data_after_a_start_is_waited_for) {
   covers("2.16a");
   server_fixture s(std::vector<std::string>{"save 3600 1000000", "loading-process-events-interval-bytes 1024"});
   ASSERT_EQ(s.redis().incr("n").value(), 1);
   {
      auto control = s.server();
      make_slow_to_load(control, "0");
      control.run({"SAVE"});
      control.run({"CONFIG", "SET", "key-load-delay", "500"});
      control.run({"CONFIG", "REWRITE"});
   }
   s.servers.node(0).kill();
   s.servers.node(0).start();
   s.settings.resend.budget.unlimited = true;
   auto control = [&] {
      std::optional<lab::control> c;
      lab::await(
         "it listens",
         [&] {
            try {
               c.emplace(s.server());
               return true;
            } catch (const lab::control_error&) {
               return false;
            }
         },
         5s);
      return std::move(*c);
   }();
   lab::await("it is loading", [&] { return control.ask({"GET", "n"}).text.starts_with("LOADING"); }, 5s);
   expect_reply(s.once({"INCR", "n"}), "LOADING ", reply_class::loading, outcome::not_executed);
   const auto passed = s.redis().incr("n");
   ASSERT_TRUE(passed) << passed.error().what() << s.heard.text();
   EXPECT_EQ(*passed, 2);
   EXPECT_GE(s.heard.count("resent", "LOADING"), 1U) << s.heard.text();
   EXPECT_EQ(s.stored("n"), "2");
}

TEST(gates, a_node_in_its_full_resync_says_loading_and_is_waited_for) {
   covers("2.16b");
   server_fixture s(lab::deployment_options{
      .replicas = 0,
      .sentinels = 0,
      .node_config = {"repl-diskless-load disabled", "loading-process-events-interval-bytes 1024", "save \"\""}});
   lab::deployment source({.replicas = 0, .sentinels = 0, .node_config = {"repl-diskless-sync-delay 0"}});
   auto filler = source.node(0).connect();
   make_slow_to_load(filler, "0");
   s.redis();
   auto control = s.server();
   control.run({"CONFIG", "SET", "key-load-delay", "500"});
   const endpoint from = source.node(0).own_address();
   control.run({"REPLICAOF", from.host, std::to_string(from.port)});
   lab::await("it is loading", [&] { return control.ask({"GET", "n"}).text.starts_with("LOADING"); }, 10s);
   expect_reply(s.once({"GET", "n"}), "LOADING ", reply_class::loading, outcome::not_executed);
   const auto passed = s.redis().get("filler1");
   ASSERT_TRUE(passed) << passed.error().what() << s.heard.text();
   EXPECT_EQ(passed.value().value().size(), 100U);
   EXPECT_EQ(s.heard.count("connection_lost"), 0U) << s.heard.text();
}

void await_state(lab::control& control, const char* state) {
   lab::await(
      std::string("the cluster is ") + state,
      [&] {
         return control.run({"CLUSTER", "INFO"}).text.find(std::string("cluster_state:") + state) != std::string::npos;
      },
      10s);
}

// Until the node `here` knows the other one, whose id that is.
void join(lab::control& here, cluster_fixture& other, const std::string& other_id) {
   here.run_all({other.meet()});
   lab::await(
      "they know each other",
      [&] {
         const std::string nodes = here.run({"CLUSTER", "NODES"}).text;
         return nodes.find(other_id) != std::string::npos && nodes.find("handshake") == std::string::npos;
      },
      10s);
}

std::string slot_of(lab::control& control, const char* key) {
   return std::to_string(control.run({"CLUSTER", "KEYSLOT", key}).integer);
}

TEST(gates, a_cluster_that_does_not_serve_the_slot_is_waited_for) {
   covers("2.8c");
   cluster_fixture s;
   auto control = s.server();
   control.run({"CONFIG", "SET", "cluster-require-full-coverage", "no"});
   // A slot that another key is in.
   control.run({"CLUSTER", "ADDSLOTS", slot_of(control, "other")});
   await_state(control, "ok");
   expect_gate(s, "CLUSTERDOWN Hash slot not served", reply_class::try_again, way::stays,
               [&] { control.run({"CLUSTER", "ADDSLOTS", slot_of(control, "gated")}); });
}

TEST(gates, a_cluster_that_is_down_is_waited_for) {
   covers("2.8d");
   cluster_fixture s;
   auto control = s.server();
   control.run({"CLUSTER", "ADDSLOTS", slot_of(control, "gated")});
   expect_gate(s, "CLUSTERDOWN The cluster is down", reply_class::try_again, way::stays,
               [&] { control.run({"CONFIG", "SET", "cluster-require-full-coverage", "no"}); });
}

TEST(gates, a_cluster_that_only_reads_refuses_writes) {
   covers("2.8e");
   cluster_fixture s;
   auto control = s.server();
   control.run({"CONFIG", "SET", "cluster-allow-reads-when-down", "yes"});
   control.run({"CLUSTER", "ADDSLOTS", slot_of(control, "gated")});
   EXPECT_TRUE(s.redis().get("gated"));
   expect_gate(s, "CLUSTERDOWN The cluster is down and only accepts read commands", reply_class::try_again, way::stays,
               [&] { control.run({"CONFIG", "SET", "cluster-require-full-coverage", "no"}); });
}

TEST(gates, what_is_another_nodes_is_told_at_once) {
   covers("2.8a", "2.8f", "2.8g", "2.8h");
   cluster_fixture s;
   cluster_fixture t;
   auto here = s.server();
   auto there = t.server();
   const std::string other_id = there.run({"CLUSTER", "MYID"}).text;
   here.run_all(
      {{"CONFIG", "SET", "cluster-require-full-coverage", "no"}, {"CLUSTER", "ADDSLOTS", slot_of(here, "mine")}});
   join(here, t, other_id);
   here.run({"CLUSTER", "SETSLOT", slot_of(here, "theirs"), "NODE", other_id});
   await_state(here, "ok");
   expect_told_at_once(s, {"MGET", "mine", "theirs"}, "CROSSSLOT", reply_class::moved);
   expect_told_at_once(s, {"INCR", "theirs"}, "MOVED ", reply_class::moved);
   // The slot of "mine" moves over, and has no such key here any more.
   here.run({"CLUSTER", "SETSLOT", slot_of(here, "mine"), "MIGRATING", other_id});
   expect_told_at_once(s, {"INCR", "mine"}, "ASK ", reply_class::moved);
   const std::vector<command> list{{"MULTI"}, {"INCR", "theirs"}, {"EXEC"}};
   const auto replies = s.redis().run(list);
   ASSERT_TRUE(failed_as(replies[2], outcome::not_executed));
   EXPECT_EQ(s.heard.text(), "");
   // A slot that leaves between the commands and their EXEC: the plain MOVED, and nothing was done.
   here.run({"CLUSTER", "SETSLOT", slot_of(here, "mine"), "STABLE"});
   auto queued = s.server();
   queued.run_all({{"MULTI"}, {"INCR", "mine"}});
   here.run({"CLUSTER", "SETSLOT", slot_of(here, "mine"), "NODE", other_id});
   const std::string text = queued.ask({"EXEC"}).text;
   EXPECT_TRUE(text.starts_with("MOVED ")) << text;
   EXPECT_EQ(impl::classify_error(text, false, true, true),
             (impl::reply_proof{reply_class::moved, outcome::not_executed}));
   EXPECT_EQ(here.run({"DBSIZE"}).integer, 0);
}

TEST(gates, keys_of_a_slot_that_is_on_the_move_are_waited_for) {
   covers("2.8b");
   cluster_fixture s;
   cluster_fixture t;
   auto here = s.server();
   auto there = t.server();
   const std::string other_id = there.run({"CLUSTER", "MYID"}).text;
   here.run_all(
      {{"CONFIG", "SET", "cluster-require-full-coverage", "no"}, {"CLUSTER", "ADDSLOTS", slot_of(here, "{x}1")}});
   join(here, t, other_id);
   await_state(here, "ok");
   ASSERT_TRUE(s.redis().set("{x}1", "one"));
   here.run({"CLUSTER", "SETSLOT", slot_of(here, "{x}1"), "MIGRATING", other_id});
   const command half_there{"MSET", "{x}1", "a", "{x}2", "b"};
   expect_reply(s.once(half_there), "TRYAGAIN", reply_class::try_again, outcome::not_executed);
   EXPECT_EQ(s.stored("{x}1"), "one");
   s.heard.forget();
   meanwhile settled([&] {
      s.heard.await("resent", "TRYAGAIN");
      here.run({"CLUSTER", "SETSLOT", slot_of(here, "{x}1"), "STABLE"});
   });
   EXPECT_TRUE(s.redis().run(half_there)) << s.heard.text();
   EXPECT_EQ(s.stored("{x}1"), "a");
   EXPECT_EQ(s.heard.count("connection_lost"), 0U) << s.heard.text();
}

TEST_F(connections_at_one_server, a_subscribed_connection_is_none_of_the_clients) {
   covers("2.14");
   auto subscriber = s.server();
   subscriber.ask({"SUBSCRIBE", "c"});
   const std::string text = subscriber.ask({"GET", "k"}).text;
   EXPECT_EQ(impl::classify_error(text, false, false, true),
             (impl::reply_proof{reply_class::deterministic, outcome::not_executed}))
      << text;
   EXPECT_TRUE(text.starts_with("ERR Can't execute 'get'")) << text;
   const auto r = s.redis().run({"SUBSCRIBE", "c"});
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::not_supported));
}

TEST_F(connections_at_one_server, a_replicas_own_link_is_none_of_the_clients) {
   covers("2.18", "3.15c");
   auto link = s.server();
   EXPECT_EQ(link.run({"REPLCONF", "capa", "eof"}).text, "OK");
   for (const char* name : {"SYNC", "PSYNC", "REPLCONF"}) {
      const auto r = s.redis().run({name, "?", "-1"});
      ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::not_supported)) << name;
   }
   EXPECT_EQ(s.server().info("replication", "connected_slaves"), "0");
   s.server().run({"REPLICAOF", "127.0.0.1", "1"});
   const std::string text = link.ask({"PSYNC", "?", "-1"}).text;
   EXPECT_TRUE(text.starts_with("NOMASTERLINK")) << text;
   EXPECT_EQ(impl::classify_error(text, false, false, true),
             (impl::reply_proof{reply_class::deterministic, outcome::not_executed}));
}

TEST_F(connections_watched, clients_that_use_too_much_memory_are_evicted_without_a_word) {
   covers("2.9");
   client& redis = s.redis();
   redis.set("k", "v").value();
   control.run({"CLIENT", "NO-EVICT", "on"});
   control.run({"CONFIG", "SET", "maxmemory-clients", "1mb"});
   // The list's own replies fill the buffers of this connection: the server ends it between two of them.
   redis.set("big", std::string(400'000, 'x')).value();
   std::vector<command> list;
   for (int i = 0; i < 20; ++i) list.push_back({"GET", "big"});
   s.heard.forget();
   meanwhile relief([&] {
      s.heard.await("connection_lost", "");
      control.run({"CONFIG", "SET", "maxmemory-clients", "0"});
   });
   const auto replies = redis.run(list);
   for (const auto& r : replies) {
      ASSERT_TRUE(r) << r.error().what() << s.heard.text();
      EXPECT_EQ(r->text().size(), 400'000U);
   }
   EXPECT_NE(control.info("stats", "evicted_clients"), "0");
   EXPECT_GE(s.heard.count("resent"), 1U) << s.heard.text();
}

}  // namespace
}  // namespace holdfast::catalogue
