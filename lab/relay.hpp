// A transparent TCP relay in front of a server, that can be told to break what passes through it.
#pragma once

#include "lab/await.hpp"
#include "lab/port.hpp"

#include <holdfast/endpoint.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace holdfast::lab {

// Runs in a thread of its own. All members may be called from any thread.
class relay {
 public:
   // Listens on a free port of 127.0.0.1 and connects each comer to `server` (an IPv4 address).
   explicit relay(const endpoint& server);
   ~relay();
   relay(const relay&) = delete;
   relay& operator=(const relay&) = delete;

   endpoint address() const { return {"127.0.0.1", port_.number()}; }

   // The next request that contains `marker` (bytes of one write, e.g. "\r\nINCR\r\n": only the workload's connections
   // say such things) is forwarded, its reply swallowed once it has come, and the connection reset (RST) towards the
   // client. Counts in `replies_lost`. Several calls add up: each loses one reply.
   void lose_reply_to(const std::string& marker);
   unsigned replies_lost() const;
   clock::time_point last_loss() const;
   // Whether all that was asked of lose_reply_to has happened.
   bool done() const;
   // Connections that pass through at present.
   unsigned connections() const;

   // A partition: nothing is read any more, from neither side, and nobody is told. Connections stay; a new one is never
   // completed, as the kernel is made to drop SYNs by a full backlog. What a real partition does and this cannot: our
   // kernel still acknowledges what is sent to us, and what a side sent before it gave its connection up is not lost.
   void hold();
   // The end of it. `intact`: what was said meanwhile is passed on, also on behalf of those who have left since.
   // `reset`: all connections of before are reset, towards both sides, and what was under way is gone.
   enum class healing { intact, reset };
   void heal(healing);
   // What is said from now on, an end or a reset too, is passed on so much later, in each direction. Does not delay the
   // kernel's handshake. Zero: at once.
   void delay(milliseconds each_way);
   // All three return when it is so.

 private:
   struct state;
   void run();
   template <class Change>
   void order(Change change);

   reserved_port port_;
   std::unique_ptr<state> state_;
   std::thread thread_;
};

}  // namespace holdfast::lab
