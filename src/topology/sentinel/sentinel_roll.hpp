// The roll: which Sentinels there are, where they are dialled, and whose word counts.
//
// A Sentinel is its run id (roster.hpp has the rules, as functions of the places). The roll is called when somebody
// answers for the first time, fails, or tells another list. A configured place is kept for ever. A learned one is
// forgotten when nobody has listed it for `forget_after`; one that fails is dialled where it is listed now; one where
// another id answers than was listed is taken for down. Behind a configured place several may stand: then each is met
// at its own address, too. If none that counts has answered for `stray_for`, strays count again.
//
// A place has an index and connections for good: a free one goes to the next Sentinel that is met.
#pragma once

#include "link/link.hpp"
#include "topology/sentinel/asking_order.hpp"
#include "topology/sentinel/belief.hpp"
#include "topology/sentinel/rounds.hpp"
#include "topology/sentinel/sentinel_peer.hpp"

#include <holdfast/event.hpp>

#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl {

class sentinel_roll {
 public:
   using peer = sentinel_peer;
   enum class move : std::uint8_t { none, moved, forgotten };
   struct meeting {
      peer* place = nullptr;  // null: it is met already, or there is no room
      bool is_taken = false;  // by another Sentinel, whose connection has to end first
   };

   // `settings`, `io`, `events` and `owner` (of the links) outlive it.
   sentinel_roll(const sentinel_settings&, io_queue& io, const limits&, event_queue& events, link_owner& owner);

   const sentinel_peers& all() const { return peers_; }
   const asking_order& order() const { return order_; }
   std::size_t known() const { return tally_.known; }  // a majority is more than half of them
   bool ever_named() const { return ever_named_; }
   bool contradicted() const { return contradicted_; }  // learned ones claim a newer epoch than any configured one
   std::vector<endpoint> addresses() const;             // in the order of asking
   peer* owner(const link&);
   link& link_at(std::size_t) const;
   time_point deadline() const;

   // ---- dialling ----
   void dial_next(time_point now);
   void dial_rest(time_point now);
   // A question waits for one that rests after a failure: it is dialled now, unless that was tried just before.
   void redial_now(peer&, time_point now);

   // ---- the call ----
   void note_change() { due_ = true; }
   void prefer(peer&, time_point now);  // it has answered: all others are dialled, and it is at the front
   bool is_due() const { return due_ && !peers_.empty(); }
   bool call(time_point now);  // whether other ones count than before
   // Consequences of the lists as soon as every configured place was tried: for each place, then for those unmet.
   bool may_learn() const;
   bool has_moved_away(const peer&) const;  // it shows no id, and the one that was to be there is listed elsewhere
   move follow_the_list(peer&, rounds::id, time_point now);
   std::vector<listed_node> take_unmet() { return std::exchange(tally_.unmet, {}); }
   meeting add_learned(const listed_node&, rounds::id, time_point now);
   void finish_learning() { order_.finish(); }

   // ---- who is at the other end ----
   bool welcomes_answers(peer&);             // of who has just told its id
   bool welcomes_events(const peer&) const;  // the same, on the other connection
   void note_if_several(peer&, rounds::id, time_point now);
   void find_several(peer&);

   // ---- whose word it is ----
   const std::vector<sentinel_vote>& votes();                          // of all that count
   void compare_down_after();                                          // one that counts has told its own
   std::optional<duration> down_after() const { return down_after_; }  // the longest of them, as it was then
   const std::vector<sentinel_vote>& supported_votes();  // but for newer epochs that only a few learned ones claim

 private:
   void add(const endpoint&, bool seed);
   void count_places();
   bool pardon_strays(time_point now);
   void tell_if_stray(const peer&, bool is_stray);
   bool is_led_to_by_a_seed(const std::string& id) const;
   peer* place_for(const endpoint&);
   peer* hopeless() const;
   void forget(peer&);

   const sentinel_settings* settings_;
   io_queue* io_;
   limits limits_;
   event_queue* events_;
   link_owner* link_owner_;
   sentinel_peers peers_;  // seeds first; a place is never removed
   asking_order order_;
   std::vector<place> places_;  // scratch: views into the peers
   tally tally_;
   bool due_ = false;
   time_point called_at_ = time_point::min();
   time_point silent_since_ = never;  // some answer, and none of them counts
   bool ever_named_ = false;
   bool contradicted_ = false;
   std::optional<duration> down_after_;
   std::vector<sentinel_vote> votes_;  // scratch
};

}  // namespace holdfast::impl
