// A state in which a server refuses (LOADING, BUSY, NOREPLICAS, OOM, ...), and the pause that follows each such reply.
// While the gate is closed, the oldest of the commands that it holds is sent alone after each pause: its probe.
// ("The decision" in docs/architecture.md)
#pragma once

#include "commands/error_reply.hpp"
#include "lane/decision.hpp"
#include "lane/operation.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/random.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::impl {

class gate {
 public:
   enum class state : std::uint8_t {
      open,
      refuses_writes,  // reads go on with each probe, unless they are about what is held
      refuses_everything,
      busy,  // with a script: so it does, but for what ends that
   };

   explicit gate(random_source random) : random_(random) {}

   // `where` refused a command for the (`times` + 1)-th time in a row.
   void on_refused(reply_class, const pause&, unsigned times, const endpoint& where, std::string_view text,
                   time_point now);
   void on_connected(const endpoint& where) {
      if (where != asked_by_) open();
   }
   void open();
   void tick(time_point now) {
      if (now >= pause_ends_) pause_ends_ = {};
   }

   state now() const { return state_; }
   bool is_open() const { return state_ == state::open; }
   // It is closed, and the server takes the operation all the same.
   bool passes(const operation& op) const {
      if (state_ == state::refuses_writes) return op.reads_only && op.pushbacks == 0;
      return state_ == state::busy && allows_busy_server(op);
   }
   bool paused(time_point now) const { return now < pause_ends_; }
   time_point pause_ends() const { return pause_ends_; }  // zero: there is none
   const std::string& words() const { return words_; }    // of the node that asked for the pause
   bool may_ask(time_point now);                          // whether the Sentinels are asked about it now: once a second

   std::uint64_t round() const { return round_; }  // another one after each probe, and whenever it opens
   bool wants_probe(time_point now) const { return !paused(now) && probe_ == 0; }
   void set_probe(const operation& op) { probe_ = op.sequence; }
   // The command of this sequence is in flight no more. Whether it was the probe.
   bool take_probe(std::uint64_t sequence);
   void drop_probe() {
      probe_ = 0;
      ++round_;
   }

 private:
   void set_state(state s) { state_ = s; }

   random_source random_;
   state state_ = state::open;
   std::uint64_t round_ = 1;
   std::uint64_t probe_ = 0;  // a sequence; 0: none
   time_point pause_ends_ = {};
   endpoint asked_by_;
   std::string words_;
   time_point last_asked_ = {};
};

}  // namespace holdfast::impl
