// The engine under test. Where the environment has HOLDFAST_SHARED_WATCH, two of them that look like one from outside:
// one with a lane and no tracker, one with a tracker and an idle lane, and between them requests and views, each of
// which takes a while. So every test of the engine is one of a shared tracker as well.
#pragma once

#include "engine/engine.hpp"
#include "engine/publisher.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace holdfast::impl::test {

inline const bool watch_is_shared = std::getenv("HOLDFAST_SHARED_WATCH") != nullptr;

class subject {
 public:
   static constexpr duration hop = std::chrono::microseconds(50);  // from one thread to the other

   subject(const config& c, std::uint64_t seed, callers who = callers::one)
      : leader_(watch_is_shared && !c.sentinels.empty() ? std::make_unique<engine>(c, seed ^ 9) : nullptr),
        led_(c, seed, leader_ ? topology_source::elsewhere : topology_source::own, who) {}

   // ---- the client's half ----
   void submit(operation& op, time_point now) { led_.submit(op, now), exchange(now); }
   void cancel(operation& op, time_point now) { led_.cancel(op, now), exchange(now); }
   void cancel_all(time_point now) { led_.cancel_all(now), exchange(now); }
   lane_number acquire() { return led_.acquire(); }
   void give_back(lane_number n, time_point now) { led_.give_back(n, now), exchange(now); }
   const lane_pool& lanes() const { return led_.lanes(); }
   operation* take_done(time_point now) { return led_.take_done(now); }
   void discover(time_point now) { led_.discover(now), exchange(now); }
   const sentinel_tracker* watch() const {
      return leader_ ? leader_->watch() : led_.watch();
   }  // null without Sentinels
   const topology_update& latest() const { return leader_ ? leader_->latest() : led_.latest(); }
   // As if a lane elsewhere had requested it.
   void serve(const topology_requests& r, time_point now) { (leader_ ? *leader_ : led_).serve(r, now), exchange(now); }
   const command_lane& lane() const { return led_.lane(); }
   holdfast::stats stats() const { return led_.stats(); }
   bool needed() const { return requested_.commands_wait; }
   void take_events(std::vector<any_event>& into) {
      led_.take_events(into);
      if (!leader_) return;
      std::vector<any_event> more;
      leader_->take_events(more);
      into.insert(into.end(), more.begin(), more.end());
   }

   // ---- the runtime's half ----
   bool next_io(io_request& into) {
      if (led_.next_io(into)) {
         if (leader_) into.link *= 2;
         return true;
      }
      if (!leader_ || !leader_->next_io(into)) return false;
      into.link = into.link * 2 + 1;
      return true;
   }
   bool has_io() const { return led_.has_io() || (leader_ && leader_->has_io()); }
   void resolved(link_id id, std::uint32_t serial, std::vector<endpoint> addresses, std::string_view problem,
                 time_point now) {
      of(id).resolved(own(id), serial, std::move(addresses), problem, now), exchange(now);
   }
   void connected(link_id id, std::uint32_t serial, time_point now) {
      of(id).connected(own(id), serial, now), exchange(now);
   }
   void lost(link_id id, std::uint32_t serial, std::string_view why, time_point now) {
      of(id).lost(own(id), serial, why, now), exchange(now);
   }
   std::span<char> space(link_id id, std::uint32_t serial) { return of(id).space(own(id), serial); }
   void received(link_id id, std::uint32_t serial, std::size_t n, time_point now) {
      of(id).received(own(id), serial, n, now), exchange(now);
   }
   std::span<const char> to_write(link_id id, std::uint32_t serial) { return of(id).to_write(own(id), serial); }
   void wrote(link_id id, std::uint32_t serial, std::size_t n, time_point now) {
      of(id).wrote(own(id), serial, n, now), exchange(now);
   }
   void tick(time_point now) {
      led_.tick(now);
      if (!leader_) return;
      if (used_) leader_->tick(now);
      exchange(now);
   }
   time_point next_deadline() const {
      if (!leader_) return led_.next_deadline();
      auto soonest = std::min({led_.next_deadline(), requests_at_, publisher_.next_deadline()});
      if (used_) soonest = std::min(soonest, leader_->next_deadline());
      return published_.empty() ? soonest : std::min(soonest, published_.front().first);
   }

 private:
   engine& of(link_id id) { return leader_ && id % 2 == 1 ? *leader_ : led_; }
   link_id own(link_id id) const { return leader_ ? id / 2 : id; }

   // What is under way between the two arrives if it is time.
   void exchange(time_point now) {
      if (!leader_) return;
      send_requests(now);
      if (now >= requests_at_) {
         requests_at_ = never;
         used_ = true;
         arrived_ = requested_;
         requested_.reports.clear();
      }
      leader_->serve(publisher_.take(arrived_, leader_->latest(), now), now);
      arrived_.reports.clear();
      if (const auto u = publisher_.changed(leader_->latest())) published_.emplace_back(after(now, hop), *u);
      while (!published_.empty() && now >= published_.front().first) {
         const auto u = std::move(published_.front().second);
         published_.pop_front();
         led_.on_update(u, now);
      }
      send_requests(now);
   }
   void send_requests(time_point now) {
      if (!led_.has_requests()) return;
      auto r = led_.take_requests();
      requested_.asked = r.asked;
      requested_.commands_wait = r.commands_wait;
      for (auto& one : r.reports) requested_.report(std::move(one));
      requests_at_ = std::min(requests_at_, after(now, hop));
   }

   std::unique_ptr<engine> leader_;  // null: the one engine has a tracker of its own
   engine led_;
   publisher publisher_;
   bool used_ = false;  // somebody wants to know
   topology_requests requested_;
   time_point requests_at_ = never;
   topology_requests arrived_;
   std::deque<std::pair<time_point, topology_update>> published_;
};

}  // namespace holdfast::impl::test
