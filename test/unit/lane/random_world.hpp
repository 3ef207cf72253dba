// Two nodes and a network that fail at random, around one lane: connections break at any byte and any reply, what was
// written runs late (even when its connection is long gone, as on a stopped server), masters change, servers load,
// fill up and restart. What every caller was told is then held against what the servers ran.
#pragma once

#include "lane/command_lane.hpp"
#include "unit/lane/script.hpp"

#include <holdfast/random.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::impl::test {

class random_world {
 public:
   explicit random_world(std::uint64_t seed);
   // So many random steps; then all faults end, time passes until every caller has its answer, and all that could still
   // run late runs.
   void run(unsigned steps);
   // Adds a failure to the test for each promise that was broken.
   void check_outcomes() const;

   unsigned resent() const { return resent_; }
   unsigned count(std::string_view outcome_or_ok) const;

 private:
   enum class what : std::uint8_t { push, set, transaction, read };
   struct client_call {
      std::size_t id = 0;
      what kind = what::read;
      std::vector<command> commands = {};
      std::vector<result<value>> results = {};
      operation op = {};
      unsigned runs = 0;  // on any node
   };
   struct connection {
      unsigned id = 0;
      std::size_t node = 0;
      std::string address;
      reader in{limits{}};
      std::deque<std::vector<std::string>> unread;
      std::vector<std::vector<std::string>> queued;  // behind MULTI
      bool in_multi = false;
      bool failed_multi = false;
      bool dead = false;    // the server ended it: nothing of it runs any more
      std::string replies;  // on their way
   };
   struct node {
      endpoint where;
      bool loading = false;
      bool full = false;
      unsigned processes = 1;            // that it has been so far
      std::vector<std::size_t> history;  // the calls that ran, in order
      std::vector<std::shared_ptr<connection>> connections;
   };

   void step();
   void submit();
   void open();
   void accept(std::size_t n);
   void deliver(std::size_t n);
   void break_connection(bool by_server);
   void fail_over();
   void restart();
   void pass(duration d);
   void cancel_one();
   void carry_out();
   void finish();
   bool all_done() const;

   void serve(connection& c);
   std::string answer(connection& c, const std::vector<std::string>& words);
   std::string answer_exec(connection& c);
   std::string run_write(connection& c, const std::vector<std::string>& words);
   std::string refusal(const connection& c, const std::string& name) const;
   std::string kill(const std::vector<std::string>& words);
   std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
   bool chance(unsigned percent) { return below(100) < percent; }

   void check_call(const client_call& c) const;
   void check_order() const;

   std::uint64_t seed_;
   random_source random_;
   bool kill_is_forbidden_;
   time_point now_ = time_point{} + 1h;
   scripted_topology topology_;
   event_queue events_{true};
   retry_budget budget_{{.unlimited = true}};
   io_queue io_;
   link main_{io_, limits{}};
   link probe_{io_, limits{}};
   std::unique_ptr<command_lane> lane_;
   std::deque<client_call> calls_;
   std::vector<node> nodes_;
   std::size_t master_ = 0;
   std::uint64_t epoch_ = 5;
   unsigned connections_ = 0;
   std::shared_ptr<connection> now_connected_;
   unsigned resent_ = 0;
};

}  // namespace holdfast::impl::test
