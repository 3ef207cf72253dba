#include "engine/tracked_topology.hpp"

#include <utility>

namespace holdfast::impl {

tracked_topology::tracked_topology(sentinel_settings s, std::uint64_t seed, io_queue& io, const limits& l,
                                   event_queue& events, const secrets& hidden)
   : tracker_(std::move(s), seed, io, l, events), secrets_(hidden) {}

void tracked_topology::request(const topology_requests& r, time_point now) {
   tracker_.need(r.commands_wait, now);
   for (const role_report& one : r.reports) pass_on(one, now);
   if (r.asked <= asked_) return;
   asked_ = r.asked;
   questions_.passed_on(asked_, tracker_.ask(now));
}

// A report about another generation is dropped: the lane that sends it may be behind. But that the named node is a
// master holds under its new epoch, too, and is not reported again.
void tracked_topology::pass_on(const role_report& r, time_point now) {
   const auto& master = latest_.view->master;
   if (r.verified && master && master->where == r.where) return tracker_.role_verified(r.where, master->epoch, now);
   if (r.generation != generation_) return;
   if (r.verified) return tracker_.role_verified(r.where, r.epoch, now);
   tracker_.role_refused(r.where, r.role, now);
}

bool tracked_topology::refresh() {
   events_seen_ = tracker_.events_seen();
   const auto answered_before = latest_.answered;
   questions_.close_answered([&](auto round) { return tracker_.answered(round); });
   latest_.answered = questions_.answered();

   topology_view v{.version = latest_.view->version,
                   .master = tracker_.target(),
                   .why_none = tracker_.why_none(),
                   .objection = tracker_.objection(),
                   .in_doubt = tracker_.in_doubt(),
                   .failover_in_progress = tracker_.failover_in_progress(),
                   .objectively_down = tracker_.objectively_down(),
                   .hold_writes_until = tracker_.hold_writes_until(),
                   .down_after = tracker_.down_after()};
   if (v.why_none) secrets_.hide_in(v.why_none->causes);
   if (v == *latest_.view) return latest_.answered != answered_before;
   ++v.version;
   if (v.master) generation_ = v.master->generation;
   latest_.view = std::make_shared<const topology_view>(std::move(v));
   return true;
}

}  // namespace holdfast::impl
