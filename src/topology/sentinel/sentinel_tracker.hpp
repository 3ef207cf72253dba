// The tracker: follows the deployment through its Sentinels, and names the master.
//
// The algorithm, as a contract
//
// 1. Asking. One question is SENTINEL MASTER (epoch, flags) and then SENTINEL GET-MASTER-ADDR-BY-NAME (address), in one
//    write. At the start the first Sentinel is dialled, the next `stagger` later or as soon as the one before failed;
//    as soon as one has answered, all others are asked at once. From then on a question always goes to all: to those
//    connected at once, to the others as soon as they are (a redial waits for its backoff, and at most `outage_poll`
//    after the try before). Each Sentinel has its own `timeout`, for the connect and for each answer; none is ever
//    given up. The Sentinel that answered is at the front of the list from then on. Where it does not answer in time,
//    the next try has more (sentinel_settings.hpp).
//
//    Who. A Sentinel is its run id, asked on each connection. Which places count is said in roster.hpp; the others have
//    no vote, their events are not heard, and learned ones are forgotten after `forget_after`. A learned one with
//    another id than is listed is taken for down; one that failed is dialled where it is listed now. A configured place
//    whose questions and events reached different Sentinels makes each be met at its own address.
//
// 2. Rounds. `ask` starts a round. It is over (`answered`) when
//    - every Sentinel has answered it or failed, where those that were down when it began are waited for only as long
//      as nobody has answered; or
//    - `timeout` has passed since the first answer; or
//    - an answer brought a newer epoch; or
//    - more than half of the known Sentinels confirmed what is believed, and among them, or failed, all who had hinted
//      at a change. (Only where something is believed: the first belief hears all, or waits `timeout`.)
//    Each Sentinel answers or fails within twice its timeout of now (checked_connection.hpp), so every round ends while
//    it is ticked.
//
// 3. Belief: belief.hpp. The newest epoch wins, though not one that a few learned Sentinels claim against the
//    configured ones; the majority decides among equals, an older epoch is not believed (event stale_answer). What is
//    believed outlives the connections to the Sentinels; `target` is empty as long as no Sentinel can be reached that
//    knows the name, because each reconnection has to ask. An empty target is no reason to leave a connection that
//    works.
//
// 4. A new lineage. If all reachable Sentinels that know the name, being more than half of all known, agree for
//    `agree_for` on one master under an older epoch, they are asked once more, and then `target` *offers* that master,
//    under the older epoch. If the lane reports that it is a master (role_verified), it is believed and the newer epoch
//    abandoned (event new_lineage); where the lane had already verified that very node, at once. If the role is
//    refused, or the Sentinels no longer agree, the offer is withdrawn, `target` is what it was, and the wait begins
//    anew.
//
// 5. Hints. Events say when to ask, never what to believe. All that concern our master, and each new epoch, are told
//    (sentinel_said) and ask all Sentinels, at most once in `hint_spacing`. "+switch-master" and "+promoted-slave" to
//    another node than the target raise `in_doubt` until the round that they started is over, at most for that
//    Sentinel's timeout of now; a Sentinel that raised it in vain can't do so again for `doubt_pause`. A subscription
//    that is lost is a hint too (events may have been lost), and raises doubt if it was the last one.
//
// 6. Polls. Without any event all are asked every `idle_poll` (three quarters to all of it), every `alert_poll` while a
//    failover runs, the Sentinels disagree or none answers, and while commands wait for a connection with full jitter
//    from `outage_base`, doubled up to `outage_poll`.
//
// 7. Eager cutover (settings.eager; sentinel_tracker_promotion.cpp). "+selected-slave" makes a node a *candidate*,
// under the epoch
//    that the same Sentinel announced ("+new-epoch") before it tried this failover, if that is newer than what is
//    believed. Each Sentinel has one at most. A candidate is pursued (warm_replicas.hpp); as soon as it says that it is
//    a master it is believed, *provisionally*: until a Sentinel names it, under whatever newer epoch (event
//    master_confirmed). New writes are to be held from the selection on, for `hold_on_selected` at most; a Sentinel
//    whose selection came to nothing holds none again for `hold_pause`. A candidate is dropped when its failover is
//    over or given up, when its Sentinel forgets the master or selects another node, when a connection to that
//    Sentinel ends (the subscription that named it or any other one: its process may be gone), or when something as new
//    is believed. A provisional belief is withdrawn, and the master of before
//    believed again (event master_withdrawn), when the Sentinel that had selected the node gives its failover up; when
//    the node says that it is a slave and all Sentinels, asked once more, do not name it; or when there is agreement as
//    in 4 on another node (then that is believed), and that node, asked by the tracker itself, says that it is a
//    master.
//
// 8. A role hint (settings.follow_role_hint): where the master that the Sentinels name says that it is a slave, it is
//    asked whose; if that node says that it is a master, `target` is that node, until the Sentinels change their mind
//    or it says otherwise, or can't be reached.
//
// 9. Half-open connections are found by a PING after `ping` of silence. About a caller who is away for minutes:
//    checked_connection.hpp.
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
#include "topology/sentinel/role_hint.hpp"
#include "topology/sentinel/rounds.hpp"
#include "topology/sentinel/sentinel_event.hpp"
#include "topology/sentinel/sentinel_peer.hpp"
#include "topology/sentinel/sentinel_settings.hpp"
#include "topology/sentinel/warm_replicas.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/event.hpp>
#include <holdfast/time.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::topology {

// Why no master is named.
struct trouble {
   errc code = errc::no_sentinel;         // no_sentinel, unknown_master or authentication_failed
   std::vector<std::string> causes = {};  // one for each Sentinel
   // Waiting can't help as far as can be known: every seed was reached, each either refuses our password or does not
   // know the name, and none ever did.
   bool final = false;
};

class sentinel_tracker {
 public:
   using round = rounds::id;
   using trouble = topology::trouble;

   // Does nothing before the first `tick` or `ask`. `wishes` and `events` outlive the tracker.
   sentinel_tracker(sentinel_settings, std::uint64_t seed, resp::wish_list& wishes, const resp::limits&,
                    event_queue& events);
   sentinel_tracker(const sentinel_tracker&) = delete;
   sentinel_tracker& operator=(const sentinel_tracker&) = delete;

   // ---- the engine's half: the connections ----
   // Their addresses are stable; their number grows when Sentinels or replicas are learned, and never shrinks. Those of
   // the Sentinels are two each.
   std::size_t link_count() const { return sentinel_links() + nodes_.link_count(); }
   std::size_t sentinel_links() const { return 2 * peers_.size(); }  // the first ones
   resp::link& link_at(std::size_t);
   void on_opened(resp::link&, time_point now);
   void on_lost(resp::link&, const std::string& why, time_point now);  // not connected, or no longer
   void on_received(resp::link&, time_point now);                      // bytes are in link.in
   void tick(time_point now);                                          // cheap before next_deadline()
   time_point next_deadline() const { return deadline_; }              // after tick(now) it is later than now

   // ---- the lane's half ----
   round ask(time_point now);
   bool answered(round r) const { return rounds_.finished(r); }
   // The master that the Sentinels name; its role is still to be verified, by whoever connects. Without Sentinels, the
   // fixed server at epoch 0.
   const std::optional<named_master>& target() const { return target_; }
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
   bool failover_in_progress() const;  // of the master that is believed, which is not yet replaced
   bool objectively_down() const;      // the master that is believed
   std::optional<duration> down_after() const { return down_after_; }  // the longest that a Sentinel has configured
   std::optional<trouble> why_none() const;  // empty while there is a target, and before the first round is over
   // What Sentinels say against the target, in a sentence; empty where none names another node.
   std::string objection() const;
   std::vector<endpoint> sentinels() const;            // all known, in the order in which they would be asked
   std::size_t warm() const { return nodes_.warm(); }  // replicas that answer at present

 private:
   using peer = sentinel_peer;

   // sentinel_tracker.cpp: connections and time
   void start(time_point now);
   void add_peer(const endpoint&, bool seed);
   void dial_next(time_point now);
   void dial_all_untried(time_point now);
   void hurry(peer&, time_point now);
   void check(peer&, bool late, time_point now);
   void plan_poll(time_point now) { schedule_.plan(alert(), now); }
   bool alert() const;
   round next_round(time_point now) const { return rounds_.fresh(now) ? rounds_.last() : rounds_.last() + 1; }
   duration retry_cap() const;
   peer* owner(const resp::link&);
   time_point earliest_deadline() const;
   void finish_event(time_point now);  // what every entry point ends with

   // sentinel_tracker_answers.cpp: what came, and what it amounts to
   void take_questions(peer&, time_point now);
   void question_failed(peer&, time_point now);
   void answer_came(peer&, time_point now);
   void weigh(time_point now);
   void believe(const named_master&, time_point now);
   void become_believed(const named_master&, time_point now);
   void tell_if_stale(peer&);
   void settle(time_point now);
   bool is_over(rounds::open_round&, time_point now) const;
   void conclude(time_point now);
   void publish();
   std::string run_id_of(const named_master&) const;

   // sentinel_tracker_roster.cpp: who is a Sentinel, and whose word counts
   void call_the_roll(time_point now);
   void pardon_strays(time_point now);
   void tell_if_stray(const peer&, bool is_stray);
   void count_places();
   void learn(time_point now);
   bool is_led_to_by_a_seed(const peer&) const;
   bool has_moved_away(const peer&) const;
   void follow_the_list(peer&, time_point now);
   void meet(const listed_node&, time_point now);
   peer* hopeless();
   void forget(peer&);
   bool is_welcome(peer&, const std::string& id);
   void question_met(peer&, time_point now);
   bool event_source_is_welcome(peer&, time_point now);
   void note_if_several(peer&, time_point now);
   void find_several(peer&);
   bool is_repeated_elsewhere(const peer&) const;
   const std::vector<sentinel_vote>& voices();     // of all that count
   const std::vector<sentinel_vote>& supported();  // the same, without newer epochs that only a few learned ones claim

   // sentinel_tracker_hints.cpp: events, doubt, and the lineage
   void take_events(peer&, time_point now);
   void subscription_failed(peer&, bool was_active, time_point now);
   void hint_came(peer&, const hint&, time_point now);
   void ask_for_hint(peer&, time_point now);
   void raise_doubt(peer&, time_point now);
   void watch_agreement(time_point now);
   void accept_lineage(const sentinel_vote&, time_point now);

   // sentinel_tracker_promotion.cpp: eager cutover, the connections to servers, and the role hint
   bool is_of_our_failover(const peer&, const hint&) const;
   void given_up(peer&, time_point now);
   void confirm_by(const std::vector<sentinel_vote>& in_hand);
   void denied(time_point now);
   void weigh_denial(time_point now);
   void withdraw(const named_master& back, const std::string& why, time_point now);
   void back_to_agreed(time_point now);
   void pursue_those_that_matter(time_point now);
   void keep_warm(time_point now);
   void take_observations(time_point now);
   void role_seen(const warm_replicas::role_observation&, time_point now);

   sentinel_settings settings_;
   resp::wish_list* wishes_;
   resp::limits limits_;
   event_queue* events_;

   std::vector<std::unique_ptr<peer>> peers_;  // seeds first; a place is never removed
   std::vector<std::size_t> order_;            // the same, in the order of asking
   rounds rounds_;
   std::vector<place> places_;  // scratch: views into the peers
   tally tally_;
   bool roll_due_ = false;
   time_point silent_since_ = never;  // none that counts names a master
   bool contradicted_ = false;        // learned Sentinels claim a newer epoch than any configured one

   bool started_ = false;
   std::size_t next_start_ = 0;  // in order_: not yet dialled
   time_point stagger_at_ = never;
   poll_schedule schedule_;

   std::optional<named_master> believed_;  // generation unused
   std::optional<named_master> target_;
   named_master last_target_ = {};  // what `target_` was last when it was anything
   bool reachable_ = false;         // in the round that ended last, or since, a Sentinel named a master
   bool lost_told_ = false;
   bool ever_named_ = false;
   bool concluded_ = false;
   std::optional<duration> down_after_;

   topology::lineage lineage_;
   warm_replicas nodes_;
   topology::promotion promotion_;
   role_hint role_hint_;

   topology::doubt doubt_;

   time_point deadline_ = time_point::min();
   std::vector<sentinel_vote> votes_;  // scratch
};

}  // namespace holdfast::topology
