// Follows a deployment through its Sentinels, and names the master. The file to read first in this folder.
//
// `ask` starts a round of questions to all Sentinels; `target` is the master that their answers amount to. Its role is
// verified by whoever connects, who reports it (role_verified, role_refused). The algorithm, rule by rule, is in
// docs/architecture.md, "Belief: who is the master". Each rule has its machine or its functions:
//
//    who counts, where it is dialled  sentinel_roll, roster       when to ask         poll_schedule, rounds
//    which master is believed         belief                      a selected node     promotion, warm_replicas
//    an older epoch that all agree on lineage                     a switch announced  doubt
//    what the old master follows      role_hint                   what is told        published_target
//
// A reactor without I/O, clock or entropy. Not thread-safe. All memory is bounded by `max_sentinels`, `max_replicas`
// and the limits of the reader.
#pragma once

#include "link/link.hpp"
#include "topology/sentinel/belief.hpp"
#include "topology/sentinel/doubt.hpp"
#include "topology/sentinel/lineage.hpp"
#include "topology/sentinel/poll_schedule.hpp"
#include "topology/sentinel/promotion.hpp"
#include "topology/sentinel/published_target.hpp"
#include "topology/sentinel/role_hint.hpp"
#include "topology/sentinel/rounds.hpp"
#include "topology/sentinel/sentinel_event.hpp"
#include "topology/sentinel/sentinel_reports.hpp"
#include "topology/sentinel/sentinel_roll.hpp"
#include "topology/sentinel/sentinel_settings.hpp"
#include "topology/sentinel/warm_replicas.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/event.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl {

class sentinel_tracker final : public link_owner {
 public:
   using peer = sentinel_peer;
   using round = rounds::id;

   // Does nothing before the first `tick` or `ask`. `io` and `events` outlive it.
   sentinel_tracker(sentinel_settings, std::uint64_t seed, io_queue& io, const limits&, event_queue& events);
   sentinel_tracker(const sentinel_tracker&) = delete;
   sentinel_tracker& operator=(const sentinel_tracker&) = delete;

   // ---- the engine's half: the connections ----
   // Their addresses are stable; their number grows when Sentinels or replicas are learned, and never shrinks. Those of
   // the Sentinels are two each.
   std::size_t link_count() const { return sentinel_links() + nodes_.link_count(); }
   std::size_t sentinel_links() const { return 2 * roll_.all().size(); }  // the first ones
   link& link_at(std::size_t);
   void on_opened(link&, time_point now) override;
   void on_lost(link&, std::string_view why, time_point now) override;
   void on_received(link&, time_point now) override;
   void tick(time_point now);                              // cheap before next_deadline()
   time_point next_deadline() const { return deadline_; }  // after tick(now) it is later than now
   // Number of events so far: where it has not changed, nothing has that is told below.
   std::uint64_t events_seen() const { return events_seen_; }

   // ---- the lane's half ----
   round ask(time_point now);
   bool answered(round r) const { return rounds_.finished(r); }
   // The master that the Sentinels name; its role is still to be verified, by whoever connects.
   const std::optional<master_node>& target() const { return published_.now(); }
   bool in_doubt() const { return doubt_.is_raised(); }
   // New writes are to be held while it is earlier than this: a node is selected and about to be promoted.
   time_point hold_writes_until() const { return promotion_.hold_until(); }
   // The target is believed by its own word and its selection, and no Sentinel has named it yet.
   bool is_provisional() const { return promotion_.is_provisional(); }
   void role_verified(const endpoint&, std::uint64_t epoch, time_point now);
   // It is no master: asks again after a backoff.
   void role_refused(const endpoint&, std::string_view role, time_point now);
   // Whether commands wait for a connection. Cheap when nothing changed.
   void need(bool commands_waiting_without_connection, time_point now);

   // ---- what else the Sentinels say; false or empty where they say nothing ----
   bool failover_in_progress() const { return anyone(roll_.all(), &peer::sees_a_failover); }  // of what is believed
   bool objectively_down() const { return anyone(roll_.all(), &peer::sees_it_down); }         // what is believed
   std::optional<duration> down_after() const { return roll_.down_after(); }
   std::optional<unavailable> why_none() const;  // empty while there is a target, and before the first round is over
   // Objection of Sentinels to the target, in a sentence; empty where none names another node.
   std::string objection() const;
   // All known, in the order in which they would be asked.
   std::vector<endpoint> sentinels() const { return roll_.addresses(); }
   std::size_t warm() const { return nodes_.warm(); }  // replicas that answer at present

 private:
   enum class state : std::uint8_t {
      unstarted,
      starting,   // the first round is under way
      following,  // a round is over: something is believed, or why nothing is can be told
   };

   // connections and time
   void set_state(state s) { state_ = s; }
   bool is_started() const { return state_ != state::unstarted; }
   void start(time_point now);
   void check(peer&, bool late, time_point now);
   void finish_event(time_point now);  // what every entry point ends with
   time_point soonest_deadline() const;
   bool alert() const;
   void plan_poll(time_point now) { schedule_.plan(alert(), now); }
   duration retry_cap() const;
   round next_round(time_point now) const { return rounds_.is_current(now) ? rounds_.last() : rounds_.last() + 1; }

   // what Sentinels answer, and who they are
   void take_answers(peer&, time_point now);
   void answer_came(peer&, time_point now);
   void question_failed(peer&, time_point now);
   void refuse(peer&, const std::string& why, time_point now);
   void call_the_roll(time_point now);
   void learn(time_point now);

   // what Sentinels publish
   void take_events(peer&, time_point now);
   void subscription_failed(peer&, bool was_active, time_point now);
   void hint_came(peer&, const hint&, time_point now);
   void stray_said(peer&, const hint&, time_point now);
   void ask_for_hint(peer&, time_point now);
   void raise_doubt(peer&, time_point now);
   bool is_of_our_failover(const peer&, const hint&) const;

   // what nodes say
   void take_observations(time_point now);
   void role_seen(const warm_replicas::role_observation&, time_point now);
   void keep_warm(time_point now);
   void pursue_those_that_matter(time_point now);

   // what is believed
   void apply_answers(time_point now);
   void believe(const master_node&, time_point now);
   void become_believed(const master_node&, time_point now);
   void confirm_by(const std::vector<sentinel_vote>& in_hand);
   void withdraw(const master_node& back, const std::string& why, time_point now);
   void accept_lineage(const sentinel_vote&, time_point now);
   void back_to_agreed(time_point now);
   void tell_if_stale(peer&);
   void close_finished_rounds(time_point now);
   void finish_round(time_point now);
   void publish();

   sentinel_settings settings_;
   event_queue* events_;
   sentinel_roll roll_;
   rounds rounds_;
   poll_schedule schedule_;
   doubt doubt_;
   lineage lineage_;
   promotion promotion_;
   role_hint role_hint_;
   warm_replicas nodes_;
   std::optional<master_node> believed_;  // generation unused
   published_target published_;
   state state_ = state::unstarted;
   bool reachable_ = false;  // in the round that ended last, or since, a Sentinel named a master
   time_point deadline_ = time_point::min();
   std::uint64_t events_seen_ = 0;
};

}  // namespace holdfast::impl
