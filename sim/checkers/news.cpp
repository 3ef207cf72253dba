#include "sim/checkers/news.hpp"

#include <algorithm>
#include <chrono>

namespace holdfast::sim {

using namespace std::chrono_literals;

// ---- what is read -------------------------------------------------------------------------------------------------

void news::read(const line& on, const told& t, bool has_master, time_point now) {
   items_.push_back({t, on.to, on.number, on.configured, on.listed && has_master, now});
   if (t.is == observation::address && on.configured && (!newest_ || t.epoch > newest_->epoch)) newest_ = t;
}

void news::ended(const line& l, time_point now) {
   items_.push_back({{observation::ended, 0, nowhere}, l.to, l.number, l.configured, false, now});
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
   items_.push_back({*newest_, nowhere, 0, true, false, now});
}

// ---- what follows -------------------------------------------------------------------------------------------------

bool news::stands(const item& selection) const {
   if (newest_ && selection.epoch <= newest_->epoch) return false;
   return std::none_of(items_.begin(), items_.end(), [&](const item& x) {
      return x.is == observation::aborted && is_after(x, selection) && x.from == selection.from &&
             x.epoch == selection.epoch;
   });
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

// Knowledge of its epoch: the client has heard that failover begin.
bool news::is_known(const item& selection) const {
   return std::any_of(items_.data(), &selection, [&](const item& x) {
      return x.is == observation::tried && x.from == selection.from && x.on == selection.on &&
             x.epoch == selection.epoch;
   });
}

// A selection whose Sentinel is still there.
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
   // Two Sentinels can lead a failover each under the same epoch: they may be followed in either.
   if (followed_.node == to && followed_.epoch == answer->epoch) return {};
   const bool follows = followed_.epoch > answer->epoch && followed_.node != to;
   const std::uint64_t bar = follows ? followed_.epoch : answer->epoch;
   const item* named = nullptr;
   const item* risen = nullptr;
   const auto prefer = [](const item*& best, const item& x) {
      if (best == nullptr || x.epoch > best->epoch) best = &x;
   };
   for (const item& x : items_) {
      if (x.node == to && x.is == observation::address && x.epoch >= bar) prefer(named, x);
      if (!s.eager || x.is != observation::selected || x.epoch <= bar) continue;
      if (x.node == to && stands(x)) prefer(named, x);
      if (x.node != to && s.has_one_name && has_risen(x)) prefer(risen, x);
   }
   if (risen != nullptr && (named == nullptr || risen->epoch > named->epoch))
      return "was told that host " + std::to_string(risen->node) + " is a master, which had been selected (epoch " +
             std::to_string(risen->epoch) + ")";
   if (named != nullptr) return {};
   if (follows)
      return "has followed host " + std::to_string(followed_.node) + " (epoch " + std::to_string(followed_.epoch) +
             ") and goes back";
   if (s.follows_hints && master_of(answer->node) == to) return {};
   return "was told that the master is host " + std::to_string(answer->node) + " (epoch " +
          std::to_string(answer->epoch) + ")";
}

// The Sentinel that had selected the node gave its failover up (of which one it was is unknown on a connection that is
// new); or the node said that it is a replica again, and a Sentinel then named another one; or for ten seconds all of
// them named `to`, which says that it is a master.
std::string news::objection_to_return(host_id from, std::uint64_t epoch, host_id to, time_point now) const {
   time_point agreed = never;
   bool selected = false;
   bool rose = false;
   bool fell = false;
   bool to_a_master = false;
   for (const item& x : items_) {
      const auto gives_up = [&](const item& s) {
         return s.is == observation::selected && s.node == from && s.from == x.from &&
                (s.epoch == x.epoch || s.on != x.on);
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

// That of a selection by the same Sentinel that held writes, unless a master of its epoch or a newer one is believed.
bool news::is_in_a_pause(const item& selection, duration hold) const {
   return std::any_of(items_.data(), &selection, [&](const item& x) {
      return x.is == observation::selected && x.from == selection.from && x.binds && x.epoch > followed_.epoch &&
             (!newest_ || x.epoch > newest_->epoch) && selection.at < x.at + hold + 5s && !is_in_a_pause(x, hold);
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
