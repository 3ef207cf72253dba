// Whatever a server does, or a Sentinel, each call ends within its deadline.
#include "lab/await.hpp"
#include "redis/lying_server.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <functional>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using lab::clock;
using lab::lying_server;

struct named_call {
   const char* name;
   std::function<void(client&)> make;
};
constexpr auto deadline = 150ms;

const named_call calls[] = {
   {"run", [](client& c) { (void)c.run({"PING"}, {.deadline = deadline}); }},
   {"run list",
    [](client& c) { (void)c.run(std::vector<command>{{"SET", "k", 1}, {"GET", "k"}}, {.deadline = deadline}); }},
   {"get", [](client& c) { (void)c.get("k", {.deadline = deadline}); }},
   {"master", [](client& c) { (void)c.master({.deadline = deadline}); }},
   {"wait_for_events", [](client& c) { c.wait_for_events(deadline); }},
};

class deadlines : public testing::TestWithParam<bool> {};

TEST_P(deadlines, end_every_call_to_a_bad_server) {
   for (const auto manner : lying_server::all) {
      for (const bool late : {true, false}) {
         lying_server server(manner, late);
         config c{.attempt_timeout = 100ms, .connect_timeout = 100ms};
         if (GetParam())
            c.sentinels = {server.where()}, c.master = "mymaster";
         else
            c.server = server.where();
         client redis(c);
         for (const named_call& call : calls) {
            const auto begin = clock::now();
            call.make(redis);
            EXPECT_LT(clock::now() - begin, deadline + 700ms)
               << call.name << ", manner " << int(manner) << (late ? ", late" : "");
         }
         EXPECT_LT(server.connects(), 300U)
            << "manner " << int(manner) << ": each dial that came to nothing has a pause";
      }
   }
}

INSTANTIATE_TEST_SUITE_P(server_and_sentinel, deadlines, testing::Bool());

TEST(master, is_found_within_one_deadline_where_each_answer_ends_the_connection) {
   lying_server server(lying_server::manner::answers_twice, true);
   client redis(config{.server = server.where(), .deadline = 400ms});
   for (const bool given : {true, false}) {
      const auto begin = clock::now();
      const auto found = redis.master(given ? call_options{.deadline = 200ms} : call_options{});
      EXPECT_LT(clock::now() - begin, 1s);
      ASSERT_FALSE(found);
      EXPECT_EQ(found.error().code(), errc::deadline_exceeded);
      EXPECT_EQ(found.error().where, server.where());
   }
   EXPECT_LT(server.connects(), 40U) << "a pause follows each";
}

TEST(master, wait_for_it_ends_with_a_stop_request) {
   lying_server server(lying_server::manner::answers_twice, true);
   client redis(config{.server = server.where()});
   std::stop_source stop;
   std::thread later([&] {
      lab::became_true([&] { return server.connects() > 2; }, 5s);
      stop.request_stop();
   });
   const auto begin = clock::now();
   const auto found = redis.master({.deadline = 20s, .stop = stop.get_token()});
   later.join();
   EXPECT_LT(clock::now() - begin, 2s);
   ASSERT_FALSE(found);
   EXPECT_EQ(found.error().code(), errc::cancelled);
}

}  // namespace
}  // namespace holdfast
