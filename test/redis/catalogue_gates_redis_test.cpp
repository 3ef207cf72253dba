// Rows of the catalogue: what a server's state forbids, and what the client then does. The server is in that state when
// the command comes, and leaves it while the client waits.
#include "catalogue/server_fixture.hpp"

#include <filesystem>

namespace holdfast::catalogue {
namespace {

struct gates_at_one_server : one_server {};
struct gates_watched : one_watched_server {};

TEST_F(gates_watched, a_pause_of_writes_delays_them_and_lets_reads_through) {
   covers("2.1a");
   s.redis().set("k", "v").value();
   control.run({"CLIENT", "PAUSE", "60000", "WRITE"});
   EXPECT_EQ(s.redis().get("k", {.deadline = 2s}).value(), "v");
   meanwhile unpause([&] {
      lab::await("the write is held back", [&] { return control.info("clients", "blocked_clients") == "1"; }, 5s);
      control.run({"CLIENT", "UNPAUSE"});
   });
   EXPECT_EQ(s.redis().incr("n").value(), 1);
   EXPECT_EQ(s.stored("n"), "1");
   EXPECT_EQ(s.heard.text(), "") << "a pause is no failure";
}

TEST_F(gates_watched, a_paused_write_that_meets_a_demotion_is_refused_and_then_goes_to_a_master) {
   covers("2.1b");
   s.redis();
   control.run({"CLIENT", "PAUSE", "60000", "WRITE"});
   meanwhile demotion([&] {
      lab::await("the write is held back", [&] { return control.info("clients", "blocked_clients") == "1"; }, 5s);
      control.run_all({{"REPLICAOF", "127.0.0.1", "1"}, {"CLIENT", "UNPAUSE"}});
      s.heard.await("resent", "READONLY");
      control.run({"REPLICAOF", "NO", "ONE"});
   });
   EXPECT_EQ(s.redis().incr("n").value(), 1);
   EXPECT_GE(s.heard.count("connection_lost", "READONLY"), 1U) << s.heard.text();
}

TEST_F(gates_at_one_server, what_no_server_ever_runs_is_told_at_once) {
   covers("2.2a", "2.3");
   expect_told_at_once(s, {"NOSUCHCOMMAND", "k"}, "ERR unknown command", reply_class::unknown_command);
   expect_told_at_once(s, {"CONFIG", "NOSUCH"}, "ERR unknown subcommand", reply_class::unknown_command);
   expect_told_at_once(s, {"SET", "k"}, "ERR wrong number of arguments", reply_class::deterministic);
   EXPECT_EQ(s.stored("k"), "(nil)");
}

TEST(gates, a_command_that_was_renamed_away_is_told_at_once) {
   covers("2.2b");
   server_fixture s(std::vector<std::string>{"rename-command APPEND \"\""});
   expect_told_at_once(s, {"APPEND", "k", "x"}, "ERR unknown command", reply_class::unknown_command);
   EXPECT_EQ(s.stored("k"), "(nil)");
}

TEST(gates, debug_where_it_is_not_allowed_is_told_at_once) {
   covers("2.4");
   server_fixture s(std::vector<std::string>{"enable-debug-command no", "enable-module-command no"});
   expect_told_at_once(s, {"DEBUG", "POPULATE", 5}, "ERR DEBUG command not allowed", reply_class::deterministic);
   expect_told_at_once(s, {"MODULE", "LOAD", "/x"}, "ERR MODULE command not allowed", reply_class::deterministic);
   EXPECT_EQ(s.server().run({"DBSIZE"}).integer, 0);
   EXPECT_TRUE(s.server().run({"MODULE", "LIST"}).elements.empty());
}

// Whoever is in stays in: a password that is set later concerns connections that are made later. So NOAUTH is met in
// the handshake alone, and there only where HELLO is not to be had, which says it in other words.
TEST(gates, noauth_is_told_at_once_and_an_open_connection_never_hears_it) {
   covers("2.5");
   server_fixture s(std::vector<std::string>{"rename-command HELLO \"\""});
   client& earlier = s.redis();
   s.server().run({"CONFIG", "SET", "requirepass", "secret"});
   EXPECT_EQ(earlier.incr("n").value(), 1);
   EXPECT_EQ(s.heard.text(), "");
   client later(s.settings);
   const auto refused = later.run({"INCR", "n"});
   expect_reply(refused, "NOAUTH Authentication required", reply_class::not_authenticated, outcome::not_executed);
   EXPECT_EQ(refused.error().code(), errc::authentication_failed);
   EXPECT_EQ(s.heard.count("dial_failed"), 1U) << s.heard.text();
   EXPECT_EQ(earlier.get("n").value(), "1");
}

TEST_F(gates_at_one_server, a_command_that_is_not_allowed_in_a_transaction_aborts_it_whole) {
   covers("2.6", "3.5a");
   const std::vector<command> list{{"MULTI"}, {"INCR", "n"}, {"SHUTDOWN", "ABORT"}, {"EXEC"}};
   const auto replies = s.redis().run(list);
   ASSERT_FALSE(replies[3]);
   expect_reply(replies[3], "EXECABORT", reply_class::aborted, outcome::not_executed, false, true);
   EXPECT_EQ(s.stored("n"), "(nil)");
   EXPECT_EQ(s.heard.text(), "");
}

TEST_F(gates_at_one_server, a_user_without_permission_is_told_at_once) {
   covers("2.7a");
   s.server().run({"ACL", "SETUSER", "default", "-incr", "resetkeys", "~open*"});
   expect_told_at_once(s, {"INCR", "open"}, "NOPERM", reply_class::no_permission);
   expect_told_at_once(s, {"SET", "closed", 1}, "NOPERM", reply_class::no_permission);
   s.server().run({"ACL", "SETUSER", "default", "allkeys"});
   EXPECT_EQ(s.stored("open"), "(nil)");
   EXPECT_EQ(s.stored("closed"), "(nil)");
}

TEST_F(gates_watched, a_full_memory_refuses_what_needs_memory_and_is_asked_three_times) {
   covers("2.10a", "2.10b");
   s.redis().set("full", std::string(100'000, 'x')).value();
   control.run({"CONFIG", "SET", "maxmemory", "1"});
   const auto refused = s.redis().incr("gated", {.deadline = 30s});
   ASSERT_FALSE(refused);
   EXPECT_EQ(refused.error().server_text.substr(0, 4), "OOM ");
   EXPECT_EQ(refused.error().attempts, 4U) << "after three refusals more, the caller hears of it";
   EXPECT_EQ(s.redis().get("full").value()->size(), 100'000U);
   EXPECT_EQ(s.redis().del("full").value(), 1) << "what frees memory is not refused";
   expect_gate(s, "OOM command not allowed", reply_class::out_of_memory, way::stays,
               [&] { control.run({"CONFIG", "SET", "maxmemory", "0"}); });
}

TEST(gates, a_snapshot_that_fails_stops_writes_and_ping_and_the_client_leaves_the_node) {
   covers("2.11a");
   server_fixture s(std::vector<std::string>{"save 3600 1000000"});
   auto control = s.server();
   // A folder where the snapshot is to be put.
   const auto obstacle = s.servers.folder() / s.servers.node(0).name() / "dump.rdb";
   std::filesystem::create_directory(obstacle);
   const auto snapshot = [&](const char* status) {
      control.ask({"BGSAVE"});
      lab::await(
         "the snapshot ended",
         [&] {
            return control.info("persistence", "rdb_bgsave_in_progress") == "0" &&
                   control.info("persistence", "rdb_last_bgsave_status") == status;
         },
         5s);
   };
   s.redis().set("k", "v").value();
   snapshot("err");
   EXPECT_EQ(control.ask({"PING"}).text.substr(0, 7), "MISCONF");
   EXPECT_EQ(s.redis().get("k").value(), "v") << "reads go on";
   expect_gate(s, "MISCONF ", reply_class::misconf, way::leaves, [&] {
      std::filesystem::remove(obstacle);
      snapshot("ok");
   });
}

TEST(gates, an_append_only_file_that_cannot_be_written_stops_writes) {
   covers("2.11b");
   server_fixture s(std::vector<std::string>{"appendfsync everysec"});
   auto control = s.server();
   // The file that is written while the first rewrite goes on leads to a device that is always full.
   const auto folder = s.servers.folder() / s.servers.node(0).name() / "appendonlydir";
   std::filesystem::create_directory(folder);
   std::filesystem::create_symlink("/dev/full", folder / "temp-appendonly.aof.incr");
   control.run({"CONFIG", "SET", "appendonly", "yes"});
   lab::await("the rewrite ended", [&] { return control.info("persistence", "aof_rewrite_in_progress") == "0"; }, 5s);
   s.redis().set("first", "acknowledged").value();
   lab::await("the write failed", [&] { return control.info("persistence", "aof_last_write_status") == "err"; }, 5s);
   expect_gate(s, "MISCONF Errors writing to the AOF file", reply_class::misconf, way::leaves,
               [&] { control.run({"CONFIG", "SET", "appendonly", "no"}); });
}

TEST_F(gates_watched, too_few_replicas_are_waited_for_on_the_same_connection) {
   covers("2.12");
   control.run({"CONFIG", "SET", "min-replicas-to-write", "1"});
   expect_gate(s, "NOREPLICAS Not enough good replicas", reply_class::no_replicas, way::stays,
               [&] { control.run({"CONFIG", "SET", "min-replicas-to-write", "0"}); });
}

TEST_F(gates_watched, a_demoted_master_is_left) {
   covers("2.13a");
   s.redis();
   control.run({"REPLICAOF", "127.0.0.1", "1"});
   expect_gate(s, "READONLY You can't write", reply_class::readonly, way::leaves,
               [&] { control.run({"REPLICAOF", "NO", "ONE"}); });
}

TEST(gates, a_writable_replica_takes_writes_that_will_be_lost_without_a_word) {
   covers("2.13b");
   server_fixture s(std::vector<std::string>{"replica-read-only no"});
   auto control = s.server();
   control.run({"REPLICAOF", "127.0.0.1", "1"});
   // Without Sentinels nothing names a master, so nothing forbids it: that is why the role is asked where they do.
   EXPECT_EQ(s.redis().incr("n").value(), 1);
   EXPECT_EQ(control.role(), "slave");
}

TEST(gates, a_replica_that_lost_its_master_and_serves_nothing_stale_is_left) {
   covers("2.15");
   server_fixture s(std::vector<std::string>{"replica-serve-stale-data no"});
   s.redis().set("k", "v").value();
   auto control = s.server();
   control.run({"REPLICAOF", "127.0.0.1", "1"});
   EXPECT_EQ(control.ask({"PING"}).text.substr(0, 10), "MASTERDOWN");
   expect_reply(s.once({"GET", "k"}), "MASTERDOWN Link with MASTER is down", reply_class::master_down,
                outcome::not_executed);
   expect_reply(s.once({"INCR", "n"}), "READONLY", reply_class::readonly, outcome::not_executed);
   s.heard.forget();
   meanwhile promotion([&] {
      s.heard.await("connection_lost", "MASTERDOWN", 2);
      control.run({"REPLICAOF", "NO", "ONE"});
   });
   EXPECT_EQ(s.redis().get("k").value(), "v") << s.heard.text();
}

// A replica ignores maxmemory unless it is told not to, and then READONLY is all that is heard.
TEST_F(gates_watched, a_full_node_that_was_demoted_says_oom_first_if_replicas_heed_their_memory) {
   covers("2.19");
   s.redis();
   control.run_all({{"CONFIG", "SET", "maxmemory", "1"}, {"REPLICAOF", "127.0.0.1", "1"}});
   expect_reply(s.once({"INCR", "n"}), "READONLY", reply_class::readonly, outcome::not_executed);
   control.run({"CONFIG", "SET", "replica-ignore-maxmemory", "no"});
   expect_reply(s.once({"INCR", "n"}), "OOM ", reply_class::out_of_memory, outcome::not_executed);
   s.heard.forget();
   meanwhile recovery([&] {
      s.heard.await("resent", "OOM");
      control.run({"CONFIG", "SET", "maxmemory", "0"});
      s.heard.await("resent", "READONLY");
      control.run({"REPLICAOF", "NO", "ONE"});
   });
   EXPECT_EQ(s.redis().incr("n").value(), 1) << s.heard.text();
}

}  // namespace
}  // namespace holdfast::catalogue
