// A transparent TCP proxy in front of a server, with a list of faults for each connection. Nothing is ever reordered.
#pragma once

#include "lab/await.hpp"
#include "lab/port.hpp"

#include <holdfast/endpoint.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace holdfast::lab {

enum class direction { to_server, to_client };

struct network_fault {
   enum class kind {
      delay,       // what is said arrives `time` later, an end or a reset too; delays add up
      dribble,     // `rate` bytes a second pass; on connections to come little is under way in between
      stall,       // nothing is read, and nothing passes: the sender's kernel is held back
      swallow,     // what is said is taken, and gone
      half_close,  // a FIN; the other direction goes on
      // The others end both directions: what is said from then on is swallowed. The server sees a FIN behind the bytes
      // that it was handed, and runs whatever of them is whole commands. The client sees
      close,    // a FIN,
      reset,    // an RST,
      silence,  // an open connection on which nothing moves any more (the server sees no FIN either), or
      vanish,   // the same, of a machine that is gone: what is sent to it is not even acknowledged.
   };
   kind what = kind::reset;
   direction towards = direction::to_server;
   std::size_t after = 0;    // begins when exactly so many bytes were handed on in that direction, counted from now
   milliseconds time = {};   // of a delay
   std::size_t rate = 0;     // of a dribble
   std::string spared = {};  // connections from this IPv4 address are left alone

   friend bool operator==(const network_fault&, const network_fault&) = default;
};
// The same fault in each direction.
std::vector<network_fault> both_ways(network_fault);

// Runs in a thread of its own. All members may be called from any thread. What is imposed or lifted counts for what is
// said after that: what has come already is taken in as before.
class fault_proxy {
 public:
   // Listens on a free port of 127.0.0.1 and connects each comer to `server` (an IPv4 address). A server that refuses
   // is shown to the client as a connection that is reset.
   explicit fault_proxy(const endpoint& server);
   ~fault_proxy();  // resets what is open
   fault_proxy(const fault_proxy&) = delete;
   fault_proxy& operator=(const fault_proxy&) = delete;

   endpoint address() const { return {"127.0.0.1", port_.number()}; }

   // On all connections, the open ones and those to come.
   void impose(const std::vector<network_fault>&);
   void impose_on_open(const network_fault&);
   // On the next connection for which none is waiting yet: several calls stand in line.
   void impose_on_next(const network_fault&);
   // On the connection that says `marker` next (bytes of one write, e.g. "\r\nINCR\r\n": only the workload's
   // connections say such things). The request is handed on, its reply swallowed once it has come, and both sides are
   // reset. Several calls add up: each loses one reply.
   void lose_reply_to(const std::string& marker);
   // Takes those back that were imposed on all connections.
   void lift(const std::vector<network_fault>&);
   // Takes all faults back, also those that wait, and resets the silent connections.
   void lift_all();

   // A partition: all connections stall, and a new one is never completed, as the kernel is made to drop SYNs by a full
   // backlog. What a real partition does and this cannot: our kernel still acknowledges what is sent to us, and what a
   // side sent before it gave its connection up is not lost.
   void hold();
   // The end of it. `intact`: what was said meanwhile is passed on, also on behalf of those who have left since.
   // `reset`: all connections of before are reset, towards both sides, and what was under way is gone.
   enum class healing { intact, reset };
   void heal(healing);

   struct connection {
      clock::time_point accepted = {};
      std::size_t to_server = 0;  // bytes handed on
      std::size_t to_client = 0;
      bool cut = false;   // a fault has ended it
      bool over = false;  // both sides are closed: the server has read all that it was given
   };
   // Every connection that was ever accepted, in that order.
   std::vector<connection> connections() const;
   // How many are not over, and how many were cut.
   std::size_t open() const { return count(&connection::over, false); }
   std::size_t cuts() const { return count(&connection::cut, true); }
   // Whether all that was asked of lose_reply_to has happened, and when the last did.
   bool done() const;
   clock::time_point last_loss() const;

   struct passage {
      std::size_t connection = 0;  // its place among `connections`
      direction towards = direction::to_server;
      clock::time_point came = {};
      clock::time_point handed_on = {};
      std::string_view bytes = {};  // those of one read
   };
   // Told of whatever was handed on, in the proxy's thread. It must not call the proxy.
   void listen_in(std::function<void(const passage&)>);

 private:
   struct state;
   std::size_t count(bool connection::* which, bool value) const;
   template <class Change>
   void order(Change change);

   reserved_port port_;
   std::unique_ptr<state> state_;
   std::thread thread_;
};

}  // namespace holdfast::lab
