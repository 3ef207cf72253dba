// Sentinels of this deployment, whose word counts, told from others. Pure functions, as in belief.hpp.
//
// A Sentinel is its run id, which it tells on each connection; where it does not, it is known by its address, and its
// id is *unproven*. A *place* is an address that is dialled. The configured places count, except for a *stray*: two
// other configured Sentinels list each other, and none lists this one or is listed by it, because its address has
// passed to another deployment. Where no two of them list each other, those count as related that once were: SENTINEL
// RESET empties all lists for some seconds. Where no two of those are left, one that was related to others outweighs
// one that never was, also while it is down. A stray is none where a learned place that counts leads to it. A learned
// place counts while a Sentinel that votes lists its id (an unproven one: at its address); the chain begins at the
// *roots*: the configured places that count and name a master or, while none of them does, those that counted last and
// name one. What is passing in a list, or inherited (listed_others.hpp), lets a proven one stay.
#pragma once

#include "topology/sentinel/listed_others.hpp"
#include "topology/sentinel/sentinel_reply.hpp"

#include <holdfast/endpoint.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl {

struct place {
   endpoint where = {};
   bool configured = false;
   bool names = false;                       // the Sentinel that answers there names a master
   bool counted = false;                     // what was counted before
   bool several = false;                     // more than one Sentinel stands behind the address
   std::string_view id = {};                 // as it told on this connection
   std::string_view listed_as = {};          // the id under which a learned one was listed
   std::span<const listed_node> lists = {};  // the others, as it told
   std::span<const passing_node> passing = {};
   std::span<const std::string> kin = {};  // of a configured place: the ids that it was related to
};

struct tally {
   std::vector<bool> counts = {};        // for each place
   std::vector<listed_node> unmet = {};  // listed by a Sentinel that votes, and dialled nowhere
   // The Sentinels there are: those that vote and those that they list. But while a configured one votes, and these are
   // not more than half of the configured ones, as many as are configured: one that was rebuilt, and sees nobody, is no
   // majority. A majority is more than half of them.
   std::size_t known = 0;
};

tally count(std::span<const place> places);

// Two configured places of which one lists the other.
bool are_related(const place& one, const place& other);

// Whether a voting Sentinel lists this id at this address.
bool is_listed(std::span<const place> places, const tally&, std::string_view id, const endpoint& where);
// Address at which those that vote list the Sentinel with this id: `where` itself if it is among them and no other
// follows, else the one after it. Each call goes on to the next.
endpoint next_address(std::span<const place> places, const tally&, std::string_view id, const endpoint& where);

}  // namespace holdfast::impl
