// A client: the engine that ships, unchanged, and a runtime for it in the virtual world, as runtime/poll is one in the
// real one. Its callers follow a workload.
#pragma once

#include "engine/engine.hpp"
#include "resp/reader.hpp"
#include "sim/checkers.hpp"
#include "sim/shared_state.hpp"
#include "sim/workload.hpp"

#include <holdfast/command.hpp>
#include <holdfast/config.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace holdfast::sim {

// Reports of clients to the world.
class client_user {
 public:
   virtual ~client_user() = default;
   virtual host_id host_of(const endpoint&) = 0;  // `nowhere` if there is none
   virtual std::vector<endpoint> resolve(const endpoint&) = 0;
   virtual duration well_for() = 0;  // how long all has been well
   virtual void wrote_command(host_id server) = 0;
   virtual void dialled(host_id) = 0;
   virtual void asked(host_id sentinel) = 0;
   virtual void answered(std::uint32_t client) = 0;  // its command was acknowledged
};

class sim_client {
 public:
   sim_client(shared_state&, checkers&, client_user&, std::uint32_t number, host_id host, const config&,
              const workload&, std::uint64_t seed);

   impl::engine brain;
   host_id host() const { return host_; }

   void start();
   void stop() { stopping_ = true; }  // no new commands
   // One last command, which has long: the world is healed.
   void last_call();
   bool last_call_ok() const { return last_ok_; }
   bool at_rest() const { return active_ == 0; }
   unsigned open_connections(host_id to) const;
   bool something_in_flight() const { return brain.lane().in_flight() != 0; }

   // ---- events ----
   void connected(connection_id);
   void not_connected(connection_id, std::string_view why);
   void readable(connection_id);
   void writable(connection_id);
   void on_timer(std::uint64_t generation);
   void next();
   void cancel(call_number);
   void freeze();
   void thaw();

 private:
   struct socket {
      connection_id id = 0;
      std::uint32_t generation = 0;
      std::uint32_t serial = 0;
      bool open = false;
      bool connecting = false;
      bool blocked = false;
      bool ready = false;  // something came while nobody looked
      std::string failed = {};
      std::string name = {};  // what was dialled: a host name, or an address
      server_line seen = {};  // as the checkers see it; to a Sentinel, too
      impl::reader replies{impl::limits{}};
      std::string begun = {};       // of a command whose end the kernel has not taken
      std::size_t handed_over = 0;  // bytes from there on that the engine let go of before the latest news was read
      // A connection that failed is no more, and its number may be another's.
      bool is_there() const { return open && failed.empty(); }
   };
   struct call {
      impl::operation op;
      std::vector<command> commands;
      std::array<result<value>, 5> results;
      call_number number = 0;
      bool active = false;
      bool was_away = false;
      bool is_last = false;
      bool alone = false;       // given while all was well and nothing else was under way
      bool plans_next = false;  // of a list one does
   };

   bool looks() const { return !frozen_ && !(settings_.blocking && active_ == 0); }
   // Terms that the commands of one list share.
   struct terms {
      time_point deadline = never;
      bool default_deadline = false;
      bool last = false;
      std::uint32_t group = 0;
   };
   terms draw_terms(bool last);
   unsigned draw(std::span<const unsigned> weights);
   void give(std::span<const call_kind>, const terms&);
   void give_list(const terms&);
   call& prepare(call_kind, const terms&);
   void write_commands(call&, call_kind);
   void look();
   void tick();
   void look_at(std::uint32_t link);
   bool read(std::uint32_t link);
   void lose(std::uint32_t link, std::string_view why);
   void write(std::uint32_t link);
   void tell_sent(socket&, std::string_view taken);
   void count_replies(socket&, std::string_view bytes);
   void hear(socket&);
   bool is_listed(host_id sentinel) const;
   void forget(socket&);
   void connect(const impl::io_request&);
   void resolve(const impl::io_request&);
   void carry_out();
   void take_done();
   void finished(call&);
   void check_haste(const call&);
   void arm();
   void plan_next();
   std::uint32_t link_of(connection_id);
   void tell();
   time_point now() const { return shared_.time.now(); }

   shared_state& shared_;
   checkers& checkers_;
   client_user& world_;
   std::uint32_t number_;
   host_id host_;
   workload settings_;
   random chance_;
   std::vector<socket> sockets_;      // by link - 1
   std::vector<endpoint> seeds_;      // that it was given
   std::vector<bool> leads_to_seed_;  // by link - 1: what was resolved for it last
   std::vector<std::unique_ptr<call>> calls_;
   unsigned active_ = 0;
   unsigned planned_ = 0;
   std::uint32_t groups_ = 0;  // of its callers, if each is one
   bool frozen_ = false;
   bool stopping_ = false;
   bool last_ok_ = false;
   bool working_ = false;
   time_point armed_for_ = never;
   std::uint64_t timer_ = 0;
   std::uint32_t dials_ = 0;
   std::uint64_t spins_ = 0;
   time_point spun_at_ = {};
   time_point wrote_at_ = {};  // a command, or what goes before one, to a server
   std::vector<any_event> events_;
   words words_;
};

}  // namespace holdfast::sim
