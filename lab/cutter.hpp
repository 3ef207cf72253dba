// A transparent TCP relay in front of a server that ends connections after an exact number of bytes.
#pragma once

#include "lab/port.hpp"

#include <holdfast/endpoint.hpp>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace holdfast::lab {

enum class direction { to_server, to_client };
// What the client sees: RST, FIN, an open connection on which nothing moves any more, or one whose other kernel is
// gone: it does not even acknowledge what it is sent.
enum class ending { reset, fin, silence, vanish };

// Exactly `after` bytes are handed on in that direction, then the connection ends at once: what the other side says
// after that moment is swallowed. The server always sees a FIN after the bytes that were handed to it (silence: not
// even that), so that it runs whatever of them is whole commands.
struct cut {
   direction towards = direction::to_server;
   std::size_t after = 0;
   ending how = ending::reset;
};

// Runs in a thread of its own. All members may be called from any thread.
class cutter {
 public:
   // Listens on a free port of 127.0.0.1 and connects each comer to `server` (an IPv4 address). A server that refuses
   // is shown to the client as a connection that is reset.
   explicit cutter(const endpoint& server);
   ~cutter();  // resets what is open
   cutter(const cutter&) = delete;
   cutter& operator=(const cutter&) = delete;

   endpoint address() const { return {"127.0.0.1", port_.number()}; }

   // The next connection that nobody cuts yet is cut so; several calls wait in line, one for each connection. Those
   // that come when no cut is waiting pass whole.
   void cut_next(cut);
   // All open connections are cut so, counted from now.
   void cut_open(cut);
   // Takes back the cuts that wait for a connection, and lets the silent ones end (RST).
   void heal();

   struct passed {
      std::size_t to_server = 0;
      std::size_t to_client = 0;
      bool cut = false;
      bool over = false;  // both sides are closed: the server has read all that it was given
   };
   // Every connection that was ever accepted, in that order.
   std::vector<passed> connections() const;
   // How many are not over, and how many were cut.
   std::size_t open() const;
   std::size_t cuts() const;

 private:
   struct state;
   void run();

   reserved_port port_;
   std::unique_ptr<state> state_;
   std::thread thread_;
};

}  // namespace holdfast::lab
