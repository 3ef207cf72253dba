// A runtime, servers, Sentinels and callers around an engine, who do what the input says, in any order: names that lead
// to nothing, connections that hang, kernels that take a part of a write, servers that answer late, in pieces, with
// errors, or with bytes that are no reply; Sentinels that change their mind. What callers are told is held against what
// reached the servers.
#pragma once

#include "engine/engine.hpp"
#include "fuzz/target.hpp"

#include <holdfast/command.hpp>
#include <holdfast/config.hpp>

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

using namespace std::chrono_literals;

inline const endpoint node_a{"10.0.0.1", 6379};
inline const endpoint node_b{"10.0.0.2", 6379};
inline const endpoint node_c{"10.0.0.3", 6379};  // where the Sentinels list replicas
constexpr std::uint16_t sentinel_port = 26379;

class engine_world {
 public:
   explicit engine_world(input&);
   void run();

 private:
   enum class kind : std::uint8_t { push, set, get, transaction, pop, state, script, any };
   struct call {
      impl::operation op = {};
      std::vector<command> commands = {};
      std::vector<result<value>> results = {};
      kind what = kind::any;
      bool repeats = false;  // it may be written again after an unknown outcome
      bool ended = false;
      bool excused = false;        // a server that lies had a part in it
      unsigned whole = 0;          // times its last byte was taken
      unsigned refused = 0;        // times the client was told that it did not run
      unsigned runs = 0;           // on all servers together
      bool unknown_ended = false;  // and it is promised not to run any more
   };
   // A whole command as a server has it.
   struct request {
      std::vector<std::string> words = {};
      call* whose = nullptr;
   };
   struct reply_mark {
      std::size_t end = 0;  // in all that is sent on the connection
      call* refused = nullptr;
   };
   struct connection {
      enum class state : std::uint8_t { resolving, connecting, open };
      state is = state::resolving;
      impl::link_id link = 0;
      std::uint32_t serial = 0;
      endpoint where = {};
      unsigned id = 0;
      bool dead = false;   // for the server: it runs nothing of it any more
      bool lying = false;  // it sent what answers nothing
      bool in_multi = false;
      bool dirty = false;
      bool subscribed = false;
      impl::reader in{impl::limits{}};
      std::deque<request> unread = {};
      std::vector<request> queued = {};
      std::string replies = {};  // on their way
      std::size_t sent = 0;      // given to the client
      std::deque<reply_mark> marks = {};
   };
   using connection_ptr = std::shared_ptr<connection>;
   struct node {
      std::string role = "master";
      unsigned gate = 0;
   };

   // engine_world.cpp: callers and runtime
   void step();
   void submit();
   void cancel();
   void carry_out();
   void carry_out(const impl::io_request&);
   void finished(call&);
   void resolve(connection&);
   void open(connection_ptr, bool succeeds);
   void accept(connection&, std::size_t n);
   void deliver(connection&, std::size_t n);
   void garbage(connection&);
   void cut(connection&, bool by_server);
   void stale(connection&);
   connection* some(std::size_t which) const;
   void excuse_all();

   // engine_time.cpp
   void pass(duration);
   void tick();
   void look();
   bool settle();
   void heal();

   // engine_servers.cpp: servers and Sentinels
   void arrived(connection&);
   void serve(connection&);
   void answer(connection&, std::string reply, call* refused = nullptr);
   void answer_server(connection&, request&);
   void answer_exec(connection&, request&);
   std::string answer_sentinel(connection&, const request&);
   std::string run_one(connection&, request&);
   std::string_view refusal(const connection&, const std::string& name) const;
   std::string kill(const request&);
   void fail_over();
   void kill_clients_of(const endpoint&);
   void publish();

   // engine_failover.cpp: failovers that are announced
   void step_of_failover(std::size_t what);
   void lead(const std::string& channel, const std::string& payload);
   void select();
   void promote();
   void name_promoted();
   void give_up();
   void move_role();
   void look_at_master();
   endpoint followed() const;

   input& in_;
   config settings_;
   bool lists_replicas_ = false;  // the Sentinels do; and they announce what they do
   bool held_names_ = false;
   time_point now_ = time_point{} + 1h;
   std::unique_ptr<impl::engine> subject_;
   std::map<impl::link_id, connection_ptr> live_;
   std::vector<connection_ptr> gone_;  // given up by the client; what was taken of them may still run
   std::deque<call> calls_;
   std::size_t active_ = 0;
   std::map<endpoint, node> nodes_;
   endpoint master_;
   std::uint64_t epoch_ = 5;
   endpoint leader_;    // the Sentinel that has announced a failover
   endpoint selected_;  // by it
   std::uint64_t announced_ = 0;
   unsigned connections_ = 0;
   bool polluted_ = false;  // a Sentinel has lied: what it said is remembered
   unsigned dials_at_once_ = 0;
};

}  // namespace holdfast::fuzz
