#include "topology/sentinel/warm_replicas.hpp"

#include <holdfast/policy/backoff.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::impl {
namespace {

using phase = checked_connection::phase;
using namespace std::chrono_literals;

constexpr duration shortest_poll = 10ms;  // of a pursued node
constexpr duration shortest_retry = 1s;   // of any other one
constexpr unsigned many_tries = 20;       // two seconds or so

}  // namespace

warm_replicas::warm_replicas(const sentinel_settings& s, std::uint64_t seed, io_queue& io, const limits& l,
                             link_owner& owner)
   : settings_(&s), random_(seed), io_(&io), limits_(l), link_owner_(&owner) {}

warm_replicas::slot* warm_replicas::find(const endpoint& where) {
   const auto found =
      std::find_if(slots_.begin(), slots_.end(), [&](const auto& s) { return s->wanted() && s->where == where; });
   return found == slots_.end() ? nullptr : found->get();
}

warm_replicas::slot* warm_replicas::owner(const link& l) {
   const auto found =
      std::find_if(slots_.begin(), slots_.end(), [&](const auto& s) { return &s->node.connection.link == &l; });
   return found == slots_.end() ? nullptr : found->get();
}

// Null where all places are taken by nodes that are pursued, too.
warm_replicas::slot* warm_replicas::place_for(const endpoint& where) {
   if (slot* s = find(where)) return s;
   auto place = std::find_if(slots_.begin(), slots_.end(), [](const auto& s) { return !s->wanted(); });
   if (place == slots_.end() && slots_.size() < settings_->max_replicas + 1) {
      place = slots_.insert(slots_.end(), std::make_unique<slot>(*settings_, *io_, limits_));
      (*place)->node.connection.link.set_owner(*link_owner_);
   }
   if (place == slots_.end())
      place = std::find_if(slots_.begin(), slots_.end(), [](const auto& s) { return !s->pursued; });
   if (place == slots_.end()) return nullptr;
   slot& s = **place;
   s.node.connection.close();
   s.where = where;
   s.listed = s.pursued = false;
   s.node.connection.failures = s.questions = 0;
   s.ask_at = never;
   return &s;
}

// ---- what is wanted -----------------------------------------------------------------------------------------------

std::vector<endpoint> warm_replicas::one_name_each(std::span<const listed_node> listed) {
   std::vector<const listed_node*> nodes;
   for (const auto& node : listed) {
      const auto is_same = [&](const listed_node* n) {
         return n->where == node.where || (!node.id.empty() && n->id == node.id);
      };
      const auto known = std::find_if(nodes.begin(), nodes.end(), is_same);
      if (known == nodes.end())
         nodes.push_back(&node);
      else if (find((*known)->where) == nullptr && find(node.where) != nullptr)
         *known = &node;
   }
   nodes.resize(std::min(nodes.size(), settings_->max_replicas));
   std::vector<endpoint> names;
   for (const auto* n : nodes) names.push_back(n->where);
   return names;
}

void warm_replicas::keep(std::span<const listed_node> all, time_point now) {
   const auto listed = one_name_each(all);
   for (const auto& s : slots_) {
      if (!s->listed) continue;
      s->listed = std::find(listed.begin(), listed.end(), s->where) != listed.end();
      drop_if_unwanted(*s);
   }
   for (const auto& where : listed) {
      slot* const s = place_for(where);
      if (s == nullptr || s->listed) continue;
      s->listed = true;
      if (!s->pursued) s->node.connection.retry_from(after(now, random_.between({}, settings_->rewarm_spread)));
   }
}

void warm_replicas::pursue(std::span<const endpoint> nodes, time_point now) {
   for (const auto& s : slots_) {
      if (!s->pursued || std::find(nodes.begin(), nodes.end(), s->where) != nodes.end()) continue;
      s->pursued = false;
      s->ask_at = never;
      drop_if_unwanted(*s);
   }
   for (const auto& where : nodes) {
      if (slot* const s = place_for(where); s != nullptr && !s->pursued) begin_pursuit(*s, now);
   }
}

void warm_replicas::begin_pursuit(slot& s, time_point now) {
   s.pursued = true;
   s.questions = 0;
   auto& c = s.node.connection;
   if (c.now() == phase::open) s.node.ask(now);
   if (c.now() == phase::resting) c.retry_from(std::max(now, after(c.tried_at(), shortest_poll)));
   if (now >= c.retry_at()) c.dial(s.where, now);
   s.ask_at = after(now, pause(s.questions++));
}

void warm_replicas::drop_if_unwanted(slot& s) {
   if (!s.wanted()) s.node.connection.close();
}

std::size_t warm_replicas::warm() const {
   return static_cast<std::size_t>(
      std::count_if(slots_.begin(), slots_.end(), [](const auto& s) { return s->node.is_known(); }));
}

// ---- what happens -------------------------------------------------------------------------------------------------

bool warm_replicas::on_opened(link& l, time_point now) {
   slot* const s = owner(l);
   if (s != nullptr) s->node.connection.opened(now);
   return s != nullptr;
}

bool warm_replicas::on_lost(link& l, const std::string& why, time_point now) {
   slot* const s = owner(l);
   if (s == nullptr) return false;
   const bool was_known = s->node.is_known();
   s->node.connection.lost(why);
   rest(*s, was_known, now);
   return true;
}

bool warm_replicas::on_received(link& l, time_point now) {
   slot* const s = owner(l);
   if (s == nullptr) return false;
   bool was_known = s->node.is_known();
   auto n = s->node.take(now);
   for (; n == role_connection::event::role; n = s->node.take(now)) {
      observations_.push_back({role_observation::kind::role, s->where, s->node.role(), s->node.follows()});
      was_known = s->node.is_known();
   }
   if (n == role_connection::event::failed) rest(*s, was_known, now);
   return true;
}

// It is closed; when it is dialled next.
void warm_replicas::rest(slot& s, bool was_known, time_point now) {
   if (!s.wanted()) return;
   observations_.push_back(
      {was_known ? role_observation::kind::ended : role_observation::kind::failed, s.where, {}, {}});
   auto& c = s.node.connection;
   const time_point tried = c.tried_at();
   if (s.pursued) {
      // The end of one that had lasted is what is waited for: it is made anew at once.
      const bool lasted = was_known && now - tried >= settings_->outage_poll;
      return c.retry_from(after(now, lasted ? random_.between({}, settings_->reconnect_spread) : pause(s.questions++)));
   }
   // One that ends as soon as it is made is a failure, too.
   if (was_known && now - tried >= shortest_retry) {
      c.failures = 0;
      return c.retry_from(after(now, random_.between({}, settings_->rewarm_spread)));
   }
   const auto rule =
      exponential_backoff({.base = shortest_retry, .factor = 2, .cap = settings_->rewarm_cap, .jitter = jitter::equal});
   c.retry_from(after(now, std::max<duration>(shortest_retry, rule.delay(c.failures++, random_))));
}

duration warm_replicas::pause(unsigned tries) {
   const duration cap = tries < many_tries ? settings_->outage_poll : settings_->alert_poll;
   const auto rule = exponential_backoff({.base = settings_->outage_base, .cap = cap});
   return std::max(shortest_poll, rule.delay(tries, random_));
}

void warm_replicas::tick(time_point now, bool late) {
   for (const auto& place : slots_) {
      slot& s = *place;
      auto& c = s.node.connection;
      if (c.now() != phase::resting) {
         const bool was_known = s.node.is_known();
         if (s.node.check(now, late) == role_connection::event::failed) rest(s, was_known, now);
      }
      if (c.now() == phase::resting && s.wanted() && now >= c.retry_at()) c.dial(s.where, now);
      if (now < s.ask_at) continue;
      s.node.ask(now);
      s.ask_at = after(now, pause(s.questions++));
   }
}

time_point warm_replicas::deadline() const {
   time_point soonest = never;
   for (const auto& s : slots_) soonest = std::min({soonest, s->node.connection.deadline(), s->ask_at});
   return soonest;
}

std::optional<warm_replicas::role_observation> warm_replicas::take() {
   if (observations_.empty()) return std::nullopt;
   role_observation first = std::move(observations_.front());
   observations_.erase(observations_.begin());
   return first;
}

}  // namespace holdfast::impl
