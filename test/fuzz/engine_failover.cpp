// Failovers in an engine_world that a Sentinel announces before the others know: the selection, the promotion, and what
// may become of it. And a role that is moved without any Sentinel.
#include "fuzz/engine_world.hpp"
#include "unit/topology/replies.hpp"

#include <algorithm>

namespace holdfast::fuzz {
namespace {

const endpoint nodes[] = {node_a, node_b, node_c};

std::string about_master(const endpoint& m) { return "master mymaster " + m.host + " " + std::to_string(m.port); }
std::string about_replica(const endpoint& r, const endpoint& m) {
   return "slave " + to_string(r) + " " + r.host + " " + std::to_string(r.port) + " @ mymaster " + m.host + " " +
          std::to_string(m.port);
}

}  // namespace

void engine_world::step_of_failover(std::size_t what) {
   switch (what) {
      case 24: return select();
      case 25: return promote();
      case 26: return name_promoted();
      case 27: return give_up();
      case 28: return move_role();
      case 29: {  // as it should be
         select();
         settle();
         pass(70ms);
         settle();
         return promote();
      }
      default:
         for (std::size_t n = 1 + in_.below(64); n != 0; --n) {
            settle();
            pass(what == 30 ? duration(1ms) : duration(50ms));
         }
   }
}

// Only the leader says it.
void engine_world::lead(const std::string& channel, const std::string& payload) {
   for (const auto& [id, c] : live_)
      if (c->subscribed && c->where == leader_) c->replies += impl::test::texts({"message", channel, payload});
}

void engine_world::select() {
   leader_ = settings_.sentinels[in_.below(settings_.sentinels.size())];
   selected_ = nodes[in_.below(std::size(nodes))];
   announced_ = in_.one_in(8) ? epoch_ : std::max(epoch_, announced_) + 1;
   lead("+new-epoch", std::to_string(announced_));
   lead("+try-failover", about_master(master_));
   lead("+selected-slave", about_replica(selected_, master_));
}

// The master of before may not know it yet.
void engine_world::promote() {
   if (selected_.empty()) return;
   if (in_.one_in(2) && selected_ != master_) nodes_[master_].role = "slave";
   nodes_[selected_].role = "master";
   kill_clients_of(selected_);
}

void engine_world::name_promoted() {
   if (selected_.empty()) return;
   const endpoint from = master_;
   master_ = selected_;
   epoch_ = std::max(epoch_ + 1, announced_);
   lead("+promoted-slave", about_replica(selected_, from));
   lead("+failover-end", about_master(from));
   for (const auto& where : settings_.sentinels) {
      leader_ = where;
      lead("+switch-master", "mymaster " + from.host + " 6379 " + master_.host + " 6379");
   }
   selected_ = {};
}

void engine_world::give_up() {
   if (leader_.empty()) return;
   lead("-failover-abort-slave-timeout", about_master(master_));
   if (in_.one_in(2) && !selected_.empty() && selected_ != master_) nodes_[selected_].role = "slave";
}

// FAILOVER: of this the Sentinels learn much later.
void engine_world::move_role() {
   const endpoint to = nodes[in_.below(std::size(nodes))];
   for (auto& [where, n] : nodes_) n.role = where == to ? "master" : "slave";
}

endpoint engine_world::followed() const {
   if (const auto found = nodes_.find(master_); found == nodes_.end() || found->second.role == "master") return master_;
   const auto other =
      std::find_if(nodes_.begin(), nodes_.end(), [](const auto& n) { return n.second.role == "master"; });
   return other == nodes_.end() ? master_ : other->first;
}

// When everybody has worked for a while, and no command makes the client look.
void engine_world::look_at_master() {
   const time_point end = now_ + 30s;
   for (unsigned n = 0; now_ < end; ++n) {
      require(n < 20'000, "time goes on");
      if (settle()) continue;
      now_ = std::max(now_, std::min(subject_->next_deadline(), end));
      tick();
   }
   const auto& t = subject_->watch()->target();
   require(t && t->where == master_, "in a healed world the master is the one that the Sentinels name");
   require(!subject_->watch()->is_provisional(), "in a healed world nobody is believed by its own word");
}

}  // namespace holdfast::fuzz
