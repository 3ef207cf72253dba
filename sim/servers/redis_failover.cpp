// FAILOVER: writes are paused until a replica has all; then the master follows it, and asks it to be the master.
#include "sim/servers/redis_model.hpp"

#include <algorithm>

namespace holdfast::sim {

std::string_view to_string(handover h) {
   switch (h) {
      case handover::none: return "no-failover";
      case handover::waits_for_sync: return "waiting-for-sync";
      case handover::in_progress: return "failover-in-progress";
   }
   return "?";
}

void redis_model::fail_over(session& s, const words& w) {
   host_id to = nowhere;
   bool named = false;
   bool force = false;
   bool abort = false;
   std::optional<long long> timeout;
   for (std::size_t i = 1; i < w.size(); ++i) {
      if (same_word(w[i], "TIMEOUT") && i + 1 < w.size() && !timeout) {
         timeout = read_integer(w[++i]);
         if (!timeout) return add_error(s.out, "ERR value is not an integer or out of range");
         if (*timeout <= 0) return add_error(s.out, "ERR FAILOVER timeout must be greater than 0");
      } else if (same_word(w[i], "ABORT") && w.size() == 2) {
         abort = true;
      } else if (same_word(w[i], "TO") && i + 2 < w.size() && !named) {
         named = true;
         for (const replica& r : replicas_) {
            if ("10.0.0." + std::to_string(r.host + 1) == w[i + 1] && w[i + 2] == "6379") to = r.host;
         }
         i += 2;
      } else if (same_word(w[i], "FORCE") && !force) {
         force = true;
      } else {
         return add_error(s.out, "ERR syntax error");
      }
   }
   if (abort && handover_ == handover::none) return add_error(s.out, "ERR No failover in progress.");
   if (abort) {
      give_up_handover();
      return add_status(s.out, "OK");
   }
   if (handover_ != handover::none) return add_error(s.out, "ERR FAILOVER already in progress.");
   if (!is_master()) return add_error(s.out, "ERR FAILOVER is not valid when server is a replica.");
   if (replicas_.empty()) return add_error(s.out, "ERR FAILOVER requires connected replicas.");
   if (force && (!timeout || !named))
      return add_error(s.out, "ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
   if (named && to == nowhere) return add_error(s.out, "ERR FAILOVER target HOST and PORT is not a replica.");
   hand_over(to, timeout ? duration(std::chrono::milliseconds(*timeout)) : duration::max());
   add_status(s.out, "OK");
}

bool redis_model::hand_over(host_id to, duration within) {
   if (!is_master() || replicas_.empty() || handover_ != handover::none) return false;
   handover_ = handover::waits_for_sync;
   heir_ = to;
   handover_ends_ = within == duration::max() ? never : shared_.time.now() + within;
   if (handover_ends_ != never) shared_.time.at(handover_ends_, {.a = host_, .kind = what::unpaused});
   ++waiting_for_replicas_;  // so that they tell how far they are
   for (const replica& r : replicas_) shared_.post(host_, r.host, message::ask_ack, 0, 0, r.link);
   return true;
}

void redis_model::look_for_heir() {
   if (handover_ != handover::waits_for_sync) return;
   const auto fit = [&](const replica& r) { return (heir_ == nowhere || heir_ == r.host) && r.acked == place_.offset; };
   const auto found = std::find_if(replicas_.begin(), replicas_.end(), fit);
   if (found == replicas_.end()) return;
   --waiting_for_replicas_;
   handover_ = handover::in_progress;
   heir_ = found->host;
   kept_its_clients_ = true;
   change_role(heir_);
}

// The master that was says that it follows, and that this one is to be the master.
void redis_model::take_over(const event& e) {
   if (is_master() || master_ != e.a) return;
   change_role(nowhere);
}

void redis_model::end_handover() {
   if (handover_ == handover::waits_for_sync) --waiting_for_replicas_;
   handover_ = handover::none;
   heir_ = nowhere;
   handover_ends_ = never;
   on_unpaused();
}

void redis_model::give_up_handover() {
   if (handover_ == handover::in_progress) change_role(nowhere);
   end_handover();
}

}  // namespace holdfast::sim
