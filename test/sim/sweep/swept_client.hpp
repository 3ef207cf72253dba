// The client of a stage: a runtime that counts its steps, one reply or one write at a time, and goes wrong at the one
// where a fault strikes.
#pragma once

#include "sim/sweep/scenario.hpp"
#include "sim/world/client.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim::sweep {

// What the client wants of its stage.
class stage_hand {
 public:
   virtual ~stage_hand() = default;
   // Counts a step. The fault that strikes at it, unless it has struck a process; null: none.
   virtual const injection* meet(const step&) = 0;
   virtual void later(duration, std::function<void()>) = 0;
};

class swept_client final : public client {
 public:
   swept_client(shared_state&, checkers&, runtime_user&, stage_hand&, host_id host, const config&, const scenario&);

   // All at once. The deadline: that of the client, unless one is given.
   void give(const std::vector<given>&);
   call_number give(const given&, std::optional<duration> deadline);

   // What became of a call.
   struct fate {
      given what;
      unsigned whole = 0;    // times that its last byte was taken
      unsigned refused = 0;  // times that an error was read as its reply
      time_point deadline = never;
      std::optional<error> failed = {};
      bool done = false;
   };
   const std::vector<fate>& fates() const { return fates_; }  // by number
   // The how manieth connection it is; 0: no longer one.
   std::uint32_t dial_of(connection_id) const;
   using client::open_connections;
   unsigned open_connections() const;
   std::size_t unnoticed() const { return unnoticed_; }  // that a server still takes for open

 private:
   struct expected {
      call_number number = 0;  // 0: of the handshake, or a PING
      std::string command;
      bool answers_call = false;  // not only a part of a transaction
   };
   // What is known of a connection beyond its socket.
   struct progress {
      std::uint32_t dial = 0;
      bool stuck = false;     // the kernel takes nothing now
      bool one_byte = false;  // and no more than one at a time
      bool held = false;      // nothing is read now
      bool together = false;  // what comes next is read in one
      unsigned db = 0;        // that it was told to select
      std::string name = {};  // that it was given
      bool after_multi = false;
      std::uint32_t replies = 0;
      std::deque<expected> awaited = {};
   };

   void resolve(const impl::io_request&) override;
   void connect(const impl::io_request&) override;
   void opened(std::uint32_t link) override;
   void write(std::uint32_t link) override;
   void read(std::uint32_t link) override;
   void tick() override;
   void took(socket&, const words&, std::string_view raw, bool handed_over) override;
   void ended(call&) override;

   step at(step::kind, const socket&, std::size_t bytes = 0) const;
   progress& progress_of(const socket&);
   bool is_current(std::uint32_t link, std::uint32_t dial) const;
   void go_on_later(std::uint32_t link, duration, void (swept_client::*how)(std::uint32_t link));
   call_number submit(const given&, std::optional<duration> deadline);
   void unblock(std::uint32_t link);
   void unhold(std::uint32_t link);
   void read_one(std::uint32_t link, std::size_t n);
   void read_with(std::uint32_t link, std::size_t n, const injection&);
   void read_all(std::uint32_t link);
   void count_reply(std::uint32_t link);
   void read_instead(std::uint32_t link, std::size_t n, std::string_view bytes);
   call* call_of(std::string_view raw);

   stage_hand& stage_;
   const scenario& scenario_;
   std::vector<progress> progress_;  // by link - 1
   std::vector<fate> fates_{1};
   std::size_t unnoticed_ = 0;
};

}  // namespace holdfast::sim::sweep
