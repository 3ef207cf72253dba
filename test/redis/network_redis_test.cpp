// What a network does besides losing a reply: it breaks the handshake at every byte, goes silent in it, or takes the
// other machine away with all that its kernel knew. Every command is a numbered write to a list on a real server.
#include "catalogue/meanwhile.hpp"
#include "failed_as.hpp"
#include "lab/clients.hpp"
#include "lab/deployment.hpp"
#include "lab/fault_proxy.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using lab::clock;
using lab::direction;
using kind = lab::network_fault::kind;

class network : public testing::Test {
 protected:
   // With all that a handshake can have: a password, a name, a database.
   void begin(std::vector<std::string> node_config = {}) {
      world_ = std::make_unique<lab::deployment>(lab::deployment_options{
         .replicas = 0, .sentinels = 0, .node_login = {.password = "secret"}, .node_config = std::move(node_config)});
      proxy_ = std::make_unique<lab::fault_proxy>(world_->node(0).own_address());
      settings_ = config::from_uri(world_->uri()).value();
      settings_.server = proxy_->address();
      settings_.client_name = "network-test";
      settings_.db = 3;
      settings_.deadline = 10s;
      settings_.resend.backoff = fixed_backoff(1ms);
   }

   lab::server& node() { return world_->node(0); }
   std::vector<std::string> written() {
      std::vector<std::string> all;
      lab::control c = node().connect();
      c.run({"SELECT", "3"});
      for (const auto& element : c.run({"LRANGE", "list", "0", "-1"}).elements) all.push_back(element.text);
      return all;
   }
   // The bytes of a handshake in each direction, with nothing behind it.
   lab::fault_proxy::connection handshake() {
      client redis(settings_);
      EXPECT_TRUE(redis.run({"RPUSH", "list", 0}));
      lab::fault_proxy::connection all = proxy_->connections().back();
      all.to_server -= command{"RPUSH", "list", 0}.bytes().size();
      all.to_client -= std::string_view(":1\r\n").size();
      return all;
   }
   // One new client for each number of bytes, every `step` of them, up to and with `most`.
   void sweep(direction towards, kind how, std::size_t most, std::size_t step) {
      for (std::size_t after = 0; after <= most; after += step) {
         proxy_->impose_on_next({how, towards, after});
         client redis(settings_);
         const auto r = redis.run({"RPUSH", "list", ++last_});
         ASSERT_TRUE(r) << "after " << after << " bytes: " << r.error().what();
      }
   }
   void break_the_handshake_everywhere() {
      const auto whole = handshake();
      ASSERT_GT(whole.to_server, 50U);
      ASSERT_GT(whole.to_client, 50U);
      for (const kind how : {kind::reset, kind::close}) {
         sweep(direction::to_server, how, whole.to_server, 1);
         sweep(direction::to_client, how, whole.to_client - 1, how == kind::reset ? 1 : 7);
      }
      EXPECT_EQ(proxy_->cuts(), static_cast<std::size_t>(last_)) << "each of them was met once";
      settings_.connect_timeout = 100ms;  // by which silence ends; a busy machine may take that long to connect
      sweep(direction::to_server, kind::silence, whole.to_server, whole.to_server / 4);
      sweep(direction::to_client, kind::silence, whole.to_client - 1, whole.to_client / 4);
      expect_each_once();
   }
   void expect_each_once() {
      std::vector<std::string> expected;
      for (int i = 0; i <= last_; ++i) expected.push_back(std::to_string(i));
      EXPECT_EQ(written(), expected);
   }

   std::unique_ptr<lab::deployment> world_;
   std::unique_ptr<lab::fault_proxy> proxy_;
   config settings_;
   int last_ = 0;
};

TEST_F(network, a_handshake_that_breaks_at_any_byte_costs_time_and_nothing_else) {
   begin();
   break_the_handshake_everywhere();
}

TEST_F(network, nor_does_one_without_hello) {
   begin({"rename-command HELLO \"\""});
   break_the_handshake_everywhere();
}

// The write in flight is lost with its connection; the handshake that fences it breaks as well, at every byte.
TEST_F(network, a_fence_that_breaks_at_any_byte_is_built_again) {
   begin();
   const auto first = handshake();
   client redis(settings_);
   ASSERT_TRUE(redis.run({"RPUSH", "list", ++last_}));
   // The client's next write is cut off behind its last byte.
   const auto lose_one = [&] {
      const command push{"RPUSH", "list", ++last_};
      proxy_->impose_on_open({kind::reset, direction::to_server, push.bytes().size()});
      const auto lost = redis.run(push);
      ASSERT_TRUE(failed_as(lost, outcome::unknown)) << "its reply was cut off";
      EXPECT_EQ(lost.error().causes.size(), 1U) << lost.error().what();
   };
   lose_one();
   const std::size_t with_fence = proxy_->connections().back().to_server;  // more once the ids have more digits
   ASSERT_GT(with_fence, first.to_server + 50);
   for (std::size_t after = 0; after < with_fence; ++after) {
      proxy_->impose_on_next({kind::reset, direction::to_server, after});
      lose_one();
      const auto next = redis.run({"RPUSH", "list", ++last_});
      ASSERT_TRUE(next) << next.error().what();
   }
   EXPECT_EQ(proxy_->cuts(), 1 + 2 * with_fence);
   expect_each_once();
}

// The only Sentinel, asked through a network that breaks at any byte of the question or of the answer.
TEST_F(network, a_question_to_a_sentinel_that_breaks_at_any_byte_is_asked_again) {
   lab::deployment d({.replicas = 0, .sentinels = 1});
   lab::fault_proxy before(d.sentinel(0).own_address());
   config c = config::from_uri(d.uri()).value();
   c.sentinels = {before.address()};
   lab::fault_proxy::connection whole;
   {
      client redis(c);
      ASSERT_TRUE(redis.run({"RPUSH", "list", 0}));
      whole = before.connections().front();  // the questions; the events have a connection of their own
   }
   ASSERT_GT(whole.to_server, 50U);
   ASSERT_GT(whole.to_client, 500U);
   const auto run = [&](direction towards, kind how, std::size_t after) {
      before.impose_on_next({how, towards, after});
      client redis(c);
      const auto r = redis.run({"RPUSH", "list", ++last_});
      ASSERT_TRUE(r) << "after " << after << " bytes: " << r.error().what();
   };
   for (std::size_t after = 0; after < whole.to_server; ++after) run(direction::to_server, kind::reset, after);
   for (std::size_t after = 0; after < whole.to_client; after += 11) run(direction::to_client, kind::reset, after);
   for (std::size_t after = 0; after < whole.to_client; after += 41) run(direction::to_client, kind::close, after);
   const auto held = d.node(0).connect().run({"LRANGE", "list", "0", "-1"}).elements;
   ASSERT_EQ(held.size(), static_cast<std::size_t>(last_ + 1));
   for (int i = 0; i <= last_; ++i) EXPECT_EQ(held[static_cast<std::size_t>(i)].text, std::to_string(i));
}

// TCP_USER_TIMEOUT: what was written is not acknowledged. Keep-alive: nothing was written. Both at a time.
TEST_F(network, a_machine_that_vanished_is_noticed_by_the_kernel_within_seconds) {
   begin();
   settings_.deadline = 20s;
   settings_.attempt_timeout = 30s;  // not by the client's own clock
   client talker(settings_);
   client waiter(settings_);
   ASSERT_TRUE(talker.run({"RPUSH", "list", 0}));
   result<value> waited;
   catalogue::meanwhile waiting([&] { waited = waiter.run({"BLPOP", "nothing", 0}, {.deadline = 20s}); });
   lab::await("it waits", [&] { return node().connect().info("clients", "blocked_clients") == "1"; }, 5s);
   proxy_->impose_on_open({kind::vanish, direction::to_client});
   lab::await("they have vanished", [&] { return proxy_->cuts() == 2; }, 5s);

   const auto begin = clock::now();
   const auto r = talker.run({"LRANGE", "list", 0, -1});
   const auto took = clock::now() - begin;
   ASSERT_TRUE(r) << r.error().what();
   EXPECT_EQ(r->size(), 1U);
   EXPECT_GT(took, 4s) << "not by the kernel";
   EXPECT_LT(took, 8s);
   waiting.join();
   EXPECT_LT(clock::now() - begin, 12s);
   ASSERT_TRUE(failed_as(waited, outcome::unknown, errc::connection_lost));
}

}  // namespace
}  // namespace holdfast
