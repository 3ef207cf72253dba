// One connection as the pure layers see it: what is asked of the runtime (dial, close), the bytes to be written and the
// bytes that came. Its owner (the lane, suspicion, the tracker) drives the upper half, the engine the lower half.
#pragma once

#include "link/outbox.hpp"
#include "resp/reader.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl {

class link;

// State of the way to the other side, as the kernel knows it.
struct transit {
   std::uint64_t undelivered = 0;  // bytes that it took and that the other side's kernel has not acknowledged
   bool unanswered = false;        // it sends them again, or asks for room, and for a second nothing came back
};

class io_queue;

// Told what happens to a link: one call an event, never one a byte. Any other link may be closed, dialled or destroyed
// inside; this one may be closed or dialled, which are requests.
class link_owner {
 public:
   virtual void on_opened(link&, time_point now) = 0;
   virtual void on_received(link&, time_point now) = 0;                    // bytes are in link.in
   virtual void on_lost(link&, std::string_view why, time_point now) = 0;  // not connected, or no longer
   virtual void on_wrote(link&, time_point) {}                             // the kernel took bytes
   virtual void on_measured(link&, const transit&, time_point) {}

 protected:
   ~link_owner() = default;
};

class link {
 public:
   enum class state : std::uint8_t {
      closed,   // nothing is asked of the runtime, nothing is open
      dialing,  // the runtime resolves and connects
      open,     // bytes can be written
   };

   // `at_a_time`: how much is received.
   link(io_queue& io, const limits& l, std::size_t at_a_time = 64 * 1024) : in(l), chunk(at_a_time), io_(&io) {}
   ~link();  // closes it; what is still reported of it finds nobody
   link(const link&) = delete;
   link& operator=(const link&) = delete;

   // ---- the owner's half ----
   void set_owner(link_owner& o) { owner_ = &o; }  // before the first dial
   void dial(const endpoint& where);               // closes what was open; the answer is `on_opened` or `on_lost`
   void close();                                   // orderly (FIN)
   void abort();  // at once (RST, SO_LINGER 0), so that nothing more of ours is delivered late
   void write(std::string_view bytes);
   void flush();  // after appending to `out` directly

   // A name may have several addresses. Those that refuse a connection are passed over by the engine; one that answers,
   // and is not what the owner looks for, by the owner.
   bool has_next() const { return others_ != 0; }          // addresses of this dial that were not tried yet
   bool one_of_several() const { return addresses_ > 1; }  // those of the last dial
   const endpoint& address() const { return address_; }    // the one that was tried last; empty before the first
   void dial_next();                                       // as `dial`, to the next one; only where there is one
   void pass_over();  // before a close: the next dial begins with another one, if there is one

   state now() const { return state_; }
   const endpoint& where() const { return where_; }
   bool is_open() const { return state_ == state::open; }

   outbox out;
   reader in;
   const std::size_t chunk;
   std::uint32_t mark = 0;  // its holder's, to tell its links apart

   // ---- the engine's half ----
   enum class ending : std::uint8_t { none, orderly, abortive };
   struct pending_io {
      ending close = ending::none;  // first: end the connection that was there
      bool unwanted = false;        // it answered, and is not what is looked for
      bool dial = false;            // then: resolve `where` and connect
      bool next = false;            // or: connect to the next address of it
      bool write = false;           // and: there are bytes in `out`

      bool only_writes() const { return write && !unwanted && !dial && !next && close == ending::none; }
   };
   pending_io take_pending();
   // Reports of the runtime, passed on to the owner.
   void opened(time_point now) {
      state_ = state::open;
      owner_->on_opened(*this, now);
   }
   void received(time_point now) { owner_->on_received(*this, now); }
   void wrote(std::size_t n, time_point now) {
      out.wrote(n);
      owner_->on_wrote(*this, now);
   }
   void measured(const transit& t, time_point now) { owner_->on_measured(*this, t, now); }
   void lost(std::string_view why, time_point now);  // the runtime's connection is gone
   void tries(const endpoint& address, std::size_t others, std::size_t all) {
      address_ = address;
      others_ = others;
      addresses_ = all;
   }
   // Distinguishes this connection from earlier ones of the same link: what the runtime still reports of those is
   // ignored.
   std::uint32_t serial() const { return serial_; }

   std::uint32_t id() const { return id_; }  // 0 before the first dial

 private:
   friend class io_queue;
   void ask_runtime();
   void end();

   io_queue* io_;
   link_owner* owner_ = nullptr;
   endpoint where_;
   endpoint address_;
   std::size_t others_ = 0;
   std::size_t addresses_ = 0;
   pending_io pending_;
   std::uint32_t serial_ = 0;
   std::uint32_t id_ = 0;
   state state_ = state::closed;
};

// All links of an engine by their ids, and which of them have I/O pending (dial, close, bytes to write) that the
// runtime has not seen yet. A link that is destroyed leaves its pending close here, and its serial, from which the next
// one of its id counts on.
class io_queue {
 public:
   struct entry {
      std::uint32_t id = 0;    // 0: the list is empty
      link* holder = nullptr;  // null: destroyed
      link::pending_io pending_io = {};

      explicit operator bool() const { return id != 0; }
   };
   entry take();
   bool empty() const { return next_ == waiting_.size(); }
   // The link of this connection; null if that was given up or lost, or the link was destroyed.
   link* live(std::uint32_t id, std::uint32_t serial) const {
      link* const l = places_[id - 1].holder;
      return l != nullptr && l->serial() == serial && l->now() != link::state::closed ? l : nullptr;
   }

 private:
   friend class link;
   struct place {
      link* holder = nullptr;
      link::pending_io left = {};
      std::uint32_t serial = 0;  // of the last holder
      bool listed = false;
   };
   void add(link&);
   void enter(link&);
   void leave(link&);

   std::vector<place> places_;  // by id - 1
   std::vector<std::uint32_t> waiting_;
   std::size_t next_ = 0;
};

}  // namespace holdfast::impl
