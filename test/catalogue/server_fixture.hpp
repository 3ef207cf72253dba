// Fixtures of the catalogue's tests (test/catalogue/catalogue.txt): one server that is brought into a
// state, one client that meets it, and the client's own story of what it then did.
#pragma once

#include "catalogue/meanwhile.hpp"
#include "commands/error_reply.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::catalogue {

using namespace std::chrono_literals;
using impl::reply_class;

// Says to the report which rows of the catalogue a test shows; once in a test. tools/fault_rows reads it, in the source
// and in the report.
template <class... Ids>
void covers(const Ids&... ids) {
   std::string list;
   ((list += (list.empty() ? "" : " ") + std::string(ids)), ...);
   ::testing::Test::RecordProperty("rows", list);
}

// Events that a client's observer was told. Any thread may ask for them.
class story {
 public:
   observer ear() {
      return [this](const any_event& e) {
         const std::lock_guard hold(mutex_);
         told_.emplace_back(name_of(e), to_string(e));
      };
   }
   // Number of events of that kind ("resent", ...) with those words in them.
   std::size_t count(std::string_view kind, std::string_view words = {}) const {
      const std::lock_guard hold(mutex_);
      return static_cast<std::size_t>(std::count_if(told_.begin(), told_.end(), [&](const auto& event) {
         return event.first == kind && event.second.find(words) != std::string::npos;
      }));
   }
   void await(std::string_view kind, std::string_view words, std::size_t at_least = 1) const {
      lab::await(
         "the client tells of: " + std::string(kind) + " " + std::string(words),
         [&] { return count(kind, words) >= at_least; }, 10s);
   }
   void forget() {
      const std::lock_guard hold(mutex_);
      told_.clear();
   }
   std::string text() const {
      const std::lock_guard hold(mutex_);
      std::string all;
      for (const auto& [kind, line] : told_) all += "\n  " + kind + ": " + line;
      return all;
   }

 private:
   mutable std::mutex mutex_;
   std::vector<std::pair<std::string, std::string>> told_;
};

// One server (or `o.replicas` more), nobody who fails it over, and a client with a deadline of ten seconds.
class server_fixture {
 public:
   explicit server_fixture(lab::deployment_options o = {.replicas = 0, .sentinels = 0})
      : servers(std::move(o)), settings(config::from_uri(servers.uri()).value()) {
      settings.deadline = 10s;
      settings.observer = heard.ear();
   }
   // One server with these lines in its configuration.
   explicit server_fixture(std::vector<std::string> lines)
      : server_fixture(lab::deployment_options{.replicas = 0, .sentinels = 0, .node_config = std::move(lines)}) {}

   // The client, connected when it is first asked for.
   client& redis() {
      if (!client_) {
         client_ = std::make_unique<client>(settings);
         EXPECT_TRUE(client_->ping()) << heard.text();
         heard.forget();
         config once = settings;
         once.resend.max_resends = 0;
         once.observer = {};
         impatient_ = std::make_unique<client>(once);
         EXPECT_TRUE(impatient_->ping());
      }
      return *client_;
   }
   // The server's first answer, as a caller hears it that does not let the client ask twice. From another client, that
   // was connected when the first one was.
   result<value> once(const command& c) {
      redis();
      return impatient_->run(c);
   }
   // Lets the client look at its sockets until it tells of that. (It does so at each call, but not twice within 1 ms.)
   void let_it_notice(std::string_view kind, std::string_view words = {}) {
      lab::await(
         "the client notices: " + std::string(kind),
         [&] {
            redis().wait_for_events(2ms);
            return heard.count(kind, words) != 0;
         },
         10s);
   }
   // A new connection of the lab's own: what the server really holds.
   lab::control server(std::size_t node = 0) { return servers.node(node).connect(); }
   std::string stored(const std::string& key, std::size_t node = 0) {
      const lab::reply r = server(node).run({"GET", key});
      return r.is_nil() ? "(nil)" : r.text;
   }

   lab::deployment servers;
   story heard;
   config settings;

 private:
   std::unique_ptr<client> client_;
   std::unique_ptr<client> impatient_;
};

// The fixture that most tests begin with.
struct one_server : testing::Test {
   server_fixture s;
};
// The same, and a connection of the lab's own.
struct one_watched_server : one_server {
   lab::control control = s.server();
};

struct own_bus_port {
   lab::reserved_port bus;
};

// A server in cluster mode, that has no slots yet. Its bus has a port of its own: 10000 more than the server's may be
// more than there are.
class cluster_fixture : public own_bus_port, public server_fixture {
 public:
   explicit cluster_fixture(std::vector<std::string> lines = {})
      : server_fixture(with_cluster(std::move(lines), bus.number())) {}
   // The command CLUSTER MEET that names this node.
   std::vector<std::string> meet() {
      const endpoint here = servers.node(0).own_address();
      return {"CLUSTER", "MEET", here.host, std::to_string(here.port), std::to_string(bus.number())};
   }

 private:
   static std::vector<std::string> with_cluster(std::vector<std::string> lines, std::uint16_t bus_port) {
      lines.insert(lines.end(), {"cluster-enabled yes", "cluster-node-timeout 60000"});
      lines.push_back("cluster-port " + std::to_string(bus_port));
      return lines;
   }
};

// An error reply: its text, its class, and that the class is what the text is taken for.
inline void expect_reply(const result<value>& r, std::string_view text, reply_class cls, outcome ran,
                         bool from_script = false, bool from_exec = false) {
   ASSERT_FALSE(r) << "expected " << text;
   const error& e = r.error();
   EXPECT_EQ(e.server_text.substr(0, text.size()), text) << e.what();
   const impl::reply_proof proof = impl::classify_error(e.server_text, from_script, from_exec, true);
   EXPECT_EQ(proof, (impl::reply_proof{cls, ran})) << e.what();
   EXPECT_EQ(e.outcome, ran) << e.what();
}

// Actions of the client at a gate.
enum class way {
   stays,   // asks again on the same connection
   leaves,  // ends the connection, asks who is the master, and connects again
};

// The gate is closed. A caller without patience hears of it, and nothing was done; for another one the client goes on
// asking until `open` has opened it (which happens once it has asked twice), and the command runs once.
inline void expect_gate(server_fixture& s, std::string_view text, reply_class cls, way expected,
                        const std::function<void()>& open) {
   client& redis = s.redis();
   const auto refused = s.once({"INCR", "gated"});
   expect_reply(refused, text, cls, outcome::not_executed);
   EXPECT_EQ(refused.error().attempts, 1U) << refused.error().what();
   s.heard.forget();
   {
      meanwhile opener([&] {
         s.heard.await("resent", text.substr(0, text.find(' ')), 2);
         open();
      });
      const auto passed = redis.run({"INCR", "gated"});
      ASSERT_TRUE(passed) << passed.error().what() << s.heard.text();
      EXPECT_EQ(passed->integer(), 1) << "it ran once, and the refused one never did" << s.heard.text();
   }
   EXPECT_EQ(s.stored("gated"), "1");
   EXPECT_EQ(s.heard.count("outcome_unknown"), 0U) << s.heard.text();
   if (expected == way::stays) {
      EXPECT_EQ(s.heard.count("connection_lost"), 0U) << s.heard.text();
   } else {
      EXPECT_GE(s.heard.count("connection_lost", text.substr(0, 20)), 1U) << s.heard.text();
      EXPECT_GE(s.heard.count("connected"), 1U) << s.heard.text();
   }
}

// The caller hears of it at once, after a single try.
inline void expect_told_at_once(server_fixture& s, const command& c, std::string_view text, reply_class cls,
                                outcome ran = outcome::not_executed) {
   s.redis();
   s.heard.forget();
   const auto r = s.redis().run(c);
   expect_reply(r, text, cls, ran);
   if (r) return;
   EXPECT_EQ(r.error().attempts, 1U) << r.error().what();
   EXPECT_EQ(s.heard.text(), "") << "it neither left nor asked again";
}

}  // namespace holdfast::catalogue
