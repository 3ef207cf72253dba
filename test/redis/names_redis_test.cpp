// Names, in front of real servers: what a client does when they fail, go silent, resolve to addresses that lead nowhere
// or to other ones than before.
#include "lab/deployment.hpp"
#include "lab/name_server.hpp"
#include "lab/silent_listener.hpp"
#include "runtime/poll/loop.hpp"
#include "runtime/shared/resolver.hpp"

#include <holdfast/holdfast.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using lab::clock;
using about = lab::name_server::about;
using says = lab::name_server::says;

class names : public testing::Test {
 protected:
   static void SetUpTestSuite() { world_ = new lab::deployment({.replicas = 0, .sentinels = 0}); }
   static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

   names() {
      settings_.name_servers = server_.address();
      settings_.server = {"redis.test", node().own_address().port};
      settings_.deadline = 5s;
      settings_.observer = [this](const any_event& e) {
         if (const auto* failed = std::get_if<event::dial_failed>(&e)) failures_.push_back(failed->why);
      };
   }

   lab::server& node() { return world_->node(0); }
   void kill_connections() { node().connect().run({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}); }
   static lab::deployment* world_;
   lab::name_server server_;
   config settings_;
   std::vector<std::string> failures_;
};

lab::deployment* names::world_ = nullptr;

TEST_F(names, go_on_to_the_next_address_when_the_first_refuses) {
   server_.resolve("redis.test", {"127.0.0.2", "127.0.0.3", "127.0.0.1"});
   client redis(settings_);
   for (int i = 0; i < 4; ++i) {
      const auto begin = clock::now();
      EXPECT_TRUE(redis.set("k", "v"));
      EXPECT_LT(clock::now() - begin, 500ms);
      kill_connections();
   }
   EXPECT_TRUE(failures_.empty()) << "one dial tries all that refuse: " << failures_[0];
}

TEST_F(names, go_on_to_the_next_address_when_the_first_is_silent) {
   for (const bool at_the_connect : {true, false}) {
      failures_.clear();
      const lab::silent_listener deaf({"127.0.0.2", node().own_address().port}, at_the_connect);
      server_.resolve("redis.test", {"127.0.0.2", "127.0.0.1"});
      settings_.connect_timeout = 200ms;
      client redis(settings_);
      const auto begin = clock::now();
      EXPECT_TRUE(redis.set("k", "v"));
      EXPECT_LT(clock::now() - begin, 2s);
      EXPECT_EQ(failures_.size(), 1U);
      kill_connections();
      EXPECT_TRUE(redis.set("k", "v"));
      EXPECT_EQ(failures_.size(), 1U) << "the address that answered is the first to be tried again";
   }
}

TEST_F(names, say_at_the_deadline_why_nothing_was_sent) {
   settings_.deadline = 300ms;
   server_.fail("broken.test");
   server_.be_silent("silent.test");
   for (const char* name : {"missing.test", "broken.test", "silent.test"}) {
      settings_.server.host = name;
      client redis(settings_);
      const auto begin = clock::now();
      const auto r = redis.incr("never");
      EXPECT_LT(clock::now() - begin, 600ms);
      ASSERT_FALSE(r);
      EXPECT_EQ(r.error().code(), name == "silent.test"s ? errc::deadline_exceeded : errc::no_master);
      EXPECT_EQ(r.error().outcome, outcome::not_executed);
      EXPECT_NE(r.error().what().find(name), std::string::npos) << r.error().what();
   }
   EXPECT_EQ(node().connect().run({"EXISTS", "never"}).integer, 0);
}

TEST_F(names, that_come_back_are_found_within_a_second) {
   const std::function<void()> ways[] = {[&] { server_.forget("redis.test"); }, [&] { server_.fail("redis.test"); },
                                         [&] { server_.be_silent("redis.test"); }};
   for (const auto& fail : ways) {
      fail();
      settings_.deadline = 400ms;
      client redis(settings_);
      EXPECT_FALSE(redis.ping());
      server_.resolve("redis.test", {"127.0.0.1"});
      const auto begin = clock::now();
      EXPECT_TRUE(redis.run({"PING"}, {.deadline = 5s}));
      EXPECT_LT(clock::now() - begin, 1500ms);
   }
}

TEST_F(names, that_fail_leave_the_last_good_addresses_in_use) {
   const std::function<void()> ways[] = {[&] { server_.fail("redis.test"); }, [&] { server_.be_silent("redis.test"); }};
   for (const auto& fail : ways) {
      server_.resolve("redis.test", {"127.0.0.1"});
      client redis(settings_);
      ASSERT_TRUE(redis.set("k", "v"));
      const unsigned before = server_.asked("redis.test");
      fail();
      // Until the answer in hand is too old not to ask again.
      lab::await(
         "the name is asked for again",
         [&] {
            kill_connections();
            const auto begin = clock::now();
            EXPECT_TRUE(redis.set("k", "v"));
            EXPECT_LT(clock::now() - begin, 500ms);
            return server_.asked("redis.test") > before;
         },
         7s, 50ms);
   }
}

// Its address may be somebody else's by now.
TEST_F(names, that_are_gone_are_not_dialled_at_their_last_address) {
   server_.resolve("redis.test", {"127.0.0.1"});
   client redis(settings_);
   ASSERT_TRUE(redis.set("k", "v"));
   server_.forget("redis.test");
   const auto refused = [&] {
      kill_connections();
      return !redis.run({"SET", "k", "v"}, {.deadline = 200ms});
   };
   lab::await("nothing is written there any more", refused, 5s, 50ms);
   server_.resolve("redis.test", {"127.0.0.1"});
   EXPECT_TRUE(redis.set("k", "v"));
}

TEST_F(names, do_not_wait_for_ipv6_where_nobody_answers_about_it) {
   server_.resolve("redis.test", {"127.0.0.1"});
   server_.say("redis.test", about::ipv6, says::nothing);
   client redis(settings_);
   const auto begin = clock::now();
   EXPECT_TRUE(redis.set("k", "v"));
   EXPECT_LT(clock::now() - begin, 500ms);
}

TEST_F(names, that_move_are_followed) {
   server_.resolve("redis.test", {"127.0.0.2"});
   client redis(settings_);
   EXPECT_FALSE(redis.run({"PING"}, {.deadline = 100ms}));
   server_.resolve("redis.test", {"127.0.0.1"});
   const auto begin = clock::now();
   EXPECT_TRUE(redis.run({"PING"}));
   EXPECT_LT(clock::now() - begin, 2500ms) << "an answer is believed for a second";
}

// A master and its replica behind one name, the replica first.
TEST_F(names, of_master_and_replica_lead_to_the_master) {
   const std::string port = std::to_string(node().own_address().port);
   const endpoint other{"127.0.0.2", node().own_address().port};
   const auto folder = world_->folder() / "other";
   std::filesystem::create_directory(folder);
   world_->processes().start(
      {lab::redis_server_program().string(), "--bind", other.host, "--port", port, "--dir", folder.string(),
       "--replicaof", "127.0.0.1", port, "--save", "", "--repl-diskless-sync-delay", "0"},
      folder / "log");
   const auto copies = [&] {
      try {
         return lab::control(other).run({"INFO", "replication"}).text.find("master_link_status:up") !=
                std::string::npos;
      } catch (const lab::control_error&) {
         return false;
      }
   };
   lab::await("it is a replica", copies, 20s);
   server_.resolve("redis.test", {"127.0.0.2", "127.0.0.1"});
   client redis(settings_);
   EXPECT_TRUE(redis.set("k", "1"));
   EXPECT_EQ(redis.get("k").value(), "1");
   // The two change places.
   lab::control(other).run({"REPLICAOF", "NO", "ONE"});
   node().connect().run({"REPLICAOF", other.host, port});
   EXPECT_TRUE(redis.set("k", "2"));
   EXPECT_EQ(lab::control(other).run({"GET", "k"}).text, "2");
   EXPECT_EQ(redis.get("k").value(), "2");
   // As the other tests expect it.
   node().connect().run({"REPLICAOF", "NO", "ONE"});
   lab::await(
      "the other one is gone",
      [&] {
         try {
            lab::control(other).ask({"SHUTDOWN", "NOSAVE"});
            return false;
         } catch (const lab::control_error&) {
            return true;
         }
      },
      5s);
}

// ---- search domains -------------------------------------------------------------------------------------------------

class folder {
 public:
   folder() : path_(testing::TempDir() + "/names-XXXXXX") {
      if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no folder";
   }
   ~folder() { std::filesystem::remove_all(path_); }
   folder(const folder&) = delete;
   folder& operator=(const folder&) = delete;
   std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
   std::string path_;
};

// A resolver alone, with a resolv.conf of its own.
class searched_names : public testing::Test {
 protected:
   void search(const std::string& rules) { std::ofstream(folder_.file("resolv.conf")) << rules << '\n'; }

   impl::resolver::answer resolve(const std::string& name, duration at_most = 3s) {
      const time_point end = impl::now() + at_most;
      resolver_.start(1, ++serial_, {name, 6379}, impl::now());
      for (;;) {
         for (auto& a : resolver_.take_answers()) {
            if (a.serial == serial_) return a;
         }
         if (impl::now() >= end) return {1, serial_, {}, "no answer in time"};
         std::vector<pollfd> fds;
         resolver_.add_to(fds);
         const int wait = static_cast<int>(resolver_.timeout(impl::now()).value_or(10ms).count());
         ::poll(fds.data(), fds.size(), std::min(wait, 50));
         resolver_.process(fds.data(), fds.data() + fds.size(), impl::now());
      }
   }
   std::vector<std::string> addresses_of(const std::string& name) {
      std::vector<std::string> hosts;
      for (const endpoint& e : resolve(name).addresses) hosts.push_back(e.host);
      return hosts;
   }

   folder folder_;
   std::unique_ptr<lab::name_server> server_ = std::make_unique<lab::name_server>();
   impl::resolver resolver_{{.servers = server_->address(), .resolv_conf = folder_.file("resolv.conf")}};
   std::uint32_t serial_ = 0;
};
using hosts = std::vector<std::string>;

TEST_F(searched_names, both_families_come_from_the_first_domain_that_has_one) {
   search("search ours.test theirs.test\noptions ndots:5");
   server_->resolve("four.ours.test", {"127.0.0.1"});
   server_->resolve("six.ours.test", {"::1"});
   server_->resolve("both.ours.test", {"127.0.0.1", "::1"});
   server_->resolve_under("theirs.test", {"127.0.0.9", "::9"});
   EXPECT_EQ(addresses_of("four"), (hosts{"127.0.0.1"}));
   EXPECT_EQ(addresses_of("six"), (hosts{"::1"}));
   EXPECT_EQ(addresses_of("both"), (hosts{"127.0.0.1", "::1"}));
   EXPECT_EQ(addresses_of("none"), (hosts{"127.0.0.9", "::9"}));
   EXPECT_EQ(addresses_of("four.ours.test."), (hosts{"127.0.0.1"}));
   EXPECT_EQ(server_->asked("four.theirs.test"), 0U);
}

TEST_F(searched_names, domain_that_may_have_it_is_not_passed_over) {
   search("search ours.test theirs.test");
   server_->resolve_under("theirs.test", {"127.0.0.9", "::9"});
   const auto ask = [&](const std::string& name, says ipv4, says ipv6) {
      server_->say(name + ".ours.test", about::ipv4, ipv4);
      server_->say(name + ".ours.test", about::ipv6, ipv6);
      EXPECT_TRUE(resolve(name, 800ms).addresses.empty()) << name;
      EXPECT_EQ(server_->asked(name + ".theirs.test"), 0U) << name;
   };
   ask("broken", says::failure, says::failure);
   ask("silent", says::nothing, says::nothing);
   ask("half-broken", says::failure, says::no_data);
   ask("half-silent", says::nothing, says::no_data);
   ask("broken-to-ipv6", says::no_data, says::failure);
   ask("silent-to-ipv6", says::no_data, says::nothing);
   ask("only-ipv4-counts", says::failure, says::no_such_name);
}

TEST_F(searched_names, domain_without_it_is_passed_over_though_ipv6_is_silent) {
   search("search none.test ours.test");
   server_->say("redis.none.test", about::ipv6, says::nothing);
   server_->resolve("redis.ours.test", {"127.0.0.1"});
   const auto begin = clock::now();
   EXPECT_EQ(addresses_of("redis"), (hosts{"127.0.0.1"}));
   EXPECT_LT(clock::now() - begin, 1500ms);
}

TEST_F(searched_names, whole_name_comes_first_with_dots_enough) {
   search("search ours.test\noptions ndots:2");
   server_->resolve("a.b.c", {"127.0.0.1"});
   server_->resolve_under("ours.test", {"127.0.0.9"});
   EXPECT_EQ(addresses_of("a.b.c"), (hosts{"127.0.0.1"}));
   EXPECT_EQ(addresses_of("a.b"), (hosts{"127.0.0.9"}));
}

TEST_F(searched_names, that_are_gone_are_not_answered_from_memory) {
   search("");
   for (const auto gone : {says::no_such_name, says::no_data}) {
      const std::string name = gone == says::no_data ? "empty.test" : "gone.test";
      server_->resolve(name, {"127.0.0.1", "::1"});
      EXPECT_EQ(addresses_of(name), (hosts{"127.0.0.1", "::1"}));
      server_->say(name, gone);
      lab::await("the name is asked for again", [&] { return addresses_of(name).empty(); }, 3s, 50ms);
      server_->fail(name);
      EXPECT_EQ(addresses_of(name), hosts{}) << "what is gone does not come back by a failure";
      server_->resolve(name, {"127.0.0.2"});
      EXPECT_EQ(addresses_of(name), (hosts{"127.0.0.2"}));
   }
}

TEST_F(searched_names, localhost_is_this_machine_whatever_name_servers_say) {
   search("search theirs.test");
   server_->resolve("localhost", {"127.0.0.9"});
   server_->resolve_under("theirs.test", {"127.0.0.9"});
   for (const char* name : {"localhost", "LOCALHOST", "localhost."}) {
      const auto found = addresses_of(name);
      ASSERT_FALSE(found.empty());
      for (const std::string& host : found) EXPECT_TRUE(host == "127.0.0.1" || host == "::1") << host;
   }
   EXPECT_EQ(server_->asked("localhost") + server_->asked("localhost.theirs.test"), 0U);
}

TEST_F(searched_names, configuration_is_read_again_when_the_name_server_was_gone) {
   search("search old.test");
   server_->resolve("redis.old.test", {"127.0.0.1"});
   EXPECT_EQ(addresses_of("redis"), (hosts{"127.0.0.1"}));
   const auto port = server_->port();
   server_.reset();
   EXPECT_EQ(addresses_of("other"), hosts{});
   search("search new.test");
   server_ = std::make_unique<lab::name_server>(port);
   server_->resolve("other.new.test", {"127.0.0.2"});
   EXPECT_EQ(addresses_of("other"), (hosts{"127.0.0.2"}));
}

}  // namespace
}  // namespace holdfast
