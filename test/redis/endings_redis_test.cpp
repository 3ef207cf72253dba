// How a client is left: calls that are stopped while the server holds them, forks, two callers at a time.
#include "catalogue/meanwhile.hpp"
#include "failed_as.hpp"
#include "lab/deployment.hpp"
#include "redis/forked.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using test::in_a_child;

class endings : public testing::Test {
 protected:
   endings() : world_({.replicas = 0, .sentinels = 0}), settings_(config::from_uri(world_.uri()).value()) {
      settings_.deadline = 5s;
   }
   lab::control server() { return world_.node(0).connect(); }
   void await_blocked(int n) {
      lab::control c = server();
      lab::await("so many wait", [&] { return c.info("clients", "blocked_clients") == std::to_string(n); }, 5s);
      // A server writes the answers of one turn of its loop at the end of the turn, in any order.
      c.run({"PING"});
   }
   // `f` is called once the command waits on the server.
   result<value> run_until_blocked(client& redis, const command& c, const std::function<void()>& f,
                                   const call_options& options) {
      catalogue::meanwhile other([&] {
         await_blocked(1);
         f();
      });
      return redis.run(c, options);
   }

   lab::deployment world_;
   config settings_;
};

// ---- commands that block on the server ------------------------------------------------------------------------------

TEST_F(endings, stopped_blocking_command_takes_no_element) {
   for (const command& c :
        {command{"BLPOP", "q", 0}, command{"BRPOP", "q", 100}, command{"BLMOVE", "q", "r", "LEFT", "LEFT", 0},
         command{"BRPOPLPUSH", "q", "r", 0}, command{"BLMPOP", 0, 1, "q", "LEFT"}}) {
      SCOPED_TRACE(to_string(c));
      client redis(settings_);
      std::stop_source stop;
      const auto r = run_until_blocked(redis, c, [&] { stop.request_stop(); }, {.stop = stop.get_token()});
      ASSERT_TRUE(failed_as(r, outcome::unknown, errc::cancelled))
         << "what it popped until the server saw the end would be lost";
      await_blocked(0);  // the client does nothing meanwhile
      server().run({"RPUSH", "q", "x"});
      EXPECT_EQ(server().run({"LLEN", "q"}).integer, 1);
      EXPECT_EQ(redis.lpop("q").value(), "x") << "and it goes on";
   }
}

TEST_F(endings, stopped_list_leaves_no_blocking_command_behind) {
   client redis(settings_);
   std::stop_source stop;
   const std::vector<command> list{{"INCR", "a"}, {"BLPOP", "q", 0}, {"INCR", "b"}};
   catalogue::meanwhile other([&] {
      await_blocked(1);
      stop.request_stop();
   });
   const auto replies = redis.run(list, {.stop = stop.get_token()});
   other.join();
   EXPECT_TRUE(replies[0]) << replies[0].error().what();
   EXPECT_EQ(replies[1].error().outcome, outcome::unknown);
   await_blocked(0);
   server().run({"RPUSH", "q", "x"});
   EXPECT_EQ(redis.lpop("q").value(), "x");
}

TEST_F(endings, blocking_command_ends_with_its_deadline) {
   client redis(settings_);
   EXPECT_EQ(redis.run({"BLPOP", "q", 0}, {.deadline = 200ms}).error().outcome, outcome::unknown);
   await_blocked(0);
   server().run({"RPUSH", "q", "x"});
   EXPECT_EQ(redis.lpop("q").value(), "x");
}

TEST_F(endings, blocking_command_ends_with_what_an_observer_throws) {
   lab::deployment world({.replicas = 0, .sentinels = 2});
   config c = config::from_uri(world.uri()).value();
   bool armed = false;
   c.observer = [&](const any_event&) {
      if (std::exchange(armed, false)) throw std::runtime_error("observer");
   };
   client redis(c);
   redis.ping().value();
   armed = true;
   const auto blocked = [&] { return world.node(0).connect().info("clients", "blocked_clients"); };
   catalogue::meanwhile other([&] {
      lab::await("it waits", [&] { return blocked() == "1"; }, 5s);
      world.sentinel(0).kill();  // of which the observer is told
   });
   EXPECT_THROW((void)redis.run({"BLPOP", "q", 0}), std::runtime_error);
   lab::await("it is gone", [&] { return blocked() == "0"; }, 5s);
   world.node(0).connect().run({"RPUSH", "q", "x"});
   EXPECT_EQ(redis.lpop("q", {.deadline = 5s}).value(), "x") << "and the client is as good as before";
}

// The observer throws in the very turn in which the command ends.
TEST_F(endings, client_goes_on_after_an_observer_threw_at_a_commands_end) {
   bool armed = true;
   settings_.observer = [&](const any_event& e) {
      if (std::holds_alternative<event::outcome_unknown>(e) && std::exchange(armed, false))
         throw std::runtime_error("observer");
   };
   client redis(settings_);
   const auto id = redis.run({"CLIENT", "ID"}).value().integer();
   catalogue::meanwhile other([&] {
      await_blocked(1);
      server().run({"CLIENT", "KILL", "ID", std::to_string(id)});
   });
   const auto call = [&] { (void)redis.run({"BLPOP", "q", 0}, {.deadline = 5s}); };
   EXPECT_THROW(call(), std::runtime_error);
   other.join();
   for (int i = 0; i < 3; ++i) EXPECT_TRUE(redis.ping()) << "and is not given what has ended";
}

TEST_F(endings, stop_that_was_requested_before_the_call_sends_nothing) {
   client redis(settings_);
   std::stop_source stop;
   stop.request_stop();
   const auto r = redis.run({"INCR", "n"}, {.stop = stop.get_token()});
   ASSERT_TRUE(failed_as(r, outcome::not_executed, errc::cancelled));
   redis.wait_for_events(10s, stop.get_token());  // ends at once
   EXPECT_EQ(server().run({"EXISTS", "n"}).integer, 0);
}

// ---- forks ----------------------------------------------------------------------------------------------------------

TEST_F(endings, forked_client_goes_on_in_both_processes) {
   client redis(settings_);
   redis.set("parent", "parent").value();
   redis.set("child", "child").value();
   const auto id = redis.run({"CLIENT", "ID"}).value().integer();
   const auto all_right = [&](const char* me) {
      for (int i = 0; i < 2000; ++i) {
         if (redis.get(me).value() != me) return false;
      }
      return true;
   };
   const pid_t child = ::fork();
   if (child == 0) ::_exit(all_right("child") ? 0 : 1);
   EXPECT_TRUE(all_right("parent"));
   int status = -1;
   EXPECT_EQ(::waitpid(child, &status, 0), child);
   EXPECT_EQ(status, 0);
   EXPECT_EQ(redis.run({"CLIENT", "ID"}).value().integer(), id) << "the parent kept its connection";
}

TEST_F(endings, forked_child_that_only_destroys_the_client_disturbs_nobody) {
   std::optional<client> redis(settings_);
   const auto id = redis->run({"CLIENT", "ID"}).value().integer();
   EXPECT_TRUE(in_a_child([&] {
      redis.reset();
      return true;
   }));
   EXPECT_EQ(redis->run({"CLIENT", "ID"}).value().integer(), id);
}

TEST_F(endings, forked_client_keeps_its_database_and_its_name) {
   client redis(settings_);
   redis.run({"SELECT", 3}).value();
   redis.run({"CLIENT", "SETNAME", "worker"}).value();
   redis.set("k", "of 3").value();
   EXPECT_TRUE(in_a_child(
      [&] { return redis.get("k").value() == "of 3" && redis.run({"CLIENT", "GETNAME"}).value().text() == "worker"; }));
}

TEST_F(endings, forked_grandchild_begins_anew_too) {
   client redis(settings_);
   const auto id = [&] { return redis.run({"CLIENT", "ID"}).value().integer(); };
   const auto parents = id();
   EXPECT_TRUE(in_a_child([&] {
      const auto mine = id();
      return mine != parents && in_a_child([&] { return id() > mine && id() == id(); }) && id() == mine;
   }));
   EXPECT_EQ(id(), parents);
}

// A child holds a copy of each descriptor: the server sees the end all the same.
TEST_F(endings, connection_ends_for_the_server_while_a_child_has_a_copy) {
   client redis(settings_);
   redis.ping().value();
   int wakes[2];
   ASSERT_EQ(::pipe(wakes), 0);
   const pid_t child = ::fork();
   if (child == 0) {
      char c = 0;
      ::close(wakes[1]);
      ::_exit(::read(wakes[0], &c, 1) == 0 ? 0 : 1);
   }
   std::stop_source stop;
   const auto r = run_until_blocked(redis, {"BLPOP", "q", 0}, [&] { stop.request_stop(); }, {.stop = stop.get_token()});
   EXPECT_FALSE(r);
   await_blocked(0);
   ::close(wakes[0]);
   ::close(wakes[1]);
   int status = -1;
   EXPECT_EQ(::waitpid(child, &status, 0), child);
   EXPECT_EQ(status, 0);
}

// ---- two at a time --------------------------------------------------------------------------------------------------

TEST_F(endings, second_thread_is_told_and_nothing_of_it_is_executed) {
   client redis(settings_);
   std::stop_source stop;
   const auto expect = [](const error& e) {
      EXPECT_EQ(e.code(), errc::concurrent_use) << e.what();
      EXPECT_EQ(e.outcome, outcome::not_executed);
   };
   catalogue::meanwhile other([&] {
      await_blocked(1);
      expect(redis.run({"INCR", "n"}).error());
      for (const auto& r : redis.run(std::vector<command>{{"INCR", "n"}, {"INCR", "n"}})) expect(r.error());
      expect(redis.incr("n").error());
      expect(redis.master().error());
      try {
         redis.wait_for_events(1s);
         ADD_FAILURE() << "it watched";
      } catch (const failure& f) {
         expect(f.error());
      }
      stop.request_stop();
   });
   EXPECT_EQ(redis.run({"BLPOP", "q", 0}, {.stop = stop.get_token()}).error().code(), errc::cancelled);
   other.join();
   EXPECT_EQ(redis.incr("n").value(), 1) << "the client is as good as before";
}

TEST_F(endings, observer_that_calls_its_own_client_is_told) {
   config c = settings_;
   client* mine = nullptr;
   std::optional<error> told;
   c.observer = [&](const any_event& e) {
      if (std::holds_alternative<event::connected>(e)) told = mine->incr("n").error();
   };
   client redis(c);
   mine = &redis;
   redis.ping().value();
   ASSERT_TRUE(told);
   EXPECT_EQ(told->code(), errc::concurrent_use);
   EXPECT_NE(told->what().find("observer"), std::string::npos) << told->what();
   EXPECT_EQ(redis.incr("n").value(), 1);
}

}  // namespace
}  // namespace holdfast
