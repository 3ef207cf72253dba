#include "sim/checkers/news.hpp"

#include <algorithm>
#include <chrono>

namespace holdfast::sim {

using namespace std::chrono_literals;

// ---- what is read -------------------------------------------------------------------------------------------------

void news::read(const line& on, const told& t, bool has_master, time_point now) {
   items_.push_back({t, on.to, on.number, on.listed && has_master, now});
   if (t.is == observation::address && on.configured && (!newest_ || t.epoch > newest_->epoch)) newest_ = t;
}

void news::ended(const line& l, time_point now) {
   items_.push_back({{observation::ended, 0, nowhere}, l.to, l.number, false, now});
}

void news::went(host_id to) {
   const item* const s = selection_of(to);
   if (s != nullptr && s->epoch > followed_.epoch) followed_ = {to, s->epoch};
}

void news::withdrawn(host_id from, std::uint64_t epoch) {
   followed_ = {};
   std::erase_if(items_, [&](const item& x) {
      const bool is_its_word = x.is == observation::master && x.from == from;
      return is_its_word || (x.is == observation::selected && x.node == from && x.epoch <= epoch);
   });
}

void news::begins_anew(host_id master, std::uint64_t epoch, time_point now) {
   followed_ = {};
   std::erase_if(items_, [&](const item& x) { return x.epoch > epoch; });
   newest_ = {observation::address, epoch, master};
   items_.push_back({*newest_, nowhere, 0, false, now});
}

// ---- what follows -------------------------------------------------------------------------------------------------

// A selection stands while no answer is as new, and its Sentinel has not given that failover up. Nor may that Sentinel
// take another node for its master; unless the selected one had said before that it is a master.
bool news::stands(const item& selection) const {
   if (newest_ && selection.epoch <= newest_->epoch) return false;
   bool is_master = false;
   for (const item* x = &selection + 1; x < items_.data() + items_.size(); ++x) {
      is_master = is_master || (x->is == observation::master && x->from == selection.node);
      if (x->from != selection.from) continue;
      if (x->is == observation::aborted && x->epoch == selection.epoch) return false;
      if (x->is == observation::switched && x->node != selection.node && !is_master) return false;
   }
   return true;
}

const news::item* news::selection_of(host_id h) const {
   const item* best = nullptr;
   for (const item& x : items_) {
      if (x.is == observation::selected && x.node == h && stands(x) && (best == nullptr || x.epoch > best->epoch))
         best = &x;
   }
   return best;
}

bool news::is_selected(host_id h) const {
   return std::any_of(items_.begin(), items_.end(), [&](const item& x) {
      return x.is == observation::selected && x.node == h && stands(x) && is_known(x);
   });
}

// The node that this one said it follows. (Not each of its words tells.)
host_id news::master_of(host_id h) const {
   const auto found = std::find_if(items_.rbegin(), items_.rend(), [&](const item& x) {
      return x.from == h && (x.is == observation::master || (x.is == observation::replica && x.node != nowhere));
   });
   return found == items_.rend() || found->is == observation::master ? nowhere : found->node;
}

// A node that was selected has said since that it is a master.
bool news::has_risen(const item& selection) const {
   return selection.is == observation::selected && selection.binds && stands(selection) && is_heard(selection) &&
          std::any_of(&selection, items_.data() + items_.size(),
                      [&](const item& x) { return x.is == observation::master && x.from == selection.node; });
}

// The client knows a selection's epoch if it has heard that failover begin.
bool news::is_known(const item& selection) const {
   return std::any_of(items_.data(), &selection, [&](const item& x) {
      return x.is == observation::tried && x.from == selection.from && x.on == selection.on &&
             x.epoch == selection.epoch;
   });
}

// A selection is heard while all connections to its Sentinel last.
bool news::is_heard(const item& selection) const {
   return is_known(selection) && std::none_of(&selection, items_.data() + items_.size(), [&](const item& x) {
             return x.is == observation::ended && x.from == selection.from;
          });
}

// A command goes to a node that a Sentinel names under an epoch as new as the newest answer, or has selected under a
// newer one: newer, too, than that of a selection that the client has followed.
std::string news::objection(host_id to, const settings& s) const {
   const std::optional<told>& answer = newest_;
   if (!answer) return {};
   const bool follows = followed_.epoch > answer->epoch && followed_.node != to;
   const std::uint64_t bar = follows ? followed_.epoch : answer->epoch;
   std::optional<std::uint64_t> named;  // the greatest epoch under which it was
   const auto name = [&](std::uint64_t epoch) { named = std::max(named.value_or(epoch), epoch); };
   // Two Sentinels can lead a failover each under the same epoch: they may be followed in either.
   if (followed_.node == to && followed_.epoch == answer->epoch) name(answer->epoch);
   const item* risen = nullptr;
   for (const item& x : items_) {
      if (x.node == to && x.is == observation::address && x.epoch >= bar) name(x.epoch);
      if (!s.eager || x.is != observation::selected || x.epoch <= bar) continue;
      if (x.node == to && stands(x)) name(x.epoch);
      if (x.node != to && s.has_one_name && has_risen(x) && (risen == nullptr || x.epoch > risen->epoch)) risen = &x;
   }
   if (risen != nullptr && (!named || risen->epoch > *named))
      return "was told that host " + std::to_string(risen->node) + " is a master, which had been selected (epoch " +
             std::to_string(risen->epoch) + ")";
   if (named) return {};
   if (follows)
      return "has followed host " + std::to_string(followed_.node) + " (epoch " + std::to_string(followed_.epoch) +
             ") and goes back";
   if (s.follows_hints && master_of(answer->node) == to) return {};
   return "was told that the master is host " + std::to_string(answer->node) + " (epoch " +
          std::to_string(answer->epoch) + ")";
}

// The Sentinel that had selected the node gave its failover up (of which one it was is unknown on a connection that is
// new); or the node said that it is a replica again, and a Sentinel then named another one; or a Sentinel has named
// `to`, which says that it is a master, and none has named another one for ten seconds.
std::string news::objection_to_return(host_id from, std::uint64_t epoch, host_id to, time_point now) const {
   time_point agreed = never;
   bool selected = false;
   bool rose = false;
   bool fell = false;
   bool to_a_master = false;
   for (const item& x : items_) {
      const auto gives_up = [&](const item& s) {
         return s.is == observation::selected && s.node == from && s.from == x.from && s.epoch == epoch &&
                (x.epoch == epoch || s.on != x.on);
      };
      if (x.is == observation::aborted && std::any_of(items_.data(), &x, gives_up)) return {};
      selected = selected || (x.is == observation::selected && x.node == from && x.epoch == epoch);
      if (!selected) continue;
      const bool speaks = x.is == observation::master || x.is == observation::replica;
      if (speaks && x.from == from) fell = rose && x.is == observation::replica;
      rose = rose || (x.is == observation::master && x.from == from);
      if (speaks && x.from == to) to_a_master = x.is == observation::master;
      if (x.is != observation::address) continue;
      if (fell && x.node != from) return {};
      if (x.binds) agreed = x.node != to ? never : std::min(agreed, x.at);
   }
   if (to_a_master && agreed != never && now - agreed >= 10s) return {};
   return "was told no reason";
}

// A selection is in a pause if its Sentinel had writes held shortly before, unless a master of that epoch or a newer
// one is believed.
bool news::is_in_a_pause(const item& selection, duration hold) const {
   return std::any_of(items_.data(), &selection, [&](const item& x) {
      return x.is == observation::selected && x.from == selection.from && x.binds && is_known(x) &&
             x.epoch > followed_.epoch && (!newest_ || x.epoch > newest_->epoch) && selection.at < x.at + hold + 5s &&
             !is_in_a_pause(x, hold);
   });
}

host_id news::heir_of(host_id master, duration held, const settings& s, time_point now) const {
   const auto replaces = [&](const item& x) {
      return x.is == observation::selected && x.node != master && x.binds && now < x.at + held && stands(x) &&
             is_heard(x) && !is_in_a_pause(x, s.hold);
   };
   const auto found = std::find_if(items_.rbegin(), items_.rend(), replaces);
   if (found == items_.rend()) return nowhere;
   // Two Sentinels can lead a failover each under the same epoch (one by hand): which of the two wins is not known.
   const item* const own = selection_of(master);
   return own != nullptr && own->epoch >= found->epoch ? nowhere : found->node;
}

}  // namespace holdfast::sim
