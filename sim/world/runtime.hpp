// A runtime for the engine that ships, in the virtual world, as runtime/poll is one in the real one. The checkers hear
// of all that it does.
//
// Its virtual functions are the steps of a connection: who overrides one of them makes that step go wrong.
#pragma once

#include "engine/engine.hpp"
#include "resp/reader.hpp"
#include "sim/checkers/checkers.hpp"
#include "sim/world/runtime_user.hpp"
#include "sim/world/shared_state.hpp"

#include <holdfast/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

class runtime {
 public:
   runtime(shared_state&, checkers&, runtime_user&, std::uint32_t number, host_id host, const config&,
           std::uint64_t seed, impl::callers who = impl::callers::one);
   virtual ~runtime() = default;
   runtime(const runtime&) = delete;
   runtime& operator=(const runtime&) = delete;

   impl::engine brain;
   host_id host() const { return host_; }
   unsigned open_connections(host_id to) const;
   bool something_in_flight() const { return brain.lane().in_flight() != 0; }

   // ---- events ----
   void connected(connection_id c) { readable(c); }
   void not_connected(connection_id, std::string_view why);
   void readable(connection_id);
   void writable(connection_id);
   void on_timer(std::uint64_t generation);
   virtual void freeze() { frozen_ = true; }
   virtual void thaw();

 protected:
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

   virtual bool looks() const { return !frozen_; }
   virtual void resolve(const impl::io_request&);
   virtual void connect(const impl::io_request&);
   virtual void opened(std::uint32_t link);
   virtual void write(std::uint32_t link);
   virtual void read(std::uint32_t link);
   virtual void tick();
   // Of a whole command that the kernel has taken.
   virtual void took(socket&, const words&, std::string_view raw, bool handed_over);
   // Of each reply that is read, and of each event that is told.
   virtual void heard(const socket&, value_view) {}
   virtual void told(const any_event&) {}
   virtual void finished(impl::operation&) = 0;

   void carry_out();
   void take_done();
   void look();
   // The kernel takes up to so many bytes; they leave it, or never will. How many there were.
   std::size_t hand_over(std::uint32_t link, std::size_t most, bool leaves = true);
   // The engine reads up to so many bytes of what came. Whether it goes on with this connection.
   bool receive(std::uint32_t link, std::size_t most);
   // Bytes that no server has sent, before those that came.
   void inject(std::uint32_t link, std::string_view bytes);
   void lose(std::uint32_t link, std::string_view why, bool noticed = true);
   // A command's beginning was taken, and not its end.
   bool is_partly_sent() const;
   bool is_server(const socket& s) const { return shared_.servers[s.seen.to] != nullptr; }
   time_point now() const { return shared_.time.now(); }

   shared_state& shared_;
   checkers& checkers_;
   runtime_user& world_;
   std::uint32_t number_;
   std::vector<socket> sockets_;  // by link - 1
   bool frozen_ = false;
   std::uint32_t dials_ = 0;
   time_point wrote_at_ = {};  // a command, or what goes before one, to a server

 private:
   void look_at(std::uint32_t link);
   void tell_taken(socket&, std::string_view taken);
   void count_replies(socket&, std::string_view bytes);
   void hear(socket&);
   bool is_listed(host_id sentinel) const;
   void forget(socket&);
   void arm();
   void tell();
   void tell_checkers(const any_event&);
   std::uint32_t link_of(connection_id);

   host_id host_;
   std::vector<endpoint> seeds_;      // that it was given
   std::vector<bool> leads_to_seed_;  // by link - 1: what was resolved for it last
   time_point armed_for_ = never;
   std::uint64_t timer_ = 0;
   std::uint64_t spins_ = 0;
   time_point spun_at_ = {};
   std::vector<any_event> events_;
   words words_;
};

}  // namespace holdfast::sim
