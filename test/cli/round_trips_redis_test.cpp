// How often `holdfast exec` waits for a reply, measured from outside: every connection of it passes through paths that
// hold each reply back, and that remember when what was sent and answered.
#include "cli/program.hpp"
#include "lab/deployment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>

namespace holdfast::cli_test::round_trips_redis_test {
namespace {

using namespace std::chrono_literals;
using lab::clock;
using lab::direction;

// Longer than anything else takes by far, and shorter than the 50 ms after which an unanswered Sentinel is not waited
// for alone any more.
constexpr auto delay = 40ms;

// A way to a server on which each reply is held back, so that every wait for one costs that much, however many are
// under way at once: what a program waits for one after the other can be told from what it waits for together.
class slow_path {
 public:
   // From the first byte that was sent until the first byte that came back on it. Never shorter than the delay.
   struct turn {
      clock::time_point sent = {};
      clock::time_point answered = {};
      std::string said = {};
   };

   explicit slow_path(const endpoint& server) : proxy_(server) {
      proxy_.listen_in([this](const lab::fault_proxy::passage& p) { note(p); });
   }
   endpoint address() const { return proxy_.address(); }
   // No delay until this is called, so that a deployment can be set up over it.
   void become_slow() {
      proxy_.impose({{.what = lab::network_fault::kind::delay, .towards = direction::to_client, .time = delay}});
   }
   // Of the connections that were made since, but for those that the servers made among themselves (they name
   // themselves, or replicate).
   std::vector<turn> turns_since(clock::time_point begin) const {
      std::vector<turn> all;
      const auto connections = proxy_.connections();
      const std::lock_guard hold(guard_);
      for (const auto& [number, turns] : turns_) {
         const std::string& first = turns.front().said;
         if (connections[number].accepted < begin) continue;
         if (first.find("SETNAME") != std::string::npos || first.find("PSYNC") != std::string::npos) continue;
         for (const turn& t : turns) {
            if (t.answered != clock::time_point{}) all.push_back(t);
         }
      }
      return all;
   }

 private:
   void note(const lab::fault_proxy::passage& p) {
      const std::lock_guard hold(guard_);
      auto& turns = turns_[p.connection];
      if (p.towards == direction::to_server) {
         if (turns.empty() || turns.back().answered != clock::time_point{}) turns.push_back({.sent = p.came});
         turns.back().said.append(p.bytes);
      } else if (!turns.empty() && p.came >= turns.back().sent && turns.back().answered == clock::time_point{}) {
         turns.back().answered = p.handed_on;  // what had come before it was said answers an older one
      }
   }

   mutable std::mutex guard_;
   std::map<std::size_t, std::vector<turn>> turns_;  // by the connection's number
   lab::fault_proxy proxy_;                          // last: its thread uses the others
};

// A deployment whose master and Sentinels are known to everybody, also to each other, by the paths in front of them.
struct slow_deployment {
   slow_deployment() : master(d.node(0).address()) {
      for (std::size_t i = 0; i < d.sentinels(); ++i) {
         sentinels.push_back(std::make_unique<slow_path>(d.sentinel(i).address()));
      }
      for (std::size_t i = 0; i < d.sentinels(); ++i) introduce(i);
      for (std::size_t i = 0; i < d.sentinels(); ++i) {
         lab::await("each Sentinel knows the others by their paths", [&] { return knows_others(i); }, 20s);
      }
      master.become_slow();
      for (auto& path : sentinels) path->become_slow();
   }

   void introduce(std::size_t i) {
      lab::control sentinel = d.sentinel(i).connect();
      sentinel.run({"SENTINEL", "REMOVE", "mymaster"});
      sentinel.run({"SENTINEL", "CONFIG", "SET", "announce-ip", "127.0.0.1"});
      sentinel.run({"SENTINEL", "CONFIG", "SET", "announce-port", std::to_string(sentinels[i]->address().port)});
      sentinel.run({"SENTINEL", "MONITOR", "mymaster", "127.0.0.1", std::to_string(master.address().port), "2"});
   }
   bool knows_others(std::size_t i) {
      const auto others = d.sentinel(i).connect().run({"SENTINEL", "SENTINELS", "mymaster"});
      std::size_t by_path = 0;
      for (const auto& other : others.elements) {
         for (const auto& path : sentinels) by_path += other.field("port") == std::to_string(path->address().port);
      }
      return others.elements.size() == d.sentinels() - 1 && by_path == d.sentinels() - 1;
   }
   std::string uri() const {
      std::string hosts;
      for (const auto& path : sentinels) hosts += (hosts.empty() ? "" : ",") + to_string(path->address());
      return "redis+sentinel://" + hosts + "/mymaster";
   }

   lab::deployment d{{.replicas = 2, .sentinels = 3}};
   slow_path master;
   std::vector<std::unique_ptr<slow_path>> sentinels;
};

// The most turns of which each began after the one before it had ended: no fewer than those that had to wait for one
// another.
std::vector<slow_path::turn> longest_chain(std::vector<slow_path::turn> turns) {
   std::sort(turns.begin(), turns.end(), [](const auto& a, const auto& b) { return a.answered < b.answered; });
   std::vector<slow_path::turn> chain;
   for (auto& t : turns) {
      if (chain.empty() || t.sent >= chain.back().answered) chain.push_back(std::move(t));
   }
   return chain;
}

std::string shown(std::string said) {
   std::replace(said.begin(), said.end(), '\r', ' ');
   std::replace(said.begin(), said.end(), '\n', ' ');
   return said.substr(0, 100);
}

TEST(RoundTrips, OfExecThroughSentinelAreAtMostThreeBeyondTheCommandsOwn) {
   slow_deployment slow;
   const auto begin = clock::now();
   program exec({"exec", "-u", slow.uri(), "--json", "GET", "the-command-itself"});
   ASSERT_EQ(exec.status(), 0) << exec.err();
   const auto at_master = slow.master.turns_since(begin);
   const auto command = std::find_if(at_master.begin(), at_master.end(), [](const auto& t) {
      return t.said.find("the-command-itself") != std::string::npos;
   });
   ASSERT_NE(command, at_master.end());

   std::vector<slow_path::turn> before;
   const auto add = [&](const std::vector<slow_path::turn>& turns) {
      for (const auto& t : turns) {
         if (t.answered <= command->sent) before.push_back(t);
      }
   };
   add(at_master);
   for (const auto& path : slow.sentinels) add(path->turns_since(begin));
   ASSERT_FALSE(before.empty());
   const auto chain = longest_chain(before);

   const double took = exec.json().at("elapsed_ms").get<double>();
   std::printf(
      "holdfast exec: %zu sequential waits before the command's own; with each reply held back by %d ms it took "
      "%.1f ms, %.2f times that\n",
      chain.size(), static_cast<int>(delay.count()), took, took / static_cast<double>(delay.count()));
   for (const auto& t : chain) {
      std::printf("   %6.1f to %6.1f ms: %s\n", lab::ms_between(begin, t.sent), lab::ms_between(begin, t.answered),
                  shown(t.said).c_str());
   }
   EXPECT_LE(chain.size(), 3U);
}

TEST(RoundTrips, OfExecOnOneServerAreOneBeyondTheCommandsOwn) {
   lab::deployment d({.replicas = 0, .sentinels = 0});
   slow_path path(d.node(0).address());
   path.become_slow();
   const auto begin = clock::now();
   program exec({"exec", "-u", "redis://" + to_string(path.address()), "PING"});
   ASSERT_EQ(exec.status(), 0) << exec.err();
   const auto turns = path.turns_since(begin);
   std::printf("holdfast exec on one server: %zu waits in all\n", turns.size());
   EXPECT_EQ(turns.size(), 2U);
}

}  // namespace
}  // namespace holdfast::cli_test::round_trips_redis_test
