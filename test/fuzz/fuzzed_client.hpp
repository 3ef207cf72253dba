// The client of an engine_world. The input says what its kernel takes of a write and gives of what came, which bytes no
// server has sent arrive, and when a connection ends.
#pragma once

#include "fuzz/target.hpp"
#include "sim/world/client.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

class fuzzed_client final : public sim::client {
 public:
   using client::client;

   // ---- callers ----
   struct patience {
      duration time = {};
      bool is_default = true;
   };
   void give(sim::call_kind, delivery, const patience&, unsigned database = 0);
   // Any command, of which the checkers know nothing.
   void give(std::vector<command>, delivery, const patience&);
   void cancel(std::size_t which);
   bool has_ended() const { return at_rest() && strays_open_ == 0; }
   bool last_succeeded() const { return last_succeeded_; }

   // ---- names and connects: the next one ----
   enum class trouble : std::uint8_t { none, unknown, silent, several, refused };
   trouble next_name = trouble::none;
   trouble next_connect = trouble::none;

   // ---- connections, by any number ----
   // What its kernel takes and gives is said by `take_some` and `read_some` from now on, or no longer.
   void hold(std::size_t which, bool);
   void take_some(std::size_t which, std::size_t n);
   void read_some(std::size_t which, std::size_t n);
   void cut(std::size_t which, bool noticed);
   // Reports of a connection that was given up, such as a runtime may still have in hand.
   void report_late(std::size_t which);
   // Bytes that nobody has sent; an event that nobody has published, on a subscription.
   void hear(std::size_t which, std::string_view bytes);
   void hear_event(std::size_t which, std::string_view bytes);

   // Each reply that is read.
   std::function<void(sim::host_id from, value_view)> on_reply;

   void look();
   unsigned dials() const { return dials_; }
   // All is taken and read; who has lied is left.
   void heal();

 private:
   struct stray {
      impl::operation op = {};
      std::vector<command> commands = {};
      std::vector<result<value>> results = {};
   };
   // Of a connection, beyond its socket.
   struct treatment {
      std::uint32_t dial = 0;
      bool held = false;
      bool lies = false;
      bool subscribes = false;
   };

   void resolve(const impl::io_request&) override;
   void connect(const impl::io_request&) override;
   void write(std::uint32_t link) override;
   void read(std::uint32_t link) override;
   void tick() override;
   void took(socket&, const sim::words&, std::string_view raw, bool handed_over) override;
   void heard(const socket&, value_view) override;
   void told(const any_event&) override;
   void ended(call&) override;
   void finished(impl::operation&) override;
   terms terms_of(const patience&) const;
   void check(const impl::operation&, const result<value>& last) const;
   void hear_on(std::uint32_t link, std::string_view bytes);
   std::uint32_t some(std::size_t which) const;  // link of an open connection; 0: none
   treatment& treatment_of(std::uint32_t link);

   std::deque<stray> strays_;
   std::size_t strays_open_ = 0;
   std::vector<treatment> treatments_;  // by link - 1
   bool last_succeeded_ = false;
};

}  // namespace holdfast::fuzz
