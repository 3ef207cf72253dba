#include "topology/sentinel/sentinel_reports.hpp"

#include <algorithm>
#include <chrono>

namespace holdfast::impl {

std::string in_short(const unavailable& t) {
   if (t.code == errc::no_sentinel) return "no Sentinel can be reached";
   if (t.code == errc::authentication_failed) return "the Sentinels refuse our password";
   return "no Sentinel knows a master of that name";
}

bool anyone(const sentinel_peers& peers, bool (sentinel_peer::*does)() const) {
   return std::any_of(peers.begin(), peers.end(), [&](const auto& p) { return (*p.*does)(); });
}

bool is_repeated_elsewhere(const sentinel_peers& peers, const sentinel_peer& p) {
   if (p.id().empty()) return false;
   return std::any_of(peers.begin(), peers.end(), [&](const auto& q) {
      if (q.get() == &p || !q->votes() || q->id() != p.id()) return false;
      return q->latest.at > p.latest.at || (q->number < p.number && q->latest.at == p.latest.at);
   });
}

rounds::progress progress_of(const sentinel_peers& peers, const rounds::open_round& r, const master_node* believed) {
   rounds::progress so_far;
   for (const auto& p : peers) {
      if (!p->member.counts) continue;
      if (p->up() && p->latest.round >= r.number) {
         ++so_far.answered;
         // The first belief hears those, too, whom this one is about to name.
         if (believed == nullptr && p->questions.list_under_way()) ++so_far.waiting;
         if (believed != nullptr && p->names_a_master() && p->latest.where == believed->where &&
             p->latest.state.epoch == believed->epoch && !is_repeated_elsewhere(peers, *p))
            ++so_far.confirming;
      } else if (p->failed_at > r.began) {
         continue;
      } else if (p->is_down()) {
         if (p->questions.connection.now() != checked_connection::phase::resting) ++so_far.waiting_for_down;
      } else {
         ++so_far.waiting;
         so_far.hinting = so_far.hinting || p->asked_for_hint >= r.number;
      }
   }
   return so_far;
}

// A Sentinel shows the run id with the address that it asks for INFO: of the master, if that is the same. What it saw
// last may be ten seconds old; where two saw different ones, none is known.
std::string run_id_of(const sentinel_peers& peers, const endpoint& master) {
   std::string found;
   for (const auto& p : peers) {
      if (!p->votes() || p->latest.where != master || p->latest.state.shown != master) continue;
      const std::string& one = p->latest.state.run_id;
      if (one.empty() || one == found) continue;
      if (!found.empty()) return {};
      found = one;
   }
   return found;
}

std::optional<std::vector<listed_node>> listed_replicas(const sentinel_peers& peers, const endpoint& master) {
   std::optional<std::vector<listed_node>> listed;
   const std::string master_id = run_id_of(peers, master);
   for (const auto& p : peers) {
      if (!p->up() || !p->member.counts) continue;
      if (!listed) listed.emplace();
      for (const auto& node : p->questions.replicas()) {
         const bool is_master = node.where == master || (!node.id.empty() && node.id == master_id);
         if (!is_master) listed->push_back(node);
      }
   }
   return listed;
}

std::string objection_to(const master_node& target, const sentinel_peers& peers, duration agree_for) {
   const auto names_another = [&](const auto& p) { return p->votes() && p->latest.where != target.where; };
   const auto found = std::find_if(peers.begin(), peers.end(), names_another);
   if (found == peers.end()) return {};
   const auto said = (*found)->view();
   std::string text = "Sentinel " + to_string((*found)->where) + " names " + to_string(said.where) + " (epoch " +
                      std::to_string(said.epoch) + ") instead of " + to_string(target.where) + " (epoch " +
                      std::to_string(target.epoch) + ")";
   if (said.epoch < target.epoch)
      text += "; an older epoch is followed when all have agreed on it for " +
              std::to_string(std::chrono::duration_cast<std::chrono::seconds>(agree_for).count()) + " s";
   return text;
}

unavailable why_no_master(const sentinel_peers& peers, std::span<const std::size_t> order, const std::string& name,
                          bool ever_named) {
   unavailable t;
   bool unknown = false;
   bool refused = false;
   bool each_seed_says_no = !ever_named;
   for (const auto i : order) {
      const sentinel_peer& p = *peers[i];
      const bool refuses = p.now() == sentinel_peer::status::refuses;
      const bool knows_no_such = p.up() && p.latest.what == sentinel_answer::kind::unknown;
      unknown = unknown || knows_no_such;
      refused = refused || refuses;
      if (p.seed && !knows_no_such && !refuses) each_seed_says_no = false;
      std::string cause = "Sentinel " + to_string(p.where) + ": ";
      if (knows_no_such)
         cause += "knows no master named '" + shown(name) + "'";
      else if (p.seed && !p.member.counts && p.up())
         cause += sentinel_peer::stray_text;
      else
         cause += p.why.empty() ? "has not answered yet" : p.why;
      t.causes.push_back(std::move(cause));
   }
   t.code = unknown ? errc::unknown_master : refused ? errc::authentication_failed : errc::no_sentinel;
   t.final = each_seed_says_no;
   return t;
}

}  // namespace holdfast::impl
