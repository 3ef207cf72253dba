// A world for one run of a scenario: servers, Sentinels, a network without chance, the engine that ships, and a runtime
// that counts the engine's steps and lets a fault strike at any of them. Servers are the simulator's, so what ran is
// known; its checkers judge, and so does `judge`.
#pragma once

#include "engine/engine.hpp"
#include "sim/checkers.hpp"
#include "sim/redis_model.hpp"
#include "sim/sentinel_model.hpp"
#include "sim/shared_state.hpp"
#include "sim/sweep/scenario.hpp"

#include <holdfast/command.hpp>
#include <holdfast/config.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim::sweep {

class stage final : private network_user, private shared_state_user {
 public:
   stage(const scenario&, const std::vector<injection>&);

   report run();

 private:
   struct expected {
      call_number number = 0;  // 0: of the handshake, or a PING
      std::string command;
      bool is_empty = false;  // an EXEC straight behind its MULTI: the client's own question
      bool turned_away = false;
      std::size_t error = 0;
   };
   struct socket {
      connection_id id = 0;
      std::uint32_t generation = 0;
      std::uint32_t serial = 0;
      host_id host = nowhere;
      std::uint32_t dial = 0;
      bool open = false;
      bool connecting = false;
      bool blocked = false;   // the kernel takes nothing now
      bool one_byte = false;  // and no more than one at a time
      bool held = false;      // nothing is read now
      bool together = false;  // what comes next is read in one
      std::string failed;
      std::string in;            // read from the network, not yet by the engine
      std::string sent;          // the beginning of a command
      unsigned db = 0;           // that it was told to select
      std::string name;          // that it was given
      bool after_multi = false;  // the last command was one
      std::uint32_t commands = 0;
      std::uint32_t replies = 0;
      std::deque<expected> awaited;
   };
   struct call {
      impl::operation op;
      std::vector<command> commands;
      std::array<result<value>, 4> results;
      call_number number = 0;
      given what;
      bool active = false;
      bool was_away = false;
      unsigned whole = 0;    // times that its last byte was taken
      unsigned refused = 0;  // times that an error was read as its reply
      unsigned cut = 0;      // a reply to it was read in part, or replaced
   };

   // stage.cpp: the world, the course of things, the judgement
   void build();
   config settings() const;
   void miss_a_failover();
   void run_until(time_point);
   void run_for(duration d) { run_until(shared_.time.now() + d); }
   bool run_till_done(duration most);
   void handle(const event&);
   call& give(const given&, std::optional<duration> deadline);
   void judge();
   void judge_calls();
   bool passes(const injection&) const;
   redis_model* master() const;
   duration well_for() const;
   void later(duration, std::function<void()>);
   time_point now() const { return shared_.time.now(); }
   // stage_runtime.cpp
   void carry_out();
   void resolve(const impl::io_request&);
   void connect(const impl::io_request&);
   void write(std::uint32_t link);
   void accept(std::uint32_t link, std::size_t n, bool send);
   void lose(std::uint32_t link, std::string_view why, bool noticed);
   void take_done();
   void arm();
   void on_timer(std::uint64_t generation);
   void look();
   void take_in(std::uint32_t link);
   bool open_up(std::uint32_t link);
   void read(std::uint32_t link, std::size_t n);
   void read_with(std::uint32_t link, std::size_t n, const injection&);
   void count_reply(socket&, std::size_t n);
   void read_all_at_once(std::uint32_t link);
   void feed(std::uint32_t link, std::string_view bytes);
   std::uint32_t link_of(connection_id);
   // stage_faults.cpp
   const injection* meet(step);
   bool strikes_process(const injection&, const step&);
   void freeze(host_id, duration);
   void restart(host_id);
   void go_away(duration);
   void unwell_for(duration d) { unwell_until_ = std::max(unwell_until_, now() + d); }
   // network_user
   void connected(connection_id c) override { readable(c, end::client); }
   void not_connected(connection_id, std::string_view why) override;
   void readable(connection_id, end) override;
   void writable(connection_id) override {}
   // fabric_user
   void ran(host_id, const words&, const execution&) override;
   void became_master(host_id, place begins) override { checkers_.new_branch(begins, true); }
   void selected(host_id) override {}
   void note(host_id, std::string_view) override {}

   scenario scenario_;
   std::vector<injection> injections_;
   shared_state shared_;
   checkers checkers_;
   std::vector<std::unique_ptr<redis_model>> servers_;
   std::vector<std::unique_ptr<sentinel_model>> sentinels_;
   host_id host_ = nowhere;
   std::unique_ptr<impl::engine> brain_;
   std::vector<socket> sockets_;  // by link - 1
   std::deque<call> calls_;
   unsigned active_ = 0;
   std::vector<std::function<void()>> thunks_;
   std::vector<step> steps_;
   bool sweeping_ = false;
   bool asleep_ = false;
   bool working_ = false;
   std::uint32_t dials_ = 0;
   std::uint64_t timer_ = 0;
   time_point armed_for_ = never;
   unsigned spins_ = 0;
   time_point spun_at_ = {};
   time_point unwell_until_ = {};
   time_point wrote_at_ = {};
   std::size_t unnoticed_ = 0;  // connections that a server still takes for open
   unsigned resent_ = 0;
   std::vector<any_event> events_;
};

}  // namespace holdfast::sim::sweep
