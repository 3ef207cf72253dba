// Whether what failed is sent again, and who pays for it: gathers the arguments of `decide`. The first time that a
// command is sent again is free of the retry budget, and once more after each change of master: that is bounded by
// itself.
#pragma once

#include "lane/connector.hpp"
#include "lane/decision.hpp"
#include "lane/ledger.hpp"
#include "lane/operation.hpp"
#include "lane/resend_order.hpp"

#include <holdfast/policy/retry_budget.hpp>

#include <optional>
#include <vector>

namespace holdfast::impl {

class retries {
 public:
   retries(retry_budget& budget, const connector& c, std::optional<unsigned> max_resends)
      : budget_(budget), connector_(c), max_resends_(max_resends) {}

   void on_submitted(time_point now) { budget_.deposit(now); }
   bool is_free(const operation& op) const {
      return op.resends == 0 || op.resent_free_at != connector_.master_changed_at();
   }
   bool can_pay(const operation& op, time_point now) const { return is_free(op) || budget_.available(now) != 0; }
   // An answer that was kept does not count: whether it is asked for again.
   bool may_ask_again(const operation& op, time_point now) const { return may_run_twice(op) && can_pay(op, now); }
   static bool may_run_twice(const operation& op) {
      return op.pinned_to == 0 && (op.kept != operation::answer::reply || op.delivery != delivery::at_most_once);
   }
   void count(operation&, bool free, time_point now);
   void count(operation& op, time_point now) { count(op, is_free(op), now); }
   // A resend decided on before the change of master is free as well.
   void on_written_again(operation& op) { op.resent_free_at = connector_.master_changed_at(); }

   // The server answered with an error, which proves this.
   decision after_error(operation&, reply_proof, time_point now);
   // The connection was lost, with all of the ledger unanswered.
   struct loss {
      std::vector<lost_command> commands = {};  // the oldest first
      unsigned unanswered = 0;
      bool may_still_run = false;
      bool others_wait = false;  // some may still run on connections before this one
      unsigned reruns = 0;       // writes that were sent again, and may have run
   };
   loss after_loss(ledger&, outbox::position accepted, fault, time_point now);
   // The fence is impossible: whether what waits to be sent again ends therefore.
   bool ends_unfenced(operation&, time_point now);

 private:
   situation describe(operation&, fault, time_point now);
   decision after_its_work(operation&, time_point now);
   decision classify_lost(operation&, written&, fault, bool budget, time_point now);

   retry_budget& budget_;
   const connector& connector_;
   std::optional<unsigned> max_resends_;
};

}  // namespace holdfast::impl
