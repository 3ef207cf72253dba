// Rows of the catalogue that need a failover by real Sentinels.
#include "catalogue/server_fixture.hpp"
#include "failed_as.hpp"

namespace holdfast::catalogue {
namespace {

// The client was at node 0 and is to be failed over to node 1.
struct failover_fixture {
   explicit failover_fixture(lab::deployment_options o = {}) : servers(with_one_replica(std::move(o))) {
      settings.deadline = 30s;
      settings.observer = heard.ear();
   }
   static lab::deployment_options with_one_replica(lab::deployment_options o) {
      o.replicas = 1;
      return o;
   }
   lab::deployment servers;
   story heard;
   config settings = config::from_uri(servers.uri()).value();
};

TEST(sentinels, promote_a_node_that_knows_no_scripts_but_functions_and_has_users_of_its_own) {
   covers("2.7b", "3.2b", "3.17c");
   failover_fixture s({.node_login = {.username = "app", .password = "secret"}});
   lab::server& next = s.servers.node(1);
   client redis(s.settings);
   const std::string script = "return redis.call('incr', KEYS[1])";
   const std::string sha = redis.run({"SCRIPT", "LOAD", script}).value().as<std::string>();
   const std::string library =
      "#!lua name=counter\nredis.register_function('count', function(keys) return redis.call('incr', keys[1]) end)";
   redis.run({"FUNCTION", "LOAD", library}).value();
   ASSERT_EQ(redis.run({"EVALSHA", sha, 1, "n"}).value().integer(), 1);
   lab::await("the replica has it", [&] { return next.connect().run({"GET", "n"}).text == "1"; }, 5s);
   next.connect().run({"ACL", "SETUSER", "app", "-decr"});
   auto sentinel = s.servers.sentinel(0).connect();
   sentinel.run({"SENTINEL", "FAILOVER", "mymaster"});
   const std::string again = sentinel.ask({"SENTINEL", "FAILOVER", "mymaster"}).text;
   EXPECT_TRUE(again.starts_with("INPROG")) << again;
   lab::await("it is the master", [&] { return s.servers.named_master() == next.address(); }, 10s);

   const auto gone = redis.run({"EVALSHA", sha, 1, "n"});
   expect_reply(gone, "NOSCRIPT", reply_class::no_script, outcome::not_executed, true);
   EXPECT_EQ(gone.error().where, next.address()) << s.heard.text();
   EXPECT_EQ(redis.run({"FCALL", "count", 1, "n"}).value().integer(), 2);
   EXPECT_EQ(redis.run({"EVAL", script, 1, "n"}).value().integer(), 3);

   s.heard.forget();
   const auto forbidden = redis.run({"DECR", "d"});
   expect_reply(forbidden, "NOPERM", reply_class::no_permission, outcome::not_executed);
   EXPECT_EQ(forbidden.error().attempts, 2U) << forbidden.error().what();
   EXPECT_EQ(s.heard.count("resent", "NOPERM"), 1U) << s.heard.text();
   EXPECT_GE(s.heard.count("connection_lost", "NOPERM"), 1U) << s.heard.text();
   EXPECT_TRUE(next.connect().run({"GET", "d"}).is_nil());
}

TEST(sentinels, take_a_pause_of_writes_longer_than_down_after_for_a_death) {
   covers("2.1d");
   failover_fixture s;
   client redis(s.settings);
   ASSERT_TRUE(redis.set("k", "v"));
   lab::server& next = s.servers.node(1);
   s.servers.node(0).connect().run({"CLIENT", "PAUSE", "20000", "WRITE"});
   const auto r = redis.set("k", "w");
   ASSERT_TRUE(r) << r.error().what() << s.heard.text();
   EXPECT_EQ(next.connect().run({"GET", "k"}).text, "w") << s.heard.text();
   EXPECT_GE(s.heard.count("sentinel_said", "+sdown"), 1U) << s.heard.text();
   EXPECT_GE(s.heard.count("master_named", to_string(next.address())), 1U) << s.heard.text();
}

void expect_class(const std::string& text, std::string_view start, reply_class cls) {
   EXPECT_TRUE(text.starts_with(start)) << text;
   EXPECT_EQ(impl::classify_error(text, false, false, true), (impl::reply_proof{cls, outcome::not_executed})) << text;
}

TEST(sentinels, refuse_what_they_cannot_do_and_nothing_is_done) {
   covers("3.17a");
   lab::deployment d({.replicas = 0});
   auto control = d.sentinel(0).connect();
   expect_class(control.ask({"SENTINEL", "FAILOVER", "mymaster"}).text, "NOGOODSLAVE", reply_class::deterministic);
   d.sentinel(1).kill();
   d.sentinel(2).kill();
   const auto quorum = [&] { return control.ask({"SENTINEL", "CKQUORUM", "mymaster"}).text; };
   lab::await("the loss is noticed", [&] { return quorum().starts_with("NOQUORUM"); }, 10s);
   expect_class(quorum(), "NOQUORUM", reply_class::deterministic);
   EXPECT_EQ(d.node(0).connect().role(), "master");
}

TEST(sentinels, that_know_no_such_name_are_told_of_at_once) {
   covers("3.17b");
   lab::deployment d({.replicas = 0});
   const std::string text = d.sentinel(0).connect().ask({"SENTINEL", "MASTER", "nobody"}).text;
   EXPECT_EQ(impl::classify_error(text, false, false, true),
             (impl::reply_proof{reply_class::no_such_master, outcome::not_executed}))
      << text;
   config c = config::from_uri(d.uri()).value();
   c.master = "nobody";
   client redis(c);
   const auto r = redis.incr("n");
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::unknown_master));
   EXPECT_TRUE(d.node(0).connect().run({"GET", "n"}).is_nil());
}

}  // namespace
}  // namespace holdfast::catalogue
