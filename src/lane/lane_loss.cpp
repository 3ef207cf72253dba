// A connection ends with commands unanswered: what is known of each, and what may be said of it when.
#include "commands/shown.hpp"
#include "lane/lane.hpp"
#include "lane/overtaking.hpp"
#include "lane/transaction.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::lane {

namespace {

bool sends_again(const decision& d) {
   return d.verdict == verdict::resend || d.verdict == verdict::rediscover_then_resend;
}

}  // namespace

void lane::lose(std::string why, fault f, bool abortive, time_point now) {
   unsigned unanswered = 0;
   bool may_still_run = false;
   bool others_wait = false;  // for what was lost on connections before this one
   for (const operation* op : order_.all()) others_wait = others_wait || op->unfenced || op->left_behind;
   std::vector<lost_command> lost(ledger_.size());
   // From the oldest to the newest: where the retry budget is short, the older ones have it.
   auto budget = budget_.available(now);
   for (std::size_t i = 0; i < lost.size(); ++i) {
      const ledger_slot slot = ledger_.at(i);
      lost_command& l = lost[i];
      l.op = slot.op;
      l.sequence = slot.sequence;
      l.state = ledger::state_of(slot, link_.out.accepted());
      // Without its MULTI, what arrived of a transaction was run as it came.
      if (l.state == written::partly && l.op != nullptr && multi_was_refused(*l.op)) l.state = written::whole;
      l.remains = l.state == written::whole && !slot.harmless;
      l.ran_before = !slot.harmless && (l.op != nullptr ? l.op->may_have_run : slot.again);
      if (l.remains || (l.state == written::whole && l.op != nullptr)) ++unanswered;
      may_still_run = may_still_run || l.remains;
      if (l.op == nullptr) continue;
      others_wait = others_wait || l.op->unfenced || l.op->left_behind;
      // Too large was the oldest one's reply alone.
      const fault its = i != 0 && f == fault::reply_too_large ? fault::connection_lost : f;
      l.free = is_free(*l.op);
      l.then = judge(*l.op, l.state, its, l.free || budget > 0, now);
      if (sends_again(l.then) && !l.free) --budget;
      if (l.remains && slot.again) ++reruns_;
   }
   ledger_.clear();
   abandoned_changes_.clear();
   knocking_ = 0;
   const auto answered_before = forbid_overtaking(lost, now);
   const text_list because{why};
   for (const lost_command& l : lost) {
      if (l.op != nullptr) settle(l, because, now);
   }
   for (operation* op : answered_before) answer_counts(*op) ? release(*op, now) : drop_overtaken(*op, now);
   // What an unfinished connection carried is told as it is; and the fence that was due before is due still.
   if (may_still_run && !connector_.unfinished()) connector_.remember_for_fence(others_wait);
   events_.tell([&] { return event::connection_lost{link_.where(), std::move(why), unanswered}; });
   suspicion_.clear(false);
   leaving_ = awaiting_pong_ = first_reply_ = abandoned_block_ = false;
   multi_test_ = {};
   if (abortive) link_.abort();
   if (!queue_.empty() || !limbo_.empty()) connector_.want(now);
   connector_.leave(now);
   rest_if_idle(now);
}

decision lane::judge(operation& op, written& state, fault f, bool budget, time_point now) {
   // What SELECT, AUTH or HELLO may have done died with the connection; what stands behind it must find it done.
   if (alters_connection(op) && !op.is_transaction()) state = written::nothing;
   situation s = describe(op, f, now);
   s.state = state;
   s.budget = budget;
   return decide(s);
}

// The first time that something is sent again is free, and once more after each change of master: that is bounded by
// itself. All else draws on the retry budget.
bool lane::is_free(const operation& op) const {
   return op.resends == 0 || op.resent_free_at != connector_.master_changed_at();
}

void lane::count_resend(operation& op, bool free, time_point now) {
   ++op.resends;
   if (free)
      op.resent_free_at = connector_.master_changed_at();
   else
      budget_.withdraw(now);
}

// From the newest to the oldest. A write is not sent (again) behind a newer one that may have run and is not sent again
// itself, where both may be about the same data; what tells of the data (a read, an INCR) not behind any newer one that
// may have run. It may be lost itself, or wait since a gate turned it away. Returns those that wait with an answer, the
// oldest first: whether it counts shows when the others are settled.
std::vector<operation*> lane::forbid_overtaking(std::vector<lost_command>& lost, time_point now) {
   std::vector<operation*> waiting = order_.all();
   std::vector<operation*> answered_before;
   touched_keys ran;   // what may have run has touched these
   touched_keys gone;  // what of it is not sent again
   const auto is_forbidden = [&](const operation& op) {
      if (op.harmless) return ran.may_concern(op);
      return gone.may_concern(op) || (!answers_blindly(op) && ran.may_concern(op));
   };
   const auto look_at_waiting = [&](std::uint64_t newer_than) {
      for (; !waiting.empty() && waiting.back()->sequence > newer_than; waiting.pop_back()) {
         operation& op = *waiting.back();
         const bool forbidden = is_forbidden(op);
         if (op.may_have_run && !op.harmless) {
            ran.add(op);
            if (forbidden) gone.add(op);
         }
         if (!forbidden) continue;
         op.kept == operation::answer::none ? drop_overtaken(op, now) : answered_before.push_back(&op);
      }
   };
   for (auto l = lost.rbegin(); l != lost.rend(); ++l) {
      look_at_waiting(l->sequence);
      const bool waits_again = l->then.verdict == verdict::park && l->op->last;
      if ((sends_again(l->then) || waits_again) && is_forbidden(*l->op)) {
         const auto ran_now = waits_again ? outcome::not_executed : outcome::unknown;
         l->then = {verdict::complete, ran_now, errc::connection_lost, {}};
         l->overtaken = true;
      }
      if (!l->remains && !l->ran_before) continue;
      l->op != nullptr ? ran.add(*l->op) : ran.add_unknown();
      if (l->op == nullptr)
         gone.add_unknown();
      else if (l->then.verdict == verdict::complete)
         gone.add(*l->op);
   }
   look_at_waiting(0);
   std::reverse(answered_before.begin(), answered_before.end());
   return answered_before;
}

// Callers of some that may have run leave before these were sent again: then an older write on the same data, which
// waits for the same, is not sent again either.
void lane::forbid_overtaking(std::vector<operation*> gone, time_point now) {
   if (gone.empty()) return;
   const auto newest_first = [](const operation* a, const operation* b) { return a->sequence > b->sequence; };
   std::sort(gone.begin(), gone.end(), newest_first);
   std::vector<operation*> older;
   const auto look_at = [&](operation* op) {
      ++steps_;
      if (op != nullptr && op->last && !op->harmless) older.push_back(op);
   };
   for (operation* op : order_.older_than(gone.front()->sequence)) look_at(op);
   // What the kernel has a part of must follow whole; all else can be taken back.
   std::size_t unsent = ledger_.older_than(gone.front()->sequence);
   for (; unsent != 0 && is_unsent(ledger_.at(unsent - 1)); --unsent) look_at(ledger_.at(unsent - 1).op);
   std::sort(older.begin(), older.end(), newest_first);
   touched_keys touched;
   auto newer = gone.begin();
   std::vector<operation*> taken_back;
   for (operation* op : older) {
      for (; newer != gone.end() && (*newer)->sequence > op->sequence; ++newer) touched.add(**newer);
      if (!touched.may_concern(*op)) continue;
      if (op->may_have_run) touched.add(*op);
      if (op->where == operation::place::queue) {
         drop_overtaken(*op, now);
      } else {
         op->where = operation::place::nowhere;
         taken_back.push_back(op);
      }
   }
   if (taken_back.empty()) return;
   ledger_.take_out(unsent, link_.out, [](const ledger_slot& slot) {
      return slot.op != nullptr && slot.op->where == operation::place::nowhere;
   });
   for (operation* op : taken_back) {
      if (op->sequence == knocking_) knocking_ = 0;
      --op->attempts;
      fail_overtaken(*op, now);
   }
}

// Ends what did not run this time, and is not sent again: an attempt before may have run.
void lane::fail_unsent(operation& op, error e, time_point now) {
   std::vector<operation*> gone;
   if (op.may_have_run && !op.harmless) gone.push_back(&op);
   fail(op, std::move(e), now);
   forbid_overtaking(std::move(gone), now);
}

void lane::settle(const lost_command& l, const text_list& why, time_point now) {
   operation& op = *l.op;
   if (l.state != written::whole) --op.attempts;
   error e = make_error(op, l.then.code, l.then.outcome, now);
   e.causes = why;
   if (l.overtaken) e.causes.emplace_back("not sent again: a newer command about the same data may have run");
   op.where = operation::place::nowhere;
   if (l.then.verdict == verdict::park) return requeue(op);
   if (sends_again(l.then)) {
      count_resend(op, l.free, now);
      op.may_have_run = true;
      op.unfenced = op.unfenced || !op.harmless;
      op.last = std::move(e);
      return requeue(op);
   }
   if (e.outcome != outcome::unknown || op.harmless) return fail(op, std::move(e), now);
   if (connector_.unfinished()) {  // it cannot be named, so it will not be fenced
      e.causes.emplace_back("not fenced: the server was too busy to say who we were");
      return fail(op, std::move(e), now);
   }
   // Known to be unknown; but reported only once the lost connection can do no more harm.
   op.last = std::move(e);
   op.where = operation::place::limbo;
   limbo_.insert_in_order(op);
}

// The lane is connected again: the connection before is proven dead, or it went to a master that is none any more, or
// we shall never know.
void lane::fenced(time_point now) {
   const auto result = connector_.fenced();
   const bool impossible = result == connector::fence_result::impossible;
   const bool holds = result == connector::fence_result::holds;
   const bool needed = result != connector::fence_result::not_needed;
   if (needed) events_.tell([&] { return event::fenced{link_.where(), holds, connector_.fence_problem()}; });
   const text_list reason{"not fenced: " + connector_.fence_problem()};
   while (operation* op = limbo_.pop_front()) {
      if (needed && !holds) op->last->causes.append(reason);
      op->where = operation::place::nowhere;
      op->last->elapsed = now - op->submitted;
      fail(*op, *op->last, now);
   }
   std::vector<operation*> gone;
   for (operation* op = queue_.front(); op != nullptr;) {
      operation* const next = op->next;
      const bool was_unfenced = std::exchange(op->unfenced, false);
      const bool is_affected = was_unfenced || op->left_behind;
      op->left_behind = is_affected && connector_.has_to_fence();
      if (is_affected && impossible && settle_unfenced(*op, reason, now)) gone.push_back(op);
      op = next;
   }
   forbid_overtaking(std::move(gone), now);
}

// It waits to be sent again, and its first may still run there. Whether it ends with that.
bool lane::settle_unfenced(operation& op, const text_list& reason, time_point now) {
   situation s = describe(op, fault::connection_lost, now);
   s.state = written::whole;
   s.fence = fence::impossible;
   s.budget = true;  // was spent on it already
   s.max_resends.reset();
   if (decide(s).verdict != verdict::complete) return false;
   error e = *op.last;
   e.outcome = outcome::unknown;
   e.causes.append(reason);
   unqueue(op);
   fail(op, std::move(e), now);
   return true;
}

void lane::leave_soon(std::string why, time_point now) {
   if (leaving_) return;
   leaving_ = true;
   leaving_since_ = now;
   leaving_why_ = std::move(why);
}

// Whatever becomes of the command that was refused: a replica would go on answering reads. In a script's or a module's
// own words it says nothing of the node.
void lane::leave_if_no_master(std::string_view said, time_point now) {
   using enum resp::reply_class;
   const bool of_exec = said.starts_with("EXECABORT");
   const auto c = resp::classify_error(said, !of_exec, of_exec, false).cls;
   const bool says_so = c == readonly || c == master_down || c == demoted;
   if (says_so && (guide_.roles_matter() || link_.one_of_several()))
      leave_soon("it answered " + resp::kept_words(said), now);
}

// Nobody waits any more for a command that blocks, nor for what stands in front of it.
bool lane::abandoned_block_is_next() {
   if (!abandoned_block_) return false;
   for (std::size_t i = 0; i < ledger_.size() && ledger_.at(i).op == nullptr; ++i) {
      ++steps_;
      if (ledger_.at(i).blocks()) return true;
   }
   return false;
}

void lane::leave_when_drained(time_point now) {
   if (!leaving_ || !connector_.ready()) return;
   if (ledger_.empty()) return lose(std::exchange(leaving_why_, {}), fault::connection_lost, false, now);
   // A BLPOP that waits for nobody would take the next element: its connection ends before its caller is told.
   if (abandoned_block_is_next()) lose("a blocking command was abandoned", fault::connection_lost, true, now);
}

}  // namespace holdfast::lane
