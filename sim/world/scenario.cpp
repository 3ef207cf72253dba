#include "sim/world/scenario.hpp"

#include <algorithm>
#include <array>

namespace holdfast::sim {

namespace {

struct kind_row {
   fault_kind kind;
   std::string_view name;
   std::string_view text;
   bool promotes;
   duration shortest;
   duration longest;
};

using enum fault_kind;
constexpr std::array<kind_row, fault_kinds> rows{{
   {kill, "kill", "the master's process dies, and comes back later", true, 2s, 8s},
   {off, "off", "the master's host vanishes without a word, and comes back later", true, 2s, 8s},
   {stop, "stop", "the master is frozen (SIGSTOP) until it has been replaced", true, 2s, 8s},
   {partition, "partition", "the master is cut off from everybody", true, 2s, 8s},
   {isolate, "isolate", "the master is cut off from the other servers; clients still reach it", true, 2s, 8s},
   {planned, "planned", "SENTINEL FAILOVER", true, 10ms, 20ms},
   {hand_over, "handover", "FAILOVER: the master hands its role over, and the Sentinels do not know", true, 10ms, 20ms},
   {restart, "restart", "the master's process dies and is back at once", false, 1ms, 200ms},
   {blink, "blink", "the master is frozen for less than down-after", false, 1ms, 800ms},
   {mute, "mute", "nothing that the master sends reaches the clients", false, 50ms, 8s},
   {deaf, "deaf", "nothing that the clients send reaches the master", false, 50ms, 8s},
   {cut, "cut", "every connection of a client to the master breaks (RST)", false, 1ms, 2ms},
   {pause, "pause", "CLIENT PAUSE on the master", false, 20ms, 1500ms},
   {full, "full", "the master takes no more clients", false, 50ms, 3s},
   {busy, "busy", "a script runs for too long on the master (BUSY)", false, 20ms, 2s},
   {memory, "memory", "the master has no memory left for writes (OOM)", false, 20ms, 3s},
   {disk, "disk", "the master can't save, and takes no writes (MISCONF)", false, 20ms, 3s},
   {rights, "rights", "the clients may not write to the master (NOPERM)", false, 20ms, 3s},
   {lonely, "lonely", "the master has too few replicas for writes (NOREPLICAS)", false, 20ms, 3s},
   {replica_kill, "replica-kill", "a replica dies, and comes back later", false, 200ms, 6s},
   {replica_stop, "replica-stop", "a replica is frozen", false, 200ms, 6s},
   {replica_restart, "replica-restart", "a replica's process dies and is back at once", false, 1ms, 200ms},
   {replica_cut, "replica-cut", "a replica ends its clients' connections (CLIENT KILL)", false, 1ms, 2ms},
   {rogue, "rogue", "a replica is made a master by hand (REPLICAOF NO ONE): no Sentinel has selected it", false, 100ms,
    20s},
   {candidate_stop, "candidate-stop", "the replica that was selected is frozen before it is promoted", false, 50ms, 8s},
   {candidate_partition, "candidate-partition", "the replica that was selected is cut off from everybody", false, 50ms,
    8s},
   {successor_kill, "successor-kill", "the promoted replica dies soon after its promotion", false, 200ms, 6s},
   {sentinel_kill, "sentinel-kill", "a Sentinel dies, and comes back later", false, 200ms, 8s},
   {sentinel_stop, "sentinel-stop", "a Sentinel is frozen", false, 200ms, 8s},
   {sentinel_partition, "sentinel-partition", "a Sentinel is cut off from the servers, but answers clients", false, 1s,
    12s},
   {silent, "silent", "a Sentinel's events reach nobody, though it answers", false, 500ms, 12s},
   {moved, "moved", "a Sentinel moves to another address, and keeps its id", false, 200ms, 4s},
   {replaced, "replaced", "a Sentinel is replaced by another one elsewhere; the others are reset, or not", false, 200ms,
    4s},
   {cloned, "cloned", "a Sentinel runs twice, with one id", false, 2s, 12s},
   {passed, "passed", "a Sentinel moves, and its address passes to another deployment of the same name", false, 500ms,
    4s},
   {renamed, "renamed", "Sentinels call the servers by other names than before, some of them or all", false, 1ms, 5s},
   {leader_kill, "leader-kill", "the Sentinel that leads the failover dies at one of its steps", false, 500ms, 6s},
   {leader_stop, "leader-stop", "the Sentinel that leads the failover is frozen at one of its steps", false, 50ms,
    1900ms},
   {clock_jump, "clock-jump", "a Sentinel's clock jumps: TILT", false, 1ms, 2ms},
   {rebuild, "rebuild", "all Sentinels are rebuilt from nothing, at epoch 0", false, 1ms, 2ms},
   {slow, "slow", "everything on the network takes fifty times as long", false, 100ms, 4s},
   {lossy, "lossy", "one packet in ten is lost", false, 100ms, 4s},
   {client_stop, "client-stop", "a client is frozen", false, 10ms, 4s},
   {client_partition, "client-partition", "clients and master do not reach each other", false, 50ms, 8s},
}};

const kind_row& row_of(fault_kind k) { return rows[static_cast<std::size_t>(k)]; }

fault draw_fault(fault_kind k, duration at, random& d) {
   fault f;
   f.is = k;
   f.at = at;
   f.lasts = d.spread(row_of(k).shortest, row_of(k).longest);
   f.draw = static_cast<std::uint32_t>(d.number());
   f.waits = row_of(k).promotes || d.chance(0.7);
   return f;
}

void draw_network(scenario& p, random& d) {
   p.network.latency = d.spread(50us, d.chance(0.2) ? duration(20ms) : duration(1ms));
   p.network.jitter = d.chance(0.3) ? duration(p.network.latency * 3) : duration(p.network.latency / 3);
   p.network.chunking = d.chance(0.3) ? 0.5 : d.chance(0.5) ? 0.05 : 0;
   p.network.send_buffer = d.chance(0.15) ? d.from_to(100, 2000) : 0;
   p.network.loss = d.chance(0.15) ? 0.01 : 0;
   p.replication_lag = d.spread(100us, d.chance(0.3) ? duration(1s) : duration(5ms));
}

void draw_servers(scenario& p, random& d) {
   p.replicas = d.from_to(1, 3);
   p.sentinels = d.chance(0.8) ? 3 : 5;
   p.sentinel.quorum = p.sentinels == 3 ? 2 : d.from_to(2, 3);
   p.sentinel.down_after = d.chance(0.7) ? 1000 : d.from_to(300, 3000);
   p.sentinel.failover_timeout = d.from_to(3000, 8000);
   p.sentinel.parallel_syncs = d.from_to(1, 2);
   if (d.chance(0.1)) p.sentinel.password = "watchword";
   if (d.chance(0.1)) p.redis.password = "secret";
   if (d.chance(0.1)) p.redis.knows_hello = false;
   if (d.chance(0.05)) p.redis.allows_kill = false;
   if (d.chance(0.15) && p.replicas > 1) p.redis.min_replicas_to_write = 1;
   if (d.chance(0.1)) p.redis.saved_every = 1s;
   p.redis.load_time = d.spread(1ms, 500ms);
}

void draw_work(scenario& p, random& d) {
   p.clients = d.chance(0.6) ? 1 : d.from_to(2, 4);
   workload& w = p.work;
   w.depth = d.chance(0.5) ? 1 : d.chance(0.8) ? d.from_to(2, 8) : d.from_to(20, 60);
   w.pause_low = 1ms;
   w.pause_high = d.spread(100ms, 1s) * w.depth;
   for (unsigned& k : w.kinds) k = d.chance(0.3) ? 0 : d.from_to(1, 4);
   w.kinds[d.below(3)] = 4;  // some write, whatever else
   w.kinds[static_cast<std::size_t>(call_kind::select)] = d.chance(0.3) ? 1 : 0;
   w.kinds[static_cast<std::size_t>(call_kind::read)] = d.from_to(1, 4);
   if (d.chance(0.4)) w.lists = d.chance(0.5) ? 0.1 : 0.5;
   for (unsigned& k : w.deliveries) k = d.chance(0.3) ? 0 : 1;
   w.deliveries[d.below(3)] = 2;
   if (d.chance(0.3)) w.short_deadlines = 0.1;
   if (d.chance(0.3)) w.cancels = 0.1;
   if (d.chance(0.3)) w.idles = 0.1;
   w.blocking = d.chance(0.3);
   if (d.chance(0.3)) p.deadline = d.between(500ms, 12s);
   if (d.chance(0.3)) p.attempt_timeout = d.between(200ms, 3s);
   // Twice this without a reply means that something is wrong: it is longer than the slowest way there and back.
   const duration slowest = p.network.latency + p.network.jitter * 11 + (p.network.loss > 0 ? 200ms : 0ms);
   if (p.attempt_timeout) p.attempt_timeout = std::max(*p.attempt_timeout, slowest);
   p.knows_all_seeds = d.chance(0.8);
   if (d.chance(0.05)) p.max_resends = d.from_to(0, 3);
   if (d.chance(0.1)) p.resends_per_second = d.chance(0.3) ? 0 : 0.1 * d.from_to(1, 10);
   if (d.chance(0.1)) p.parked = d.from_to(1, w.depth);
   if (d.chance(0.1)) p.in_flight = d.from_to(1, w.depth);
   // Drawn apart, so that worlds of before stay what they were. Nobody changes a connection that is shared.
   random of_callers(p.seed ^ 0x63616c6c657273);
   w.many_callers = !w.blocking && w.depth > 1 && of_callers.chance(0.5);
   if (w.many_callers) w.kinds[static_cast<std::size_t>(call_kind::select)] = 0;
}

void post_calls(workload& w) {
   w.posts = w.many_callers = true;
   w.blocking = false;
   w.depth = std::max(w.depth, 4U);
   w.kinds[static_cast<std::size_t>(call_kind::select)] = 0;
}

void draw_seeds(scenario& p, random& d) {
   p.sentinel.names_nodes = d.chance(0.1);
   if (!d.chance(0.3)) return;
   p.seeds = d.chance(0.5) ? seeds::names : d.chance(0.7) ? seeds::one_name : seeds::balancer;
}

void draw_cutover(scenario& p, random& d) {
   p.cutover = d.chance(0.85) ? cutover::eager : cutover::confirmed;
   p.warm_replicas = d.chance(0.9);
   p.follow_role_hint = d.chance(0.15);
   if (d.chance(0.3)) p.hold_on_selected = d.chance(0.3) ? 0ms : d.between(10ms, 1s);
   if (d.chance(0.1)) p.reconnect_spread = d.spread(1ms, 500ms);
}

}  // namespace

std::string_view to_string(fault_kind k) { return row_of(k).name; }
std::string_view describe(fault_kind k) { return row_of(k).text; }
bool promotes(fault_kind k) { return row_of(k).promotes; }

bool fault_named(std::string_view name, fault_kind& into) {
   const auto found = std::find_if(rows.begin(), rows.end(), [&](const kind_row& r) { return r.name == name; });
   if (found == rows.end()) return false;
   into = found->kind;
   return true;
}

std::string to_string(const fault& f) {
   const auto ms = [](duration d) {
      return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
   };
   return std::string(to_string(f.is)) + " at " + ms(f.at) + " ms for " + ms(f.lasts) + " ms";
}

scenario draw_plan(std::uint64_t seed, std::span<const fault_kind> allowed, std::span<const unsigned> without,
                   calling how) {
   // Neighbouring seeds have nothing in common.
   random d{random_source{seed}()};
   scenario p;
   p.seed = seed;
   draw_network(p, d);
   draw_servers(p, d);
   draw_work(p, d);
   draw_cutover(p, d);
   draw_seeds(p, d);

   // This world's own mixture.
   std::vector<fault_kind> main;
   std::vector<fault_kind> beside;
   for (const kind_row& r : rows) {
      const bool wanted = allowed.empty() || std::find(allowed.begin(), allowed.end(), r.kind) != allowed.end();
      const bool kept = d.chance(0.5) || !allowed.empty();
      const bool rare = (r.kind == rebuild || r.kind == hand_over) && allowed.empty() && !d.chance(0.1);
      if (wanted && kept && !rare) (r.promotes ? main : beside).push_back(r.kind);
   }
   if (main.empty() && allowed.empty()) main.push_back(kill);
   const double crowd = d.unit() * 1.5;  // other faults for each main one
   const unsigned rounds = d.from_to(1, 4);
   duration at = d.between(200ms, 1500ms);
   for (unsigned i = 0; i < rounds; ++i) {
      if (!main.empty()) p.faults.push_back(draw_fault(main[d.below(static_cast<std::uint32_t>(main.size()))], at, d));
      double left = main.empty() ? 1 + crowd : crowd;
      while (!beside.empty() && d.chance(left)) {
         const auto kind = beside[d.below(static_cast<std::uint32_t>(beside.size()))];
         p.faults.push_back(draw_fault(kind, at + d.between(-1s, 3s), d));
         left -= 1;
      }
      at += std::chrono::milliseconds(p.sentinel.down_after) + d.between(2s, 11s);
   }
   p.length = at;
   // The address that passes is one that the clients have learned, or one of three that they were given.
   const auto passes = std::find_if(p.faults.begin(), p.faults.end(), [](const fault& f) { return f.is == passed; });
   if (passes != p.faults.end()) {
      p.has_neighbours = true;
      p.knows_all_seeds = p.knows_all_seeds && p.seeds == seeds::addresses && passes->draw / 32 % 2 == 0;
   }
   for (std::size_t i = p.faults.size(); i-- > 0;) {
      if (std::find(without.begin(), without.end(), i) != without.end())
         p.faults.erase(p.faults.begin() + static_cast<std::ptrdiff_t>(i));
   }
   for (fault& f : p.faults) f.at = std::max<duration>(f.at, 10ms);
   if (how == calling::posted) post_calls(p.work);
   return p;
}

}  // namespace holdfast::sim
