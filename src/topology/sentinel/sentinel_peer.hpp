// What the tracker knows of one Sentinel: its two connections, its status, and its latest answer.
#pragma once

#include "topology/sentinel/belief.hpp"
#include "topology/sentinel/inquiry.hpp"
#include "topology/sentinel/roster.hpp"
#include "topology/sentinel/subscription.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::topology {

struct sentinel_peer {
   enum class status : std::uint8_t {
      untried,  // nothing is known yet: worth waiting for
      up,       // its latest question was answered
      down,     // it failed, and has not answered since; `why`
   };

   sentinel_peer(const sentinel_settings& s, resp::wish_list& wishes, const resp::limits& l, std::size_t n, endpoint at,
                 bool is_seed, std::string id)
      : number(n),
        where(std::move(at)),
        seed(is_seed),
        listed_as(std::move(id)),
        questions(s, wishes, l),
        events(s, wishes, l) {}

   bool up() const { return now == status::up; }
   bool names_a_master() const { return up() && latest.what == sentinel_answer::kind::named; }
   // Its word counts.
   bool votes() const { return counts && names_a_master(); }
   const std::string& id() const { return questions.id(); }
   sentinel_vote view() const { return {latest.where, latest.state.epoch, repeated, seed, !id().empty()}; }
   place seen() const {
      return {where,
              seed,
              names_a_master() && questions.list_known(),
              counts,
              several,
              id(),
              listed_as,
              questions.list(),
              kin_of == id() ? std::span<const std::string>(kin) : std::span<const std::string>()};
   }
   void remember_kin(const std::string& other) {
      constexpr std::size_t enough = 16;
      if (std::exchange(kin_of, id()) != id()) kin.clear();
      if (std::find(kin.begin(), kin.end(), other) != kin.end()) return;
      if (kin.size() == enough) kin.erase(kin.begin());
      kin.push_back(other);
   }
   void take_answer(const sentinel_answer& a) {
      repeated = latest.what == a.what && latest.where == a.where && latest.state.epoch == a.state.epoch;
      latest = a;
   }

   // The place of a learned one that was given up goes to another; its connections keep their addresses.
   void become(const endpoint& other, const std::string& other_id) {
      questions.forget();
      events.connection.close();
      where = other;
      listed_as = other_id;
      in_use = counts = true;
      several = look_elsewhere = objectively_down = failing_over = false;
      unlisted_since = differ_since = never;
      question_failures = event_failures = 0;
      now = status::untried;
      why.clear();
      refuses = false;
      stale_told.reset();
      latest = {};
   }

   static constexpr const char* stray_text =
      "is of another deployment: the other configured Sentinels do not list it, nor it them";

   std::size_t number = 0;  // its place in the list of all
   endpoint where;
   bool seed = false;                // a configured place
   bool in_use = true;               // else it is free for another
   bool counts = true;               // it is configured and no stray, or listed (roster.hpp)
   bool several = false;             // questions and events of this address have reached different Sentinels
   time_point differ_since = never;  // they show different ids: one may be the connection to a process that is gone
   std::string listed_as = {};       // of a learned one: the id under which it was listed
   time_point unlisted_since = never;
   std::vector<std::string> kin = {};  // of a configured one: the ids of those that it was related to (roster.hpp)
   std::string kin_of = {};            // its own id, then
   bool waits_for_list = false;        // its first answer on this connection does: it may be a stray
   bool look_elsewhere = false;        // it has just failed: perhaps it is listed at another address
   inquiry questions;
   subscription events;
   unsigned question_failures = 0;  // in a row
   unsigned event_failures = 0;

   status now = status::untried;
   time_point answered_at = time_point::min();
   std::string why;       // of being down, in plain words
   bool refuses = false;  // down, because it refuses our password
   time_point failed_at = time_point::min();

   sentinel_answer latest = {};
   bool repeated = false;                         // the latest answer says what the one before said
   bool objectively_down = false;                 // it holds the master that is believed to be so
   bool failing_over = false;                     // it knows of a failover of the master that is believed
   std::uint64_t asked_for_hint = 0;              // the round that its latest hint started
   std::optional<sentinel_vote> stale_told = {};  // told last as a stale answer
};

}  // namespace holdfast::topology
