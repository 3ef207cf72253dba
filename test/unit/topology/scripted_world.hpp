// A deployment made of scripts, for the tests of the tracker: Sentinels that answer as they are told, a clock that is
// counted by hand, and a wire that takes half a millisecond each way. It plays the engine, and carries out what the
// tracker pending_io.
#pragma once

#include "topology/sentinel/sentinel_tracker.hpp"
#include "unit/topology/replies.hpp"

#include <holdfast/command.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl::test {

using namespace std::chrono_literals;

// One entry of SENTINEL REPLICAS; a Sentinel that has had no INFO of it yet shows no run id.
struct listed_replica {
   listed_replica() = default;
   listed_replica(endpoint w, std::string run_id = {}) : where(std::move(w)), id(std::move(run_id)) {}
   endpoint where = {};
   std::string id = {};
};

// A Sentinel as its script has it; or, where it has a role, a server.
struct scripted_sentinel {
   enum class condition : std::uint8_t {
      working,
      refusing,  // no process: the connect fails at once
      vanished,  // no host: a connect is never answered
      stopped,   // SIGSTOP: connects succeed, nothing is answered until it works again
   };
   condition is = condition::working;
   endpoint master = {};  // what GET-MASTER-ADDR-BY-NAME says
   endpoint shown = {};   // what MASTER shows; empty: the same
   std::string run_id = {};
   std::uint64_t epoch = 0;
   std::string flags = "master";
   bool knows_the_name = true;
   std::string id = {};
   std::string password = {};
   duration delay = {};                // of each of its replies, besides the wire
   std::vector<endpoint> behind = {};  // a balancer: connections go to these in turn
   unsigned turn = 0;
   std::vector<std::pair<endpoint, std::string>> others = {};
   std::vector<listed_replica> replicas = {};
   // Of a server.
   std::string role = {};
   endpoint follows = {};
   bool knows_hello = true;
   bool knows_role = true;
   // Looks at each reply before it is sent, and may change it. `step` counts this Sentinel's replies from 0.
   std::function<void(std::string& reply, unsigned step)> tamper = {};

   unsigned replies = 0;
   std::map<std::string, unsigned> commands = {};  // by name, e.g. "SENTINEL MASTER"
};

class scripted_world {
 public:
   static constexpr duration one_way = 500us;

   explicit scripted_world(sentinel_settings s, std::uint64_t seed = 1)
      : events(true), settings(std::move(s)), watched(settings, seed, pending_io, limits{}, events) {}

   scripted_sentinel& at(const endpoint& where) { return sentinels_[where]; }

   // ---- time ----
   time_point now = time_point{} + 1h;
   // Until all that is due has happened; the tracker is ticked whenever it asks for it, and must not ask in vain.
   void run_for(duration d) { run_until(now + d); }
   void run_until(time_point end);
   // The caller is away: what is under way arrives in the kernel, but nobody reads, ticks or carries out a pending.
   void away_for(duration d);
   // Until `done`, at most for `limit`; whether it came to that.
   bool run_till(const std::function<bool()>& done, duration limit = 60s);
   duration since_start() const { return now - (time_point{} + 1h); }

   // ---- faults and events ----
   void publish(const endpoint& sentinel, std::string_view channel, std::string_view payload);
   void cut(const endpoint& sentinel);  // the connections to it end (EOF)
   void cut_subscription(const endpoint& sentinel);
   void cut_questions(const endpoint& sentinel);  // but the news of the subscription's end is lost
   void set(const endpoint& sentinel, scripted_sentinel::condition c);

   // ---- what happened ----
   template <class Event>
   std::vector<Event> told() const {
      std::vector<Event> out;
      for (const auto& [when, e] : history) {
         if (const auto* x = std::get_if<Event>(&e)) out.push_back(*x);
      }
      return out;
   }
   unsigned count(const endpoint& sentinel, const std::string& command) { return at(sentinel).commands[command]; }
   unsigned subscriptions(const endpoint& sentinel) const;
   unsigned connections(const endpoint& where) const;
   std::map<endpoint, unsigned> dials;

   io_queue pending_io;
   event_queue events;
   sentinel_settings settings;
   sentinel_tracker watched;
   std::vector<std::pair<time_point, any_event>> history;
   unsigned ticks = 0;

   // Carries out what is wished, and takes what was told.
   void carry_out();

 private:
   struct connection {
      impl::link* link = nullptr;
      std::uint32_t serial = 0;
      endpoint where;
      bool subscribed = false;
      bool authenticated = false;
      std::unique_ptr<reader> from_client = std::make_unique<reader>(limits{});
      std::vector<std::string> held = {};  // written while the Sentinel was stopped
   };
   using connection_ptr = std::shared_ptr<connection>;

   void later(duration d, std::function<void()> what) { pending_.emplace(now + d, std::move(what)); }
   void dial(link& l);
   void serve(const connection_ptr& c, const std::string& bytes);
   void reply(const connection_ptr& c, std::string bytes);
   std::string answer(connection& c, value_view command, scripted_sentinel& s);
   std::string answer_sentinel(value_view command, scripted_sentinel& s);
   std::string answer_server(const std::string& name, const scripted_sentinel& s);
   void lose(const connection_ptr& c, const std::string& why);
   bool alive(const connection& c) const { return c.link->serial() == c.serial && c.link->is_open(); }
   connection_ptr connection_of(const link& l) const;

   std::map<endpoint, scripted_sentinel> sentinels_;
   std::multimap<time_point, std::function<void()>> pending_;
   std::vector<connection_ptr> connections_;
};

}  // namespace holdfast::impl::test
