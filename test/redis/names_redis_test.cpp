// Names, in front of real servers: what a client does when they fail, go silent, resolve to addresses that lead nowhere
// or to other ones than before.
#include "lab/deployment.hpp"
#include "lab/name_server.hpp"
#include "runtime/poll/resolver.hpp"

#include <holdfast/holdfast.hpp>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using lab::clock;

// Takes connections as the kernel does, up to the length of its queue, and never accepts one. Where the queue is full,
// a SYN is dropped in silence.
class deaf_port {
 public:
   deaf_port(const std::string& host, std::uint16_t port, bool full) {
      sockaddr_in a = {};
      a.sin_family = AF_INET;
      a.sin_port = htons(port);
      ::inet_pton(AF_INET, host.c_str(), &a.sin_addr);
      const auto* address = reinterpret_cast<const sockaddr*>(&a);
      const int yes = 1;
      listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      if (::bind(listener_, address, sizeof a) != 0 || ::listen(listener_, full ? 0 : 511) != 0)
         ADD_FAILURE() << "no deaf port";
      for (int& fd : fillers_) {
         if (!full) break;
         fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
         ::connect(fd, address, sizeof a);
      }
   }
   ~deaf_port() {
      for (const int fd : fillers_) {
         if (fd >= 0) ::close(fd);
      }
      ::close(listener_);
   }
   deaf_port(const deaf_port&) = delete;
   deaf_port& operator=(const deaf_port&) = delete;

 private:
   int listener_ = -1;
   std::array<int, 4> fillers_ = {-1, -1, -1, -1};
};

class names : public testing::Test {
 protected:
   static void SetUpTestSuite() { world_ = new lab::deployment({.replicas = 0, .sentinels = 0}); }
   static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

   names() {
      poll::resolver::name_servers() = server_.address();
      settings_.server = {"redis.test", node().own_address().port};
      settings_.deadline = 5s;
      settings_.observer = [this](const any_event& e) {
         if (const auto* failed = std::get_if<event::dial_failed>(&e)) failures_.push_back(failed->why);
      };
   }
   ~names() override { poll::resolver::name_servers().clear(); }

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
      deaf_port deaf("127.0.0.2", node().own_address().port, at_the_connect);
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
   const std::function<void()> ways[] = {[&] { server_.forget("redis.test"); }, [&] { server_.fail("redis.test"); },
                                         [&] { server_.be_silent("redis.test"); }};
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

TEST_F(names, do_not_wait_for_ipv6_where_nobody_answers_about_it) {
   server_.resolve("redis.test", {"127.0.0.1"});
   server_.be_silent_on_ipv6("redis.test");
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

TEST_F(names, are_asked_for_at_new_name_servers_when_the_old_ones_are_gone) {
   auto old = std::make_unique<lab::name_server>();
   old->resolve("redis.test", {"127.0.0.1"});
   poll::resolver::name_servers() = old->address();
   settings_.deadline = 1s;
   client redis(settings_);
   old.reset();
   EXPECT_FALSE(redis.ping());
   server_.resolve("redis.test", {"127.0.0.1"});
   poll::resolver::name_servers() = server_.address();
   EXPECT_TRUE(redis.run({"PING"}, {.deadline = 5s}));
}

}  // namespace
}  // namespace holdfast
