// A whole deployment made of scripts, around an engine: Sentinels, servers, names, a wire that takes half a millisecond
// each way, and a clock that is counted by hand. It plays the runtime, as any real one must.
#pragma once

#include "unit/engine/subject.hpp"
#include "unit/topology/replies.hpp"

#include <holdfast/command.hpp>
#include <holdfast/config.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::impl::test {

using namespace std::chrono_literals;

inline const endpoint s1{"10.0.1.1", 26379};
inline const endpoint s2{"10.0.1.2", 26379};
inline const endpoint s3{"10.0.1.3", 26379};
inline const endpoint node_a{"10.0.0.1", 6379};
inline const endpoint node_b{"10.0.0.2", 6379};

// A process as its script has it.
struct host {
   enum class condition : std::uint8_t {
      working,
      refusing,  // no process: the connect fails at once
      vanished,  // no host: a connect is never answered
      stopped,   // SIGSTOP: connects succeed, and nothing is answered
   };
   condition is = condition::working;
   bool is_sentinel = false;
   // Of a Sentinel.
   endpoint master = {};
   std::uint64_t epoch = 5;
   std::string down_after = "1000";
   bool knows_the_name = true;
   bool is_listed = true;  // by the other Sentinels
   unsigned asked = 0;     // who the master is
   // Of a server.
   std::string role = "master";
   std::string refusal = {};  // the answer to every command but those of the handshake, without "-"
   long long counter = 0;
   bool watched_key_changes = false;                             // between WATCH and EXEC
   std::vector<std::pair<link_id, std::uint32_t>> blocked = {};  // by BLPOP: connections, the oldest first

   std::vector<std::string> arrived = {};  // commands other than those of the handshake
   unsigned connects = 0;
};

struct call {
   std::vector<command> commands;
   std::vector<result<value>> results;
   operation op;

   bool done() const { return op.done; }
   bool ok() const { return op.done && results.back().has_value(); }
   const holdfast::error& error() const { return results.back().error(); }
   bool failed_with(errc code, outcome ran) const {
      return op.done && !results.back() && error().code() == code && error().outcome == ran;
   }
};

config with_sentinels();
config with_server(endpoint where = node_a);

class deployment {
 public:
   static constexpr duration one_way = 500us;

   explicit deployment(config c = with_sentinels(), std::uint64_t seed = 1, callers who = callers::one);

   host& at(const endpoint& where) { return hosts_[where]; }
   // Three Sentinels that name node_a; node_b is its replica.
   void fail_over();  // all Sentinels name the other node, and say so; the old master goes on as one
   void publish(std::string_view channel, std::string_view payload);
   void set(const endpoint& where, host::condition is);
   void cut(const endpoint& where);  // its connections end (EOF)

   call& submit(std::string_view line, std::optional<duration> deadline = {}) { return submit({line}, 0, deadline); }
   // To this lane of its own; several lines are one MULTI ... EXEC.
   call& submit(std::initializer_list<std::string_view> lines, lane_number lane, std::optional<duration> deadline = {});
   void cancel(call& c);
   void cancel_all();
   // An element comes for the oldest BLPOP that waits. False: there is none.
   bool push(const endpoint& where);

   void run_for(duration d);
   // Until it is done, at most for a minute.
   bool finish(const call& c);
   bool succeeds(std::string_view line, std::optional<duration> deadline = {}) {
      const call& c = submit(line, deadline);
      return finish(c) && c.ok();
   }

   // ---- for tests that play the runtime themselves ----
   struct connection {
      endpoint where = {};
      std::uint32_t serial = 0;
      bool connected = false;
      bool subscribed = false;
      bool watches = false;
      std::optional<unsigned> queued = {};  // within MULTI
      std::unique_ptr<reader> at_host = std::make_unique<reader>(limits{});
   };
   // The connection of the lane; null if there is none.
   link_id link_to(const endpoint& where) const;
   std::size_t connections(const endpoint& where) const;
   const connection& connection_of(link_id id) const { return connections_.at(id); }
   std::map<std::string, std::vector<endpoint>> names;
   std::vector<endpoint> dialed;
   std::vector<io_request::kind> actions;

   template <class Event>
   std::vector<Event> told() const {
      std::vector<Event> found;
      for (const auto& e : history) {
         if (const auto* x = std::get_if<Event>(&e)) found.push_back(*x);
      }
      return found;
   }
   std::vector<any_event> history;
   config settings;
   time_point now = time_point{} + 1h;
   test::subject subject;
   unsigned ticks = 0;

 private:
   void carry_out();
   void carry_out(const io_request& a);
   void connect(const io_request& a);
   void later(duration d, std::function<void()> what) { pending_.emplace(now + d, std::move(what)); }
   bool is_live(link_id id, std::uint32_t serial) const;
   void drop(link_id id, std::string_view why);
   void serve(link_id id, std::uint32_t serial, const std::string& bytes);
   void reply(link_id id, std::uint32_t serial, const std::string& bytes);
   std::string answer(link_id, connection& c, value_view command);
   std::string answer_sentinel(connection& c, host& h, value_view command);
   std::string answer_server(link_id, connection& c, host& h, value_view command);

   std::map<endpoint, host> hosts_;
   std::map<link_id, connection> connections_;
   std::multimap<time_point, std::function<void()>> pending_;
   std::deque<call> calls_;
};

}  // namespace holdfast::impl::test
