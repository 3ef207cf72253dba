#include "topology/sentinel/roster.hpp"

#include <algorithm>

namespace holdfast::impl {
namespace {

// By the ids where both are known.
bool same(std::string_view id, const endpoint& where, const listed_node& other) {
   return id.empty() || other.id.empty() ? where == other.where : id == other.id;
}

std::string_view name_of(const place& p) { return p.id.empty() ? p.listed_as : p.id; }

// An unproven Sentinel may be another one than was listed: it counts only where that one is still listed.
bool stands_for(const place& p, const listed_node& listed) {
   const bool unproven = p.names && p.id.empty();
   return same(p.listed_as, p.where, listed) && (!unproven || p.where == listed.where);
}

void add(std::vector<listed_node>& census, std::string_view id, const endpoint& where) {
   const bool there =
      std::any_of(census.begin(), census.end(), [&](const listed_node& s) { return same(id, where, s); });
   if (!there) census.push_back({where, std::string(id)});
}

bool holds(const auto& list, std::string_view id) {
   return std::any_of(list.begin(), list.end(), [&](const listed_node& s) { return s.id == id; });
}

bool is_proven(const place& p) { return p.configured && !p.id.empty(); }

bool were_related(const place& one, const place& other) {
   const auto is_kin = [](const place& p, std::string_view id) {
      return std::find(p.kin.begin(), p.kin.end(), id) != p.kin.end();
   };
   return (one.names || other.names) && (is_kin(one, other.id) || is_kin(other, one.id));
}

bool may_be_related(const place& one, const place& other) {
   const auto has_met = [](const place& p, std::string_view id) {
      return p.names && std::any_of(p.passing.begin(), p.passing.end(),
                                    [&](const passing_node& s) { return s.id == id && !s.inherited; });
   };
   return has_met(one, other.id) || has_met(other, one.id);
}

// Marks those that are related; whether any are.
bool find_related(std::span<const place> places, bool (*are)(const place&, const place&), std::vector<bool>& related) {
   bool any = false;
   for (std::size_t i = 0; i != places.size(); ++i) {
      for (std::size_t j = 0; j != i; ++j) {
         if (!is_proven(places[i]) || !is_proven(places[j])) continue;
         if (are(places[i], places[j])) related[i] = related[j] = any = true;
      }
   }
   return any;
}

// Marks those that were related to others: these may all be away, or replaced. Whether there is one, down or not. Not
// of two configured places: one of these is followed wherever it leads.
bool find_kin(std::span<const place> places, std::vector<bool>& related) {
   if (std::count_if(places.begin(), places.end(), [](const place& p) { return p.configured; }) < 3) return false;
   for (std::size_t i = 0; i != places.size(); ++i) related[i] = !places[i].kin.empty();
   return std::find(related.begin(), related.end(), true) != related.end();
}

// Two configured places that are related, or one that was, outweigh one that is related to no configured place. That
// stays a stray until it is related to one, also while no other Sentinel can be reached (but see
// sentinel_roll::pardon_strays). Two places behind which one Sentinel stands are not related by that, but share it.
std::vector<bool> strays(std::span<const place> places) {
   std::vector<bool> related(places.size());
   const bool any = find_related(places, are_related, related) || find_related(places, were_related, related) ||
                    find_kin(places, related);
   find_related(places, may_be_related, related);
   const auto is_related = [&](const place& p) {
      for (std::size_t i = 0; i != places.size(); ++i) {
         if (related[i] && places[i].id == p.id) return true;
      }
      return false;
   };
   std::vector<bool> stray(places.size());
   for (std::size_t i = 0; i != places.size(); ++i) {
      const place& p = places[i];
      if (p.configured && !p.names) stray[i] = !p.counted;
      if (is_proven(p) && p.names) stray[i] = !is_related(p) && (any || !p.counted);
   }
   return stray;
}

// Follows the lists from these places on.
void follow(std::span<const place> places, std::vector<std::size_t> to_read, std::vector<bool>& counts) {
   for (std::size_t n = 0; n != to_read.size(); ++n) {
      const place& by = places[to_read[n]];
      for (std::size_t i = 0; i != places.size(); ++i) {
         const place& p = places[i];
         const auto stands = [&](const listed_node& entry) { return stands_for(p, entry); };
         const bool stays = p.names && !p.id.empty() && holds(by.passing, p.id);
         if (counts[i] || p.configured || !(stays || std::any_of(by.lists.begin(), by.lists.end(), stands))) continue;
         counts[i] = true;
         if (p.names) to_read.push_back(i);
      }
   }
}

std::vector<bool> chain(std::span<const place> places, const std::vector<bool>& stray) {
   std::vector<bool> counts;
   std::vector<std::size_t> configured, learned;
   for (std::size_t i = 0; i != places.size(); ++i) {
      const place& p = places[i];
      counts.push_back(p.configured && !stray[i]);
      if (p.names && counts[i]) configured.push_back(i);
      if (p.names && p.counted && !p.configured) learned.push_back(i);
   }
   const auto& roots = configured.empty() ? learned : configured;
   for (const std::size_t i : roots) counts[i] = true;
   follow(places, roots, counts);
   // Nobody answers: nobody says that it is different from before.
   for (std::size_t i = 0; roots.empty() && i != places.size(); ++i) {
      if (!places[i].configured) counts[i] = places[i].counted;
   }
   return counts;
}

// A stray is none where a learned place that counts lists it, or is listed by it: the configured ones that knew it may
// be away, or cut off from it.
void take_back(std::span<const place> places, std::vector<bool>& counts) {
   for (std::size_t i = 0; i != places.size(); ++i) {
      const place& p = places[i];
      if (!p.configured || !p.names || counts[i]) continue;
      for (std::size_t j = 0; j != places.size(); ++j) {
         const place& by = places[j];
         if (!counts[j] || by.configured || by.id.empty()) continue;
         if (!holds(p.lists, by.id) && !(by.names && holds(by.lists, p.id))) continue;
         counts[i] = true;
         follow(places, {i}, counts);
         return take_back(places, counts);
      }
   }
}

// Some place leads to this Sentinel: its own, the same address, or a configured one behind which it stands alone.
bool is_met(std::span<const place> places, const std::vector<bool>& counts, const listed_node& entry) {
   for (std::size_t i = 0; i != places.size(); ++i) {
      const place& p = places[i];
      const bool is_there = counts[i] && p.names && !p.several && !entry.id.empty() && p.id == entry.id;
      if (p.configured ? is_there || p.where == entry.where : same(p.listed_as, p.where, entry)) return true;
   }
   return false;
}

// Addresses at which those that vote list this id.
std::vector<endpoint> addresses_of(std::span<const place> places, const tally& t, std::string_view id) {
   std::vector<endpoint> all;
   for (std::size_t i = 0; i != places.size(); ++i) {
      if (!t.counts[i] || !places[i].names) continue;
      for (const listed_node& entry : places[i].lists) {
         if (entry.id == id && std::find(all.begin(), all.end(), entry.where) == all.end()) all.push_back(entry.where);
      }
   }
   return all;
}

}  // namespace

tally count(std::span<const place> places) {
   tally t{.counts = chain(places, strays(places))};
   take_back(places, t.counts);
   const auto votes = [&](std::size_t i) { return t.counts[i] && places[i].names; };
   std::vector<listed_node> census, configured;
   bool configured_root = false;
   for (std::size_t i = 0; i != places.size(); ++i) {
      configured_root = configured_root || (votes(i) && places[i].configured);
      if (votes(i)) add(census, name_of(places[i]), places[i].where);
      if (places[i].configured) add(configured, places[i].names ? places[i].id : std::string_view(), places[i].where);
   }
   for (std::size_t i = 0; i != places.size(); ++i) {
      if (!votes(i)) continue;
      for (const listed_node& entry : places[i].lists) {
         add(census, entry.id, entry.where);
         const bool noted = std::any_of(t.unmet.begin(), t.unmet.end(),
                                        [&](const listed_node& s) { return same(s.id, s.where, entry); });
         if (!noted && !is_met(places, t.counts, entry)) t.unmet.push_back(entry);
      }
   }
   const bool too_few = configured_root && 2 * census.size() <= configured.size();
   t.known = too_few ? configured.size() : census.size();
   return t;
}

bool are_related(const place& one, const place& other) {
   return is_proven(one) && is_proven(other) &&
          ((one.names && holds(one.lists, other.id)) || (other.names && holds(other.lists, one.id)));
}

bool is_listed(std::span<const place> places, const tally& t, std::string_view id, const endpoint& where) {
   const auto all = addresses_of(places, t, id);
   return std::find(all.begin(), all.end(), where) != all.end();
}

endpoint next_address(std::span<const place> places, const tally& t, std::string_view id, const endpoint& where) {
   const auto all = addresses_of(places, t, id);
   if (all.empty()) return where;
   const auto at = std::find(all.begin(), all.end(), where);
   return at == all.end() || at + 1 == all.end() ? all.front() : *(at + 1);
}

}  // namespace holdfast::impl
