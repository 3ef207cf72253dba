// Rows of the catalogue: errors from inside a command, and what they prove of it.
#include "catalogue/server_fixture.hpp"
#include "failed_as.hpp"

#include <filesystem>

namespace holdfast::catalogue {
namespace {

struct execution_at_one_server : one_server {};
struct execution_watched : one_watched_server {};

TEST(execution, a_commands_own_errors_are_told_at_once_and_nothing_was_done) {
   covers("3.1a", "3.1b", "3.1c", "3.1d", "3.1e", "3.1f", "3.1g", "3.1h");
   server_fixture s(std::vector<std::string>{"enable-debug-command local"});
   auto control = s.server();
   control.run_all({{"SET", "text", "t"},
                    {"RPUSH", "list", "a"},
                    {"XADD", "stream", "5-1", "f", "v"},
                    {"XGROUP", "CREATE", "stream", "g", "$"},
                    {"PFADD", "hll", "a"}});
   const std::string dump = control.run({"DUMP", "text"}).text;
   // A HyperLogLog whose header promises what its body has not.
   control.run({"SETRANGE", "hll", "16", std::string(40, '\xff')});
   const std::string before = control.run({"DEBUG", "DIGEST"}).text;
   const auto own = reply_class::deterministic;
   const auto there = reply_class::already_there;
   expect_told_at_once(s, {"LPUSH", "text", "x"}, "WRONGTYPE", own);
   expect_told_at_once(s, {"SET", "text", "x", "NX", "XX"}, "ERR syntax error", own);
   expect_told_at_once(s, {"INCR", "text"}, "ERR value is not an integer", own);
   expect_told_at_once(s, {"LSET", "list", 9, "x"}, "ERR index out of range", own);
   expect_told_at_once(s, {"XREADGROUP", "GROUP", "none", "c", "STREAMS", "stream", ">"}, "NOGROUP", own);
   expect_told_at_once(s, {"XGROUP", "CREATE", "stream", "g", "$"}, "BUSYGROUP", there);
   expect_told_at_once(s, {"RESTORE", "text", 0, dump}, "BUSYKEY", there);
   // PFADD finds this one while it adds.
   expect_reply(s.once({"PFCOUNT", "hll"}), "INVALIDOBJ", own, outcome::unknown);
   expect_told_at_once(s, {"XADD", "stream", "5-1", "f", "v"}, "ERR The ID specified in XADD is equal or smaller",
                       there);
   expect_told_at_once(s, {"RENAME", "none", "text"}, "ERR no such key", there);
   expect_told_at_once(s, {"LSET", "none", 0, "x"}, "ERR no such key", there);
   EXPECT_EQ(control.run({"DEBUG", "DIGEST"}).text, before);
}

// What a command says that finds its own first attempt done: no proof that it was its own.
TEST(execution, there_it_is_already_after_a_lost_reply_proves_nothing) {
   covers("3.1i", "4.8");
   server_fixture s(lab::deployment_options{.replicas = 0, .sentinels = 0, .proxy = true});
   auto control = s.server();
   control.run_all({{"SET", "from", "1"}, {"SET", "dumped", "1"}});
   const std::string dump = control.run({"DUMP", "dumped"}).text;
   const std::pair<command, const char*> cases[] = {
      {{"XGROUP", "CREATE", "s", "g", "$", "MKSTREAM"}, "BUSYGROUP"},
      {{"XADD", "s", "7-7", "f", "v"}, "ERR The ID specified in XADD is equal or smaller"},
      {{"RENAME", "from", "to"}, "ERR no such key"},
      {{"RESTORE", "copy", 0, dump}, "BUSYKEY"},
   };
   for (const auto& [sent, text] : cases) {
      s.redis();
      s.heard.forget();
      const std::size_t lost = s.servers.proxy()->cuts();
      s.servers.proxy()->lose_reply_to("\r\n" + std::string(sent.name()) + "\r\n");
      const auto r = s.redis().run(sent, {.delivery = delivery::at_least_once});
      EXPECT_EQ(s.servers.proxy()->cuts(), lost + 1) << text;
      ASSERT_TRUE(failed_as(r, outcome::unknown)) << text;
      EXPECT_EQ(r.error().attempts, 2U) << r.error().what();
      EXPECT_EQ(r.error().server_text.substr(0, std::string_view(text).size()), text);
      EXPECT_EQ(s.heard.count("fenced", "nothing sent on it can run"), 1U) << s.heard.text();
   }
   EXPECT_EQ(control.run({"XLEN", "s"}).integer, 1) << "the first attempt had done it";
   EXPECT_EQ(s.stored("to"), "1");
   EXPECT_EQ(s.stored("copy"), "1");
}

TEST_F(execution_at_one_server, a_script_that_is_not_there_is_the_callers_to_send) {
   covers("3.2a");
   const std::string script = "return redis.call('incr', KEYS[1])";
   const std::string sha = s.server().run({"SCRIPT", "LOAD", script}).text;
   EXPECT_EQ(s.redis().run({"EVALSHA", sha, 1, "n"}).value().integer(), 1);
   s.server().run({"SCRIPT", "FLUSH"});
   const auto r = s.redis().run({"EVALSHA", sha, 1, "n"});
   expect_reply(r, "NOSCRIPT No matching script", reply_class::no_script, outcome::not_executed, true);
   EXPECT_EQ(s.stored("n"), "1");
   EXPECT_EQ(s.redis().run({"EVAL", script, 1, "n"}).value().integer(), 2);
   EXPECT_EQ(s.heard.text(), "");
}

TEST_F(execution_at_one_server, a_script_that_fails_has_run_and_what_it_wrote_stays) {
   covers("3.3a");
   s.server().run({"SET", "text", "t"});
   const auto r =
      s.redis().run({"EVAL", "redis.call('incr', KEYS[1]) return redis.call('lpush', 'text', 'x')", 1, "n"});
   expect_reply(r, "WRONGTYPE", reply_class::script_failed, outcome::executed, true);
   EXPECT_EQ(s.stored("n"), "1") << "once: it was not sent again";
   EXPECT_EQ(s.heard.text(), "");
}

struct refusal {
   const char* text;
   reply_class cls;
   std::vector<std::vector<std::string>> close;
   std::vector<std::vector<std::string>> open;
};

std::vector<refusal> refusals() {
   return {
      {"READONLY", reply_class::readonly, {{"REPLICAOF", "127.0.0.1", "1"}}, {{"REPLICAOF", "NO", "ONE"}}},
      {"OOM", reply_class::out_of_memory, {{"CONFIG", "SET", "maxmemory", "1"}}, {{"CONFIG", "SET", "maxmemory", "0"}}},
      {"NOREPLICAS",
       reply_class::no_replicas,
       {{"CONFIG", "SET", "min-replicas-to-write", "1"}},
       {{"CONFIG", "SET", "min-replicas-to-write", "0"}}}};
}

// Makes the snapshot fail, and MISCONF with it.
refusal snapshot_fails(server_fixture& s) {
   std::filesystem::create_directory(s.servers.folder() / s.servers.node(0).name() / "dump.rdb");
   auto control = s.server();
   control.run({"BGSAVE"});
   lab::await(
      "the snapshot failed", [&] { return control.info("persistence", "rdb_last_bgsave_status") == "err"; }, 5s);
   return {"MISCONF",
           reply_class::misconf,
           {{"CONFIG", "SET", "stop-writes-on-bgsave-error", "yes"}},
           {{"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"}}};
}

// The outcome that each refusal has; `script` is refused from inside, or before it starts.
void expect_refusals(server_fixture& s, const command& script, std::optional<outcome> of_oom) {
   s.server().run({"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"});
   auto all = refusals();
   all.push_back(snapshot_fails(s));
   for (const refusal& r : all) {
      auto control = s.server();
      s.redis();
      control.run_all(r.close);
      const bool oom = r.cls == reply_class::out_of_memory;
      const auto refused = s.once(script);
      ASSERT_FALSE(refused) << r.text;
      EXPECT_TRUE(refused.error().server_text.starts_with(r.text)) << refused.error().what();
      EXPECT_EQ(refused.error().outcome, oom && of_oom ? *of_oom : outcome::not_executed) << refused.error().what();
      if (!oom || !of_oom) {
         EXPECT_EQ(impl::classify_error(refused.error().server_text, true, false, true),
                   (impl::reply_proof{r.cls, outcome::not_executed}))
            << refused.error().what();
      }
      control.run_all(r.open);
      EXPECT_EQ(s.stored("n"), "(nil)") << r.text;
   }
   // And once more, with time enough to see the gate open.
   auto control = s.server();
   control.run_all(all[2].close);
   s.heard.forget();
   meanwhile opener([&] {
      s.heard.await("resent", "NOREPLICAS");
      control.run_all(all[2].open);
   });
   EXPECT_TRUE(s.redis().run(script)) << s.heard.text();
   EXPECT_EQ(s.stored("n"), "1");
}

TEST(execution, a_gate_inside_a_script_that_has_written_nothing_proves_that_it_did_not_run) {
   covers("3.3b");
   server_fixture s(std::vector<std::string>{"save 3600 1000000"});
   expect_refusals(s, {"EVAL", "return redis.call('incr', KEYS[1])", 1, "n"}, std::nullopt);
}

// OOM is the exception: the same words may be those that the script handed on, after it has deleted something.
TEST(execution, a_gate_before_a_script_that_declares_its_flags_proves_the_same_but_for_oom) {
   covers("3.3c");
   server_fixture s(std::vector<std::string>{"save 3600 1000000"});
   expect_refusals(s, {"EVAL", "#!lua\nreturn redis.call('incr', KEYS[1])", 1, "n"}, outcome::unknown);
}

TEST_F(execution_watched, a_transaction_that_meets_a_gate_runs_whole_when_it_opens) {
   covers("3.5b");
   const std::vector<command> list{{"MULTI"}, {"INCR", "n"}, {"INCR", "n"}, {"EXEC"}};
   s.redis();
   control.run({"REPLICAOF", "127.0.0.1", "1"});
   config impatient = s.settings;
   impatient.resend.max_resends = 0;
   const auto refused = client(impatient).run(list);
   ASSERT_TRUE(failed_as(refused[3], outcome::not_executed));
   EXPECT_TRUE(refused[3].error().server_text.starts_with("EXECABORT")) << refused[3].error().what();
   s.heard.forget();
   meanwhile promotion([&] {
      s.heard.await("resent", "EXECABORT");
      control.run({"REPLICAOF", "NO", "ONE"});
   });
   const auto replies = s.redis().run(list);
   ASSERT_TRUE(replies[3]) << replies[3].error().what();
   EXPECT_EQ(replies[3]->as<std::vector<int>>(), (std::vector<int>{1, 2}));
   EXPECT_EQ(s.stored("n"), "2");
   EXPECT_GE(s.heard.count("connection_lost"), 1U) << s.heard.text();
}

// The server lets EVAL into the transaction and carries EXEC out: only what the script wants to write meets the gate.
TEST_F(execution_at_one_server, a_transaction_whose_script_meets_a_gate_runs_when_it_opens) {
   covers("3.5b");
   const std::vector<command> list{
      {"MULTI"}, {"GET", "n"}, {"EVAL", "return redis.call('incr', KEYS[1])", 1, "n"}, {"EXEC"}};
   s.redis();
   for (const refusal& r : refusals()) {
      if (r.cls == reply_class::out_of_memory) continue;  // refused when it is queued
      auto control = s.server();
      control.run({"DEL", "n"});
      control.run_all(r.close);
      config impatient = s.settings;
      impatient.resend.max_resends = 0;
      impatient.observer = {};
      const auto as_it_came = client(impatient).run(list);
      ASSERT_TRUE(as_it_came[3]) << as_it_came[3].error().what();
      EXPECT_TRUE((*as_it_came[3])[1].is_error() && (*as_it_came[3])[1].text().starts_with(r.text));
      s.heard.forget();
      meanwhile opener([&] {
         s.heard.await("resent", r.text);
         control.run_all(r.open);
      });
      const auto replies = s.redis().run(list);
      ASSERT_TRUE(replies[3]) << replies[3].error().what();
      EXPECT_EQ((*replies[3])[1].integer(), 1) << r.text;
      EXPECT_EQ(s.stored("n"), "1");
   }
}

TEST_F(execution_watched, nothing_of_a_transaction_runs_where_multi_is_forbidden) {
   control.run({"ACL", "SETUSER", "u", "on", ">p", "~*", "+@all", "-multi"});
   config theirs = s.settings;
   theirs.username = "u";
   theirs.password = "p";
   client redis(theirs);
   const std::vector<command> list{{"MULTI"}, {"DECRBY", "from", 10}, {"INCRBY", "to", 10}, {"EXEC"}};
   const auto replies = redis.run(list);
   ASSERT_TRUE(failed_as(replies[3], outcome::not_executed));
   EXPECT_TRUE(replies[3].error().server_text.starts_with("NOPERM")) << replies[3].error().what();
   EXPECT_EQ(s.stored("from") + s.stored("to"), "(nil)(nil)");
   EXPECT_TRUE(redis.run({"GET", "from"}));
   control.run({"ACL", "SETUSER", "u", "+multi"});
   EXPECT_TRUE(redis.run(list)[3]);
   control.run({"ACL", "SETUSER", "u", "-multi"});
   const auto late = redis.run(list);  // the connection was allowed to
   ASSERT_TRUE(failed_as(late[3], outcome::executed));
   EXPECT_EQ(redis.run(list)[3].error().outcome, outcome::not_executed);
   EXPECT_EQ(s.stored("from") + s.stored("to"), "-2020");
}

TEST_F(execution_at_one_server, watch_is_refused_and_an_exec_that_finds_a_change_answers_nil) {
   covers("3.6");
   auto one = s.server();
   one.run_all({{"WATCH", "k"}, {"MULTI"}, {"INCR", "n"}});
   EXPECT_TRUE(s.redis().set("k", "changed"));
   EXPECT_TRUE(one.ask({"EXEC"}).is_nil());
   EXPECT_EQ(s.stored("n"), "(nil)");
   const auto r = s.redis().run({"WATCH", "k"});
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::not_supported));
}

TEST_F(execution_at_one_server, errors_among_the_replies_of_a_transaction_are_values) {
   covers("3.7");
   s.server().run({"SET", "text", "t"});
   const std::vector<command> list{{"MULTI"}, {"INCR", "n"}, {"LPUSH", "text", "x"}, {"INCR", "n"}, {"EXEC"}};
   const auto replies = s.redis().run(list);
   ASSERT_TRUE(replies[4]) << replies[4].error().what();
   ASSERT_EQ(replies[4]->size(), 3U);
   EXPECT_TRUE((*replies[4])[1].is_error());
   EXPECT_EQ((*replies[4])[2].integer(), 2);
   EXPECT_EQ(s.stored("n"), "2");
   EXPECT_EQ(s.heard.text(), "");
}

TEST_F(execution_at_one_server, what_cannot_be_said_to_a_server_in_this_state_is_told_at_once) {
   covers("3.12a", "3.15a", "3.16");
   expect_told_at_once(s, {"SCRIPT", "KILL"}, "NOTBUSY", reply_class::deterministic);
   expect_told_at_once(s, {"FAILOVER"}, "ERR FAILOVER requires connected replicas", reply_class::deterministic);
   EXPECT_EQ(s.server().run({"ROLE"}).elements.at(0).text, "master") << "nothing was begun";
   s.server().run({"REPLICAOF", "127.0.0.1", "1"});
   const auto r = s.once({"WAIT", 1, 100});
   expect_reply(r, "ERR WAIT cannot be used with replica instances", reply_class::demoted, outcome::not_executed);
}

TEST_F(execution_at_one_server, an_io_error_of_migrate_leaves_its_outcome_unknown) {
   covers("3.13");
   s.server().run({"SET", "k", "v"});
   const auto r = s.redis().run({"MIGRATE", "127.0.0.1", 1, "k", 0, 200});
   expect_reply(r, "IOERR", reply_class::io_error, outcome::unknown);
   EXPECT_EQ(r.error().attempts, 1U);
   EXPECT_EQ(s.stored("k"), "v");
}

}  // namespace
}  // namespace holdfast::catalogue
