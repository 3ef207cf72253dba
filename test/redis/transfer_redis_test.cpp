// What takes longer to transfer than any timeout, and what stands still.
#include "catalogue/meanwhile.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <variant>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using kind = lab::network_fault::kind;

class transfer : public testing::Test {
 protected:
   void begin(std::size_t bytes_a_second) {
      proxy_.impose(lab::both_ways({.what = kind::dribble, .rate = bytes_a_second}));
      settings_.server = proxy_.address();
      settings_.deadline = 30s;
      settings_.attempt_timeout = 300ms;
      settings_.observer = [this](const any_event& e) {
         lost_ += std::holds_alternative<event::connection_lost>(e);
         suspected_ += std::holds_alternative<event::suspected>(e);
      };
   }

   std::size_t to_client() const {
      const auto all = proxy_.connections();
      return all.empty() ? 0 : all[0].to_client;
   }

   const std::vector<lab::network_fault> stall_ = lab::both_ways({.what = kind::stall});
   lab::deployment world_{{.replicas = 0, .sentinels = 0}};
   lab::fault_proxy proxy_{world_.node(0).own_address()};
   config settings_;
   std::atomic<int> lost_ = 0;
   int suspected_ = 0;
};

TEST_F(transfer, reply_that_takes_long_comes_through) {
   begin(1'000'000);
   const std::string big(2'000'000, 'x');
   world_.node(0).connect().run({"SET", "big", big});
   client redis(settings_);
   EXPECT_EQ(redis.get("big").value(), big);
   EXPECT_EQ(proxy_.connections().size(), 1U);
   EXPECT_EQ(lost_ + suspected_, 0);
}

TEST_F(transfer, command_that_takes_long_gets_there) {
   begin(1'000'000);
   const std::string big(6'000'000, 'x');  // more than the kernel takes
   client redis(settings_);
   EXPECT_TRUE(redis.set("big", big).value());
   EXPECT_EQ(world_.node(0).connect().run({"STRLEN", "big"}).integer, 6'000'000);
   EXPECT_EQ(proxy_.connections().size(), 1U);
   EXPECT_EQ(lost_, 0);
}

// The kernel takes it whole at once, and says nothing more.
TEST_F(transfer, command_within_the_kernels_buffer_gets_there) {
   begin(300'000);
   client redis(settings_);
   EXPECT_TRUE(redis.set("big", std::string(900'000, 'x')).value());
   EXPECT_EQ(proxy_.connections().size(), 1U);
   EXPECT_EQ(lost_, 0);
}

TEST_F(transfer, reply_that_stops_on_its_way_is_silence) {
   begin(1'000'000);
   world_.node(0).connect().run({"SET", "big", std::string(3'000'000, 'x')});
   client redis(settings_);
   catalogue::meanwhile other([&] {
      lab::await("it is on its way", [&] { return to_client() > 300'000; }, 10s);
      proxy_.impose(stall_);
      lab::await(
         "a probe, a loss, and another connection", [&] { return proxy_.connections().size() > 2 && lost_ > 0; }, 5s);
      proxy_.lift(stall_);
   });
   EXPECT_TRUE(redis.get("big").value());
   EXPECT_GE(lost_, 1);
}

// Its window is closed and its kernel answers: it has as long as the timeout says, and no less.
TEST_F(transfer, peer_without_room_is_not_ended_by_the_kernel) {
   begin(100'000'000);
   settings_.attempt_timeout = 20s;
   client redis(settings_);
   redis.ping().value();
   catalogue::meanwhile other([&] {
      proxy_.impose(stall_);
      const auto until = lab::clock::now() + 7s;
      lab::await("the kernel had its time", [&] { return lab::clock::now() >= until; }, 10s);
      proxy_.lift(stall_);
   });
   EXPECT_TRUE(redis.set("big", std::string(8'000'000, 'x')).value());
   EXPECT_EQ(proxy_.connections().size(), 1U);
   EXPECT_EQ(lost_ + suspected_, 0);
}

}  // namespace
}  // namespace holdfast
