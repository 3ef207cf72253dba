#include "sim/world/network.hpp"

#include "core/assertion.hpp"

#include <algorithm>

namespace holdfast::sim {

namespace {

constexpr duration first_timeout = 200ms;  // Linux: of the retransmission
constexpr duration last_timeout = 15min;   // Linux: when it gives up

}  // namespace

network::network(clock& c, random& d, network_user& u) : clock_(c), dice_(d), user_(u) {}

host_id network::add_host(std::uint32_t site) {
   HOLDFAST_ASSERT(site < most_sites);
   hosts_.push_back({condition::working, site});
   return static_cast<host_id>(hosts_.size() - 1);
}

void network::block(std::uint32_t from, std::uint32_t to, bool blocked) { blocked_[from][to] = blocked; }

bool network::passes(host_id from, host_id to) const {
   return hosts_[from].is != condition::off && hosts_[to].is != condition::off &&
          !blocked_[hosts_[from].site][hosts_[to].site];
}

duration network::delay() {
   const duration jitter = dice_.between({}, settings.jitter);
   // Now and then something takes much longer than usual.
   return settings.latency + jitter + (dice_.chance(0.01) ? settings.jitter * 10 : duration::zero());
}

void network::set(host_id h, condition is) {
   const condition before = hosts_[h].is;
   hosts_[h].is = is;
   const bool has_process = is == condition::working || is == condition::frozen;
   if (has_process || before == is) return;
   for (connection_id c = 0; c < connections_.size(); ++c) {
      if (connections_[c].in_use && connections_[c].server == h && connections_[c].accepted) process_ended(c);
   }
}

// The server's process, or its host, is gone.
void network::process_ended(connection_id id) {
   connection& c = connections_[id];
   if (hosts_[c.server].is == condition::off) {
      c.is_open[index(end::server)] = false;
      c.pipes[index(end::server)].ended = true;
      c.pipes[index(end::server)].pieces.clear();
      c.pipes[index(end::server)].next = 0;
      return;
   }
   if (!c.is_open[index(end::server)]) return;
   if (c.inbox[index(end::server)].empty())
      close(id, end::server);
   else
      abort(id, end::server);
}

// ---- to connect ---------------------------------------------------------------------------------------------------

connection_id network::connect(host_id client, host_id server, std::uint32_t link, std::uint32_t serial) {
   if (free_.empty()) {
      free_.push_back(static_cast<connection_id>(connections_.size()));
      connections_.emplace_back();
   }
   const connection_id id = free_.back();
   free_.pop_back();
   connection& c = connections_[id];
   c.client = client;
   c.server = server;
   c.link = link;
   c.serial = serial;
   c.in_use = true;
   c.established = c.accepted = false;
   c.is_open = {true, false};
   c.saw_end = c.saw_reset = {false, false};
   for (pipe& p : c.pipes) {
      p.on_the_way.clear();
      p.pieces.clear();
      p.first = p.next = 0;
      p.last_due = p.stalled_since = {};
      p.armed = p.ended = false;
      p.sent = 0;
   }
   c.tidings.clear();
   c.read = 0;
   c.session = 0;
   for (std::string& s : c.inbox) s.clear();
   c.port = next_port_ = next_port_ == 60000 ? 30000 : static_cast<std::uint16_t>(next_port_ + 1);
   clock_.in(delay(), {.c = c.generation, .a = id, .kind = what::syn});
   return id;
}

void network::on_syn(connection_id id) {
   connection& c = connections_[id];
   if (!c.is_open[index(end::client)]) return retire(id);
   if (!passes(c.client, c.server)) {
      clock_.in(1s, {.c = c.generation, .a = id, .kind = what::syn});
      return;
   }
   const bool refused = hosts_[c.server].is == condition::dead;
   if (!refused && !c.accepted) {
      c.accepted = true;
      c.is_open[index(end::server)] = true;
   }
   clock_.in(delay(), {.c = c.generation, .a = id, .b = refused, .kind = what::syn_ack});
}

void network::on_syn_ack(connection_id id, bool refused) {
   connection& c = connections_[id];
   if (!passes(c.server, c.client)) {
      clock_.in(1s, {.c = c.generation, .a = id, .kind = what::syn});
      return;
   }
   if (!c.is_open[index(end::client)] || c.established) return;
   if (refused) {
      c.is_open[index(end::client)] = false;
      const std::uint32_t g = c.generation;
      user_.not_connected(id, "connection refused");
      if (connections_[id].generation == g) retire(id);
      return;
   }
   c.established = true;
   user_.connected(id);
}

// ---- to send ------------------------------------------------------------------------------------------------------

std::size_t network::send(connection_id id, end from, std::span<const char> bytes) {
   connection& c = connections_[id];
   pipe& p = c.pipes[index(from)];
   if (p.ended || bytes.empty()) return bytes.size();  // it will learn of that as of all else: late
   std::size_t n = bytes.size();
   if (from == end::client && settings.send_buffer != 0) {
      n = std::min(n, settings.send_buffer - std::min(settings.send_buffer, p.size()));
      if (n == 0) return 0;
   }
   p.on_the_way.append(bytes.data(), n);
   p.sent += n;
   std::size_t left = n;
   while (left > 1 && dice_.chance(settings.chunking)) {
      const std::uint32_t cut = dice_.from_to(1, static_cast<std::uint32_t>(left) - 1);
      push(id, from, cut, pipe::mark::bytes);
      left -= cut;
   }
   push(id, from, static_cast<std::uint32_t>(left), pipe::mark::bytes);
   return n;
}

void network::push(connection_id id, end from, std::uint32_t size, pipe::mark is) {
   pipe& p = connections_[id].pipes[index(from)];
   duration d = delay();
   if (dice_.chance(settings.loss)) d += first_timeout;
   p.last_due = std::max(p.last_due, clock_.now() + d);
   p.pieces.push_back({p.last_due, size, is});
   if (is != pipe::mark::bytes) p.ended = true;
   arm(id, from);
}

void network::arm(connection_id id, end from) {
   connection& c = connections_[id];
   pipe& p = c.pipes[index(from)];
   if (p.armed || p.empty()) return;
   p.armed = true;
   clock_.at(p.pieces[p.next].due,
             {.c = c.generation, .a = id, .b = static_cast<std::uint32_t>(from), .kind = what::segment});
}

void network::close(connection_id id, end from) {
   connection& c = connections_[id];
   if (!c.in_use || !c.is_open[index(from)]) return;
   c.is_open[index(from)] = false;
   // A kernel that closes over unread bytes resets instead, and so it does where no handshake was completed.
   const bool orderly = c.inbox[index(from)].empty() && c.established;
   c.inbox[index(from)].clear();
   if (!c.saw_end[index(from)] || orderly) push(id, from, 0, orderly ? pipe::mark::fin : pipe::mark::rst);
   retire(id);
}

void network::abort(connection_id id, end from) {
   connection& c = connections_[id];
   if (!c.in_use || !c.is_open[index(from)]) return;
   c.is_open[index(from)] = false;
   c.inbox[index(from)].clear();
   push(id, from, 0, pipe::mark::rst);
   retire(id);
}

impl::transit network::transit_of(connection_id id) const {
   const pipe& p = connections_[id].pipes[index(end::client)];
   const bool is_stalled = p.stalled_since != time_point{};
   return {.undelivered = p.size(), .unanswered = is_stalled && clock_.now() - p.stalled_since >= 1s};
}

void network::reset_both(connection_id id) {
   connection& c = connections_[id];
   if (!c.in_use || !c.established) return;
   for (const end e : {end::client, end::server}) {
      if (!c.is_open[index(e)]) continue;
      c.saw_end[index(e)] = c.saw_reset[index(e)] = true;
      pipe& p = c.pipes[index(e)];
      p.pieces.clear();
      p.next = 0;
      p.ended = true;
   }
   const std::uint32_t g = c.generation;
   user_.readable(id, end::server);
   if (connections_[id].generation == g && connections_[id].is_open[index(end::client)])
      user_.readable(id, end::client);
}

// ---- to arrive ----------------------------------------------------------------------------------------------------

void network::on(const event& e) {
   connection& c = connections_[e.a];
   if (!c.in_use || c.generation != e.c) return;
   switch (e.kind) {
      case what::syn: return on_syn(e.a);
      case what::syn_ack: return on_syn_ack(e.a, e.b != 0);
      default: return on_segment(e.a, static_cast<end>(e.b));
   }
}

// Whether the path is blocked: then it is tried again later, or given up.
bool network::stalled(connection_id id, end from) {
   connection& c = connections_[id];
   pipe& p = c.pipes[index(from)];
   if (passes(host_of(c, from), host_of(c, other(from)))) {
      p.stalled_since = {};
      return false;
   }
   if (hosts_[host_of(c, from)].is == condition::off) {
      p.pieces.clear();
      p.next = 0;
      p.ended = true;
      retire(id);
      return true;
   }
   if (p.stalled_since == time_point{}) {
      p.stalled_since = clock_.now();
      p.timeout = first_timeout;
   }
   // An RST is not repeated, and after it nothing is.
   if (p.pieces.back().is == pipe::mark::rst) {
      p.pieces.clear();
      p.next = 0;
      retire(id);
      return true;
   }
   if (from == end::client && clock_.now() - p.stalled_since >= last_timeout) {
      p.pieces.clear();
      p.next = 0;
      p.ended = true;
      if (c.is_open[index(end::client)]) {
         c.saw_end[index(end::client)] = c.saw_reset[index(end::client)] = true;
         user_.readable(id, end::client);
      } else {
         retire(id);
      }
      return true;
   }
   clock_.in(p.timeout, {.c = c.generation, .a = id, .b = static_cast<std::uint32_t>(from), .kind = what::segment});
   p.armed = true;
   p.timeout = std::min<duration>(p.timeout * 2, 2s);
   return true;
}

void network::on_segment(connection_id id, end from) {
   connections_[id].pipes[index(from)].armed = false;
   if (connections_[id].pipes[index(from)].empty() || stalled(id, from)) return;
   const std::uint32_t generation = connections_[id].generation;
   bool something = false;
   while (connections_[id].generation == generation) {
      pipe& p = connections_[id].pipes[index(from)];
      if (p.empty() || p.pieces[p.next].due > clock_.now()) break;
      const pipe::piece arrived = p.pieces[p.next++];
      if (p.empty()) {
         p.pieces.clear();
         p.next = 0;
      }
      arrive(id, from, arrived);
      something = true;
   }
   connection& c = connections_[id];
   if (c.generation != generation) return;
   arm(id, from);
   const end to = other(from);
   if (something && c.is_open[index(to)]) user_.readable(id, to);
   if (connections_[id].generation != generation) return;
   if (from == end::client && settings.send_buffer != 0 && connections_[id].is_open[index(end::client)])
      user_.writable(id);
   if (connections_[id].generation == generation) retire(id);
}

void network::arrive(connection_id id, end from, const pipe::piece& what_came) {
   connection& c = connections_[id];
   pipe& p = c.pipes[index(from)];
   const end to = other(from);
   const std::string_view bytes(p.on_the_way.data() + p.first, what_came.size);
   const bool open = c.is_open[index(to)];
   if (open && what_came.is == pipe::mark::bytes) {
      c.inbox[index(to)].append(bytes);
   } else if (open) {
      c.saw_end[index(to)] = true;
      c.saw_reset[index(to)] = what_came.is == pipe::mark::rst;
   } else if (what_came.is == pipe::mark::bytes && c.is_open[index(from)] && !c.pipes[index(to)].ended) {
      push(id, to, 0, pipe::mark::rst);  // to a port where nobody listens to it any more
   } else if (what_came.is == pipe::mark::bytes && c.is_open[index(from)] && from == end::client &&
              c.pipes[index(to)].empty()) {
      c.pipes[index(to)].ended = false;
      push(id, to, 0, pipe::mark::rst);
   }
   p.first += what_came.size;
   if (p.first == p.on_the_way.size()) {
      p.on_the_way.clear();
      p.first = 0;
   }
}

// Once both ends have let go, and nothing is on its way.
void network::retire(connection_id id) {
   connection& c = connections_[id];
   if (!c.in_use || c.is_open[0] || c.is_open[1]) return;
   if (!c.pipes[0].empty() || !c.pipes[1].empty()) return;
   c.in_use = false;
   ++c.generation;
   free_.push_back(id);
}

}  // namespace holdfast::sim
