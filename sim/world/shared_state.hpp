// What the parts of a world share: time, chance, the network, the past; and how servers talk among themselves. Between
// servers no bytes are modelled but whole messages; they wait, get lost and stay behind on broken links as bytes would.
#pragma once

#include "sim/servers/history.hpp"
#include "sim/servers/wire.hpp"
#include "sim/world/clock.hpp"
#include "sim/world/network.hpp"
#include "sim/world/random.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

class redis_model;
class sentinel_model;

// Of a process that runs there for the `run`th time: 40 hexadecimal digits in no order. A Sentinel keeps its own.
std::string run_id(host_id, std::uint32_t run);

// `c` and `d` of the event are its content, `e` is the link that it travels on.
enum class message : std::uint16_t {
   // Sentinel and its instances
   open_link,
   link_opened,
   link_lost,  // the other side ended it
   ping,
   pong,
   info_ask,
   info,           // c, d: `info_of`
   publish_hello,  // c: `hello`
   hear_hello,
   reconfigure,  // c: the new master, or `nowhere` to be one
   // Sentinel and Sentinel
   is_master_down,  // c: the master's host << 32 | who asks for a vote (or `nowhere`); d: epoch
   master_is_down,  // c: down << 32 | the leader voted for (or `nowhere`); d: its epoch
   // replica and master
   follow,       // c, d: the replica's place
   follow_heir,  // the same, of a master that hands its role over
   followed,     // c: 1 if all has to be sent
   stream,       // c: up to this offset
   ask_ack,
   acked,  // c: the replica's offset
   replication_lost,
};

// What an INFO tells a Sentinel.
struct info_of {
   bool is_master = true;
   bool link_up = false;
   host_id master = nowhere;
   std::uint32_t replicas = 0;  // a bit for each host
   std::uint32_t priority = 100;
   std::uint32_t link_down_ms = 0;
   std::uint64_t offset = 0;
   std::uint32_t run = 0;
};
std::uint64_t first_half(const info_of&);
std::uint64_t second_half(const info_of&);
info_of read_info(std::uint64_t c, std::uint64_t d);

// What a world wants to know.
class shared_state_user {
 public:
   virtual ~shared_state_user() = default;
   // A command of a client was run: alone, or inside a transaction.
   virtual void ran(host_id, const words&, const execution&) = 0;
   virtual void became_master(host_id, place) = 0;
   // The error that this server answers instead of running the command; empty: it runs it.
   virtual std::string_view refusal(connection_id, const words&) { return {}; }
   // A Sentinel chose this replica to be the master.
   virtual void selected(host_id) = 0;
   // For the trace: is called only where `traces`.
   virtual void note(host_id, std::string_view text) = 0;
};

class shared_state {
 public:
   shared_state(std::uint64_t seed, network_user& n, shared_state_user& u)
      : chance(seed), net(time, chance, n), user(u) {}

   clock time;
   random chance;
   network net;
   history past;
   shared_state_user& user;
   bool traces = false;

   std::vector<redis_model*> servers;       // by host, null where it is none
   std::vector<sentinel_model*> sentinels;  // the same
   duration replication_lag = 1ms;          // at most, beside the network's
   // Of each host, the deployment whose servers and Sentinels reach each other; clients reach all.
   std::vector<bool> elsewhere;

   void post(host_id from, host_id to, message m, std::uint64_t c = 0, std::uint64_t d = 0, std::uint32_t link = 0,
             duration more = {}) {
      time.in(
         net.delay() + more,
         {.c = c, .d = d, .a = from, .b = to, .e = link, .sub = static_cast<std::uint16_t>(m), .kind = what::message});
   }
   bool apart(host_id a, host_id b) const {
      const auto is = [&](host_id h) { return h < elsewhere.size() && elsewhere[h]; };
      return is(a) != is(b);
   }
   // Hands a message over, keeps it, or loses it.
   void on_message(const event&);
   // What came for a host while it was frozen.
   void thaw(host_id);
   void forget(host_id h) {
      if (h < frozen_.size()) frozen_[h].clear();
   }

   template <class Make>
   void note(host_id h, Make&& make) {
      if (traces) user.note(h, make());
   }

 private:
   std::vector<std::vector<event>> frozen_;
};

}  // namespace holdfast::sim
