// The network and the kernels at its ends: connections as TCP gives them, in pieces, late, lost, or half-open.
//
// A kernel outlives its process. It accepts connections and bytes for one that is frozen; for one that died it ends the
// connections (FIN, or RST where bytes were left unread) and refuses new ones. A host that is off says nothing. What a
// sender handed over before it closed in order is delivered even afterwards; what it handed over before an abort only
// as far as it is on its way already. A blocked path loses everything; what is lost is sent again, but for an RST.
#pragma once

#include "link/link.hpp"
#include "sim/world/clock.hpp"
#include "sim/world/observation.hpp"
#include "sim/world/random.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

using connection_id = std::uint32_t;

enum class condition : std::uint8_t {
   working,
   frozen,  // SIGSTOP: its kernel goes on
   dead,    // no process; its kernel refuses
   off,     // no host
};

// The two ends of a connection. Bytes that an end sends flow in the direction of the same number.
enum class end : std::uint8_t { client, server };

struct network_settings {
   duration latency = 200us;
   duration jitter = 50us;
   double chunking = 0.1;        // how likely a piece is cut in two, at any byte
   std::size_t send_buffer = 0;  // of a client's kernel; 0: takes all
   double loss = 0;              // of a piece, which then comes 200 ms later
};

// One direction of a connection.
struct pipe {
   enum class mark : std::uint8_t { bytes, fin, rst };
   struct piece {
      time_point due = {};
      std::uint32_t size = 0;
      mark is = mark::bytes;
   };
   std::string on_the_way;  // from `first` on
   std::size_t first = 0;
   std::vector<piece> pieces;  // from `next` on
   std::size_t next = 0;
   time_point last_due = {};
   time_point stalled_since = {};  // the path is blocked
   duration timeout = {};          // until what is stalled is sent again
   std::uint64_t sent = 0;         // bytes in all
   bool armed = false;
   bool ended = false;  // a FIN or RST is on its way: nothing more is sent

   std::size_t size() const { return on_the_way.size() - first; }
   bool empty() const { return next == pieces.size(); }
};

struct connection {
   std::uint32_t generation = 0;
   host_id client = nowhere;
   host_id server = nowhere;
   std::uint32_t link = 0;  // the client's own
   std::uint32_t serial = 0;
   bool in_use = false;
   bool established = false;       // as the client sees it
   bool accepted = false;          // the server's kernel has it
   std::array<bool, 2> is_open{};  // as each end sees it
   std::array<pipe, 2> pipes;
   // Bytes that arrived and were not read.
   std::array<std::string, 2> inbox;
   std::array<bool, 2> saw_end{};    // a FIN or RST arrived
   std::array<bool, 2> saw_reset{};  // it was an RST
   std::uint32_t session = 0;        // the server's own
   std::uint16_t port = 0;           // the client's
   // News about the master from the server, up to which of its bytes; and how many of them were read.
   struct tiding {
      std::uint64_t upto = 0;
      told what = {};
   };
   std::vector<tiding> tidings;
   std::uint64_t read = 0;
};

// Whom the network tells. Called from inside `network::on`.
class network_user {
 public:
   virtual ~network_user() = default;
   virtual void connected(connection_id) = 0;
   virtual void not_connected(connection_id, std::string_view why) = 0;
   virtual void readable(connection_id, end) = 0;  // bytes or an end are there
   virtual void writable(connection_id) = 0;       // for the client: the kernel takes more again
};

class network {
 public:
   network(clock&, random&, network_user&);

   network_settings settings;

   host_id add_host(std::uint32_t site);
   std::uint32_t site_of(host_id h) const { return hosts_[h].site; }
   condition condition_of(host_id h) const { return hosts_[h].is; }
   bool works(host_id h) const { return hosts_[h].is == condition::working; }
   // Ends or freezes what belongs to it.
   void set(host_id, condition);

   // One direction between two sites.
   void block(std::uint32_t from, std::uint32_t to, bool blocked);
   bool passes(host_id from, host_id to) const;
   duration delay();

   connection& at(connection_id c) { return connections_[c]; }
   std::size_t count() const { return connections_.size(); }

   connection_id connect(host_id client, host_id server, std::uint32_t link, std::uint32_t serial);
   // How many the kernel takes. What it does not take now it will: `writable`.
   std::size_t send(connection_id, end, std::span<const char>);
   void close(connection_id, end);
   void abort(connection_id, end);
   // State of the way to the server, as the client's kernel knows it.
   impl::transit transit_of(connection_id) const;
   // Both ends are told that it broke, whatever was on its way.
   void reset_both(connection_id);

   // An event of the network's kinds.
   void on(const event&);

 private:
   static constexpr std::uint32_t most_sites = 48;
   struct host {
      condition is = condition::working;
      std::uint32_t site = 0;
   };

   host_id host_of(const connection& c, end e) const { return e == end::client ? c.client : c.server; }
   void on_syn(connection_id);
   void on_syn_ack(connection_id, bool refused);
   void on_segment(connection_id, end from);
   void push(connection_id, end from, std::uint32_t size, pipe::mark);
   void arm(connection_id, end from);
   bool stalled(connection_id, end from);
   void arrive(connection_id, end from, const pipe::piece&);
   void process_ended(connection_id);
   void retire(connection_id);

   clock& clock_;
   random& dice_;
   network_user& user_;
   std::vector<host> hosts_;
   std::array<std::array<bool, most_sites>, most_sites> blocked_{};
   std::deque<connection> connections_;  // stable: who is told of one may open another
   std::vector<connection_id> free_;
   std::uint16_t next_port_ = 30000;
};

// Adds news that the server's next bytes tell, of which `unsent` were not handed over yet.
inline void add_tiding(connection& c, std::size_t unsent, const told& t) {
   c.tidings.push_back({c.pipes[static_cast<std::size_t>(end::server)].sent + unsent, t});
}

constexpr end other(end e) { return e == end::client ? end::server : end::client; }
constexpr std::size_t index(end e) { return static_cast<std::size_t>(e); }

}  // namespace holdfast::sim
