#include "drill/run.hpp"

#include "drill/figures.hpp"
#include "drill/old_master_monitor.hpp"
#include "drill/read_survivors.hpp"
#include "drill/workload.hpp"
#include "lab/promotion.hpp"

#include <algorithm>

namespace holdfast::drill {
namespace {

using lab::milliseconds;

constexpr milliseconds between_looks(20);
constexpr milliseconds warm_up(500);
constexpr milliseconds patience_for_start(15000);
constexpr milliseconds patience_for_election(40000);  // a lost one is held again after 2 x failover-timeout
constexpr milliseconds patience_for_demotion(30000);  // the Sentinels look every 10 s, and wait for 8 s more
constexpr milliseconds patience_for_answers(5000);
constexpr milliseconds patience_when_cut_short(250);  // the server may be as the fault left it, and never answer
constexpr milliseconds after_return(500);             // of workload, to see that it stays

lab::promotion_watch::sign sign_of(const lab::fault& f) {
   return f.past_the_sentinels ? lab::promotion_watch::sign::role : lab::promotion_watch::sign::end;
}

// The run while it goes on.
class scene {
 public:
   scene(const lab::fault& f, const settings& s, record& r, const std::stop_token& stop,
         const progress_listener& listener)
      : fault_(f),
        settings_(s),
        record_(r),
        stop_(stop),
        listener_(listener),
        deployment_(shape_for(f, s)),
        promotions_(deployment_, sign_of(f)),
        namings_(deployment_),
        monitor_(monitor_for(f)),
        workload_(system_for(s), stop) {}

   void play() {
      record_.start = clock::now();
      try {
         if (warmed_up()) break_it();
      } catch (const std::exception& e) {
         if (record_.trouble.empty()) record_.trouble = e.what();
      }
      workload_.finish();
      record_.cut_short = stop_.stop_requested();
      record_.end = clock::now();
      refuse_if_refused();
      note_promotion();
      check();
   }

 private:
   system_options system_for(const settings& s) const {
      return {.client = s.client,
              .uri = deployment_.uri(),
              .delivery = s.delivery,
              .acks = s.acks,
              .breaker = s.breaker,
              .cutover = s.cutover,
              .follow_role_hint = s.follow_role_hint};
   }

   std::unique_ptr<old_master_monitor> monitor_for(const lab::fault& f) {
      const auto node = f.forbidden_node;
      if (!node) return nullptr;
      record_.forbidden = deployment_.node(*node).address();
      return std::make_unique<old_master_monitor>(deployment_, *node);
   }

   // Waits for the fact, the end of the workload, or the interrupt; whether it was the fact.
   template <class Fact>
   bool reached(const std::string& phase, milliseconds patience, Fact fact) {
      bool there = false;
      lab::became_true(
         [&] {
            tell(phase);
            return (there = fact()) || stop_.stop_requested() || workload_.over();
         },
         patience, between_looks);
      return there;
   }

   void tell(const std::string& phase) const {
      const bool broken = record_.fault_at != clock::time_point();
      listener_(
         {phase, broken ? lab::ms_between(record_.fault_at, clock::now()) : 0, workload_.acked(), workload_.failed()});
   }

   bool warmed_up() {
      const std::uint64_t enough = settings_.network.empty() ? 100 : 10;
      const bool started = reached("warming up", patience_for_start, [&] {
         return workload_.acked() >= enough && clock::now() - record_.start >= warm_up;
      });
      if (!started && !stop_.stop_requested()) record_.trouble = "the client did not get under way";
      return started;
   }

   void break_it() {
      record_.before = measure(deployment_.node(0), patience_for_answers);
      record_.fault_at = clock::now();
      tell("breaking it");
      record_.fault_at = fault_.inject(deployment_, stop_);
      record_.in_force_at = clock::now();
      if (fault_.promotes && !promoted()) return;
      const bool back = reached("a master, no client", record_.deadline + milliseconds(3000), [&] {
         return workload_.look([&](auto operations, auto events) { return first_ok(record_, operations, events); })
            .has_value();
      });
      if (!back) return;
      if (fault_.promotes && !fault_.past_the_sentinels) {
         reached("no Sentinel says so", milliseconds(10000),
                 [&] { return note_promotion(), record_.named_at.has_value(); });
      }
      const auto enough =
         std::max(clock::now() + after_return, record_.start + std::chrono::seconds(settings_.seconds));
      reached("going on", std::chrono::ceil<milliseconds>(enough - clock::now()) + milliseconds(1000),
              [&] { return clock::now() >= enough; });
      if (fault_.lasts_until_demoted && !demoted()) return;
      reached("a master, no client", record_.deadline + milliseconds(3000), [&] {
         note_promotion();
         return workload_.look([&](auto operations, auto events) { return came_back(record_, operations, events); });
      });
      if (!fault_.promotes) record_.after = measure(deployment_.node(0), patience_for_answers);
   }

   bool promoted() {
      const auto patience = milliseconds(settings_.down_after_ms) + patience_for_election;
      const bool seen =
         reached("no master yet", patience, [&] { return promotions_.seen().size() >= fault_.failovers; });
      if (!seen && !stop_.stop_requested()) record_.trouble = "no replica was promoted";
      if (!seen) return false;
      note_promotion();
      fault_.after_promotion(deployment_, stop_);
      return true;
   }

   bool demoted() {
      const bool seen =
         reached("the old master goes on", patience_for_demotion, [&] { return monitor_ && monitor_->demoted(); });
      if (!seen && !stop_.stop_requested()) record_.trouble = "the old master was not made a replica";
      return seen;
   }

   void note_promotion() {
      record_.promotions = promotions_.seen();
      record_.namings = namings_.changes();
      // What the figures are about: where a fault brings about several, the last of them.
      const unsigned expected = std::max(1U, fault_.failovers);
      if (const auto last = lab::last_expected(record_.promotions, record_.namings, expected)) {
         record_.promoted_at = last->promoted.at;
         record_.promoted = last->promoted.node;
         record_.named_at = last->named_at;
      }
      record_.second_failover = namings_.more_failovers_than(expected);
      // What nobody asked for may lose as much as any failover, and then the run is of something else.
      if (!fault_.promotes && !record_.promotions.empty()) {
         record_.second_failover = true;
         if (record_.trouble.empty()) record_.trouble = "a replica was promoted, though the fault is to promote none";
      }
      record_.may_lose = record_.second_failover ? lab::loss::anything : fault_.may_lose;
   }

   void check() {
      const auto last = workload_.look(
         [](auto operations, auto) -> std::uint64_t { return operations.empty() ? 0 : operations.back().number; });
      const auto promotions = promotions_.seen();
      workload_.surrender(record_);
      if (monitor_) record_.sighted = monitor_->conclude();
      const milliseconds patience = record_.cut_short ? patience_when_cut_short : patience_for_answers;
      try {
         lab::server& master = promotions.empty() ? deployment_.node(0) : deployment_.node_at(promotions.back().node);
         record_.held = read_survivors(master, last, patience);
         if (record_.after.connections == 0) record_.after = measure(master, patience);
      } catch (const std::exception& e) {
         if (!record_.cut_short && record_.trouble.empty())
            record_.trouble = std::string(record_.held ? "not measured: " : "not compared: ") + e.what();
      }
   }

   void refuse_if_refused() {
      const std::string thrown = workload_.thrown();
      const std::string refused = workload_.look([](auto operations, auto) {
         return !operations.empty() && operations.back().refused ? operations.back().why : std::string();
      });
      if (thrown.empty() && refused.empty()) return;
      if (workload_.acked() == 0) throw drill_refused(thrown.empty() ? refused : thrown);
      record_.trouble = thrown.empty() ? "the client refused: " + refused : "the client threw: " + thrown;
   }

   const lab::fault& fault_;
   const settings& settings_;
   record& record_;
   const std::stop_token& stop_;
   const progress_listener& listener_;
   lab::deployment deployment_;
   lab::promotion_watch promotions_;
   lab::naming_watch namings_;
   std::unique_ptr<old_master_monitor> monitor_;  // null: no node is forbidden
   workload workload_;
};

// The client is not asked to do what it is not set to.
std::string why_skipped(const lab::fault& f, const settings& s) {
   if (f.past_the_sentinels && !s.follow_role_hint)
      return "the client waits for the Sentinels, who know nothing of it for half a minute; see --follow-role-hint";
   return f.unavailable;
}

// The client's own default: as long as a failover may take, read from the deployment where Sentinels can tell.
milliseconds deadline_in(const lab::deployment_options& shape) {
   if (shape.sentinels == 0) return milliseconds(10000);
   return std::max(milliseconds(12000), shape.down_after + milliseconds(8000));
}

}  // namespace

lab::deployment_options shape_for(const lab::fault& f, const settings& s) {
   lab::deployment_options wanted;
   wanted.replicas = s.replicas;
   wanted.sentinels = s.sentinels;
   wanted.down_after = milliseconds(s.down_after_ms);
   wanted.network = s.network;
   return f.shape(wanted);
}

record perform_run(const lab::fault& f, unsigned number, const settings& s, const std::stop_token& interrupted,
                   const progress_listener& listener) {
   record r;
   r.fault = f.name;
   r.run = number;
   r.promotes = f.promotes;
   r.interrupts = f.interrupts;
   r.may_lose = f.may_lose;
   r.trouble_of_sentinel = s.sentinel_trouble;
   if (s.client == system_options().client) r.cutover = s.cutover;
   r.costs = f.costs;
   r.delivery = s.delivery;
   r.breaker = s.breaker;
   r.bad_network = !s.network.empty();
   r.deadline = deadline_in(shape_for(f, s));
   r.skipped = why_skipped(f, s);
   if (!r.skipped.empty()) {
      r.start = r.fault_at = r.end = clock::now();
      return r;
   }
   listener({"starting servers"});
   scene(f, s, r, interrupted, listener).play();
   return r;
}

}  // namespace holdfast::drill
