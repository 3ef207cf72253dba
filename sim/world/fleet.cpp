#include "sim/world/fleet.hpp"

#include <algorithm>
#include <deque>

namespace holdfast::sim {

scenario draw_fleet(std::uint64_t seed, unsigned clients, fault_kind kind, duration reconnect_spread) {
   random d{random_source{seed}()};
   scenario p;
   p.seed = seed;
   p.clients = clients;
   p.is_fleet = true;
   p.reconnect_spread = reconnect_spread;
   // Redis' own default, 10 000 at a server or Sentinel, would turn some away: each client has a connection to the
   // master, and two to each Sentinel when it asks.
   p.redis.max_clients = p.sentinel.max_clients = 10'000 + 3 * std::size_t{clients};
   p.work.pause_low = 500ms;
   p.work.pause_high = 1500ms;
   fault f;
   f.is = kind;
   f.at = 3s + d.between({}, 1s);
   f.lasts = 6s;
   f.draw = static_cast<std::uint32_t>(d.number());
   p.faults.push_back(f);
   p.length = 15s;
   return p;
}

void fleet_log::promoted(host_id h, time_point t) {
   if (struck_ == never) return;
   promoted_ = t;
   master_ = h;
   std::fill(back_.begin(), back_.end(), never);
}

void fleet_log::dialled(host_id to, time_point t) {
   if (struck_ != never) dials_.push_back({to, t});
}

void fleet_log::asked(host_id sentinel, time_point t) {
   if (struck_ != never) questions_.push_back({sentinel, t});
}

void fleet_log::answered(std::uint32_t client, time_point t) {
   if (promoted_ != never && back_[client] == never) back_[client] = t;
}

unsigned fleet_log::peak(const std::vector<dial>& all, host_id first, host_id last) {
   unsigned most = 0;
   for (host_id h = first; h < last; ++h) {
      std::deque<time_point> of_a_second;
      for (const dial& d : all) {
         if (d.to != h) continue;
         of_a_second.push_back(d.at);
         while (of_a_second.front() + 1s <= d.at) of_a_second.pop_front();
         most = std::max(most, static_cast<unsigned>(of_a_second.size()));
      }
   }
   return most;
}

// From the fault until nobody comes any more.
std::vector<unsigned> fleet_log::series(const std::vector<dial>& all, host_id h) const {
   std::vector<unsigned> counts;
   for (const dial& d : all) {
      if (d.to != h) continue;
      const auto n = static_cast<std::size_t>((d.at - struck_) / fleet_figures::step);
      if (counts.size() <= n) counts.resize(n + 1);
      ++counts[n];
   }
   return counts;
}

fleet_figures fleet_log::figures(host_id servers, host_id hosts) const {
   fleet_figures f;
   f.clients = static_cast<unsigned>(back_.size());
   if (promoted_ == never) return f;
   f.outage = promoted_ - struck_;
   std::vector<time_point> back = back_;
   std::sort(back.begin(), back.end());
   f.half_back = back[back.size() / 2] - promoted_;
   f.last_back = back.back() - promoted_;
   f.sentinel_peak = peak(dials_, servers, hosts);
   f.master_peak = peak(dials_, master_, master_ + 1);
   f.dials_of_the_master = series(dials_, master_);
   for (host_id h = servers; h < hosts; ++h) {
      const unsigned most = peak(questions_, h, h + 1);
      if (most < f.question_peak) continue;
      f.question_peak = most;
      f.questions_to_a_sentinel = series(questions_, h);
   }
   return f;
}

}  // namespace holdfast::sim
