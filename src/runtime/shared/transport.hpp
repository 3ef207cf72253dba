// One connection between the kernel and the engine, for every runtime: how it is made, what is done at each of its
// ends, and in which pieces bytes go. A runtime adds only how it waits. All bytes of a connection pass through `read`
// and `write`: a filter (TLS) has its place there.
#pragma once

#include "engine/engine.hpp"
#include "runtime/shared/socket.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <string>

namespace holdfast::impl {

class transport {
 public:
   enum class state : std::uint8_t {
      closed,
      connecting,  // writable means connected, or failed
      open,
      blocked,  // open, and the kernel takes no more at present
   };

   transport() = default;
   // Answers the engine's request. What fails at once is told at once.
   transport(engine&, const io_request& request, time_point now);

   state now() const { return state_; }
   int fd() const { return socket_.fd(); }
   std::uint32_t serial() const { return serial_; }
   bool waits_to_read() const { return state_ == state::open || state_ == state::blocked; }
   bool waits_to_write() const { return state_ == state::connecting || state_ == state::blocked; }

   // ---- what the runtime was waiting for ----
   // Reads what is there; a peer that floods us can't keep us from the time, nor from the others.
   void read(engine&, time_point now);
   // Goes on connecting, or writing.
   void writable(engine&, time_point now);

   // ---- what the engine asks for ----
   void write(engine&, time_point now);  // what the kernel takes of all that is queued
   void close();                         // in order
   void abort();                         // what the kernel still holds must not be delivered late

   // It can't be used any more: ends it, and tells the engine.
   void lose(engine&, const std::string& why, time_point now);

 private:
   void set_state(state s) { state_ = s; }

   socket socket_;
   link_id link_ = 0;
   std::uint32_t serial_ = 0;
   state state_ = state::closed;
};

}  // namespace holdfast::impl
