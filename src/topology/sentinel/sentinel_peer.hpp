// One Sentinel, as the tracker knows it: its two connections, its status, and its latest answer.
#pragma once

#include "topology/sentinel/belief.hpp"
#include "topology/sentinel/inquiry.hpp"
#include "topology/sentinel/listed_others.hpp"
#include "topology/sentinel/roster.hpp"
#include "topology/sentinel/sentinel_event.hpp"
#include "topology/sentinel/subscription.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl {

class sentinel_peer {
 public:
   enum class status : std::uint8_t {
      untried,  // nothing is known yet: worth waiting for
      up,       // its latest question was answered
      down,     // it failed, and has not answered since; `why`
      refuses,  // the same, because it refuses our password
   };
   // Which Sentinel its address is to lead to, and whether that one counts (sentinel_roll.hpp).
   struct membership {
      std::string listed_as = {};         // of a learned one: the id under which it was listed
      bool in_use = true;                 // else the place is free for another
      bool counts = true;                 // it is configured and no stray, or listed (roster.hpp)
      time_point unlisted_since = never;  // it does not count
      bool look_elsewhere = false;        // it has just failed: perhaps it is listed at another address
      bool several = false;               // questions and events have reached different Sentinels
      // They show different ids, and one may be of a process that is gone: so many answers each was to give then.
      std::optional<std::pair<std::uint64_t, std::uint64_t>> differ_since = {};
      std::vector<std::string> kin = {};  // of a configured one: the ids of those that it was related to
      std::string kin_of = {};            // its own id, then
   };

   sentinel_peer(const sentinel_settings& s, io_queue& io, const limits& l, std::size_t n, endpoint at, bool is_seed)
      : number(n), where(std::move(at)), seed(is_seed), questions(s, io, l), events(s, io, l) {}

   status now() const { return status_; }
   bool up() const { return status_ == status::up; }
   bool is_down() const { return status_ == status::down || status_ == status::refuses; }
   bool names_a_master() const { return up() && latest.what == sentinel_answer::kind::named; }
   // Its word counts.
   bool votes() const { return member.counts && names_a_master(); }
   bool is_heard() const { return member.counts && events.active(); }
   // Of the master that is believed.
   bool sees_a_failover() const { return failing_over || objectively_down; }
   bool sees_it_down() const { return objectively_down; }
   const std::string& id() const { return questions.id(); }
   sentinel_vote view() const { return {latest.where, latest.state.epoch, latest.repeated, seed, !id().empty()}; }
   place seen() const;

   void remember_kin(const std::string& other_id);
   void take_answer(time_point now);
   // Its answer is about this master: what it says of the master's state is noted.
   void note_flags(const endpoint* master);
   void note_hint(const hint&, bool of_ours);  // the same, published; `of_ours`: about the master that is believed
   void clear_flags() { objectively_down = failing_over = false; }
   void fail(time_point now);  // a question
   // The place of a learned one that was given up goes to another; its connections keep their addresses.
   void become(const endpoint& other, const std::string& other_id);

   static constexpr const char* stray_text =
      "is of another deployment: the other configured Sentinels do not list it, nor it them";

   const std::size_t number;  // its place in the list of all
   endpoint where;
   bool seed = false;  // a configured place
   membership member = {};
   inquiry questions;
   subscription events;
   listed_others others = {};
   std::string why = {};  // of being down, in plain words
   time_point failed_at = time_point::min();
   sentinel_answer latest = {};
   bool waits_for_list = false;                   // its first answer on this connection does: it may be a stray
   bool objectively_down = false;                 // it holds the master that is believed to be so
   bool failing_over = false;                     // it knows of a failover of the master that is believed
   std::uint64_t asked_for_hint = 0;              // the round that its latest hint started
   std::optional<sentinel_vote> stale_told = {};  // told last as a stale answer

 private:
   void set_status(status s) { status_ = s; }

   status status_ = status::untried;
};

using sentinel_peers = std::vector<std::unique_ptr<sentinel_peer>>;

}  // namespace holdfast::impl
