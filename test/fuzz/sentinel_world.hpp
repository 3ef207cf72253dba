// Sentinels and servers that send anything, in any order and in any pieces, around a tracker. What it believes is held
// against what was said to it.
#pragma once

#include "fuzz/target.hpp"
#include "topology/sentinel/sentinel_tracker.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

using namespace std::chrono_literals;

constexpr unsigned most_sentinels = 6;

bool printable(std::string_view text);

class sentinel_world {
 public:
   explicit sentinel_world(input& in);
   void run();

 private:
   // Of a Sentinel that is believed when the node says, from then on, that it is a master.
   struct selection {
      endpoint where = {};
      std::uint64_t epoch = 0;
      bool said_master = false;
      time_point at = time_point::min();
      bool is_newer = false;  // than what was believed then
      bool has_held = false;  // writes
   };
   // After a hold: until then, or until a master of that epoch or a newer one is believed.
   struct pause {
      std::uint64_t epoch = 0;
      time_point until = {};
   };
   // A link, and what was sent on it, read once more.
   struct line {
      std::unique_ptr<impl::reader> heard;
      std::unique_ptr<impl::reader> asked;
      time_point dialed_at = {};
      unsigned dials_at_once = 0;
      unsigned dials = 0;
      // Where it is a subscription, since it was connected.
      std::uint64_t announced = 0;
      std::uint64_t tried = 0;
      std::vector<selection> selections = {};
      std::vector<pause> pauses = {};
   };
   enum class purpose : std::uint8_t { questions, events, node };

   // sentinel_world.cpp
   void step();
   void step_of_servers(std::size_t what);
   void lose(impl::link&);
   void pass(duration);
   void cut(const endpoint&);
   bool serve_all();
   void tell_the_truth(duration);
   void contradict();
   void heal();
   void refuse();
   void silence();
   purpose of(const impl::link&);
   line& line_of(const impl::link&);
   impl::link& some_link() { return watch_.link_at(in_.byte() % watch_.link_count()); }
   impl::link& some_subscription() { return watch_.link_at(2 * in_.below(watch_.sentinel_links() / 2) + 1); }
   endpoint some_node() {
      return {"10.0.0." + std::to_string(in_.below(4)), static_cast<std::uint16_t>(6378 + in_.below(3))};
   }

   // sentinel_says.cpp
   void feed(impl::link&, std::string_view bytes);
   void answer(impl::link&);
   std::string honest(const impl::link&, value_view command);
   std::string role_of(const endpoint&);
   std::string fragment();
   std::string later_fragment(std::size_t kind);
   std::string fragment_of_a_node(std::size_t kind);
   std::string about_master(const endpoint&) const;
   std::string about_replica(const endpoint&) const;
   std::string announcement(std::uint64_t epoch, const endpoint& selected) const;

   // sentinel_looks.cpp
   void note(impl::link&);
   void note_answer(value_view);
   void note_event(line&, value_view);
   void note_role(const endpoint&, value_view);
   void look();
   void look_at_events();
   void look_at_links();
   void look_at_target();
   void note_belief(const impl::master_node&);
   void came_true(const impl::master_node&);
   void look_at_provisional(const impl::master_node&);
   void look_at_hold();

   input& in_;
   std::uint8_t seed_ = 0;
   impl::sentinel_settings settings_;
   impl::io_queue io_;
   event_queue events_{true};
   impl::sentinel_tracker watch_;
   time_point now_ = time_point{} + 1h;
   std::map<const impl::link*, line> lines_;
   unsigned dials_ = 0;

   // What honest Sentinels and servers say at present.
   endpoint master_{"10.0.0.1", 6379};
   std::uint64_t epoch_ = 5;
   std::map<endpoint, std::string> roles_;  // of those who do not say what is to be expected
   std::optional<endpoint> followed_;       // by those who are no master, where it is not that one
   bool nobody_is_master_ = false;
   unsigned replicas_ = 0;  // a bit for each node; and from the twelfth on, for each Sentinel that is listed

   // All that was said by anybody, and all that we said about roles.
   std::set<endpoint> named_;
   std::set<std::uint64_t> epochs_{0};
   std::uint64_t highest_ = 5;
   std::set<endpoint> verified_;
   std::set<endpoint> said_master_;
   std::map<endpoint, std::set<endpoint>> said_to_follow_;  // by whom it is followed

   std::optional<impl::master_node> provisional_;  // as it was looked at
   impl::master_node before_;                      // the last target that was not provisional
   std::set<endpoint> believed_before_;            // where a provisional belief may go back to
   endpoint last_where_ = {};                      // the last target
   std::uint64_t last_epoch_ = 0;                  // of the last target
   std::optional<std::uint64_t> believed_epoch_;   // also while an older lineage is offered
   bool older_ = false;                            // something older may be believed since this step
   time_point hold_ = time_point::min();
   unsigned selected_ = 0;  // how often a Sentinel has selected a node
   std::set<time_point>
      held_until_;            // holds that were begun, or extended: each may go on where it is told of once more
   unsigned extensions_ = 0;  // of holds, by the end of a selected node's connection
};

}  // namespace holdfast::fuzz
