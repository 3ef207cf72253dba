#include "sim/world/shared_state.hpp"

#include "sim/servers/redis_model.hpp"
#include "sim/servers/sentinel_model.hpp"

namespace holdfast::sim {

std::uint64_t first_half(const info_of& i) {
   return std::uint64_t{i.is_master} | std::uint64_t{i.link_up} << 1 | std::uint64_t{i.master & 0xff} << 2 |
          std::uint64_t{i.replicas & 0xff} << 10 | std::uint64_t{i.priority & 0xff} << 18 |
          std::uint64_t{i.link_down_ms} << 26;
}

std::uint64_t second_half(const info_of& i) { return i.offset << 16 | (i.run & 0xffff); }

info_of read_info(std::uint64_t c, std::uint64_t d) {
   const auto bits = [](std::uint64_t from, unsigned shift) {
      return static_cast<std::uint32_t>(from >> shift & 0xff);
   };
   const std::uint32_t master = bits(c, 2);
   return {.is_master = (c & 1) != 0,
           .link_up = (c & 2) != 0,
           .master = master == 0xff ? nowhere : master,
           .replicas = bits(c, 10),
           .priority = bits(c, 18),
           .link_down_ms = static_cast<std::uint32_t>(c >> 26),
           .offset = d >> 16,
           .run = static_cast<std::uint32_t>(d & 0xffff)};
}

void shared_state::on_message(const event& e) {
   if (apart(e.a, e.b)) return;
   if (!net.passes(e.a, e.b)) {
      // The kernels send it again, as long as there are any.
      if (net.condition_of(e.a) == condition::off || net.condition_of(e.b) == condition::off) return;
      time.in(300ms, e);
      return;
   }
   switch (net.condition_of(e.b)) {
      case condition::working: break;
      case condition::frozen:
         if (frozen_.size() <= e.b) frozen_.resize(e.b + 1);
         frozen_[e.b].push_back(e);
         return;
      case condition::dead:
         // Its kernel says so.
         if (static_cast<message>(e.sub) == message::ping || static_cast<message>(e.sub) == message::info_ask)
            post(e.b, e.a, message::link_lost, 0, 0, e.e);
         return;
      case condition::off: return;
   }
   if (servers[e.b] != nullptr)
      servers[e.b]->on(e);
   else if (sentinels[e.b] != nullptr)
      sentinels[e.b]->on(e);
}

void shared_state::thaw(host_id h) {
   if (frozen_.size() <= h) return;
   std::vector<event> waiting;
   waiting.swap(frozen_[h]);
   for (const event& e : waiting) on_message(e);
}

}  // namespace holdfast::sim
