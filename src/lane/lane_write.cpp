// The lane's way out: what is written, when, and how long an answer is waited for.
#include "lane/lane.hpp"
#include "lane/overtaking.hpp"

#include <algorithm>

namespace holdfast::lane {
namespace {

// The Sentinels agree that the node does not answer: a reply that is later than this is worth a probe.
constexpr duration patience_if_down = std::chrono::milliseconds(100);

}  // namespace

void lane::pump(time_point now) {
   expire(now);
   if (now >= hold_until_) hold_until_ = {};
   leave_if_unfinished(now);
   leave_when_drained(now);
   if (!connector_.ready()) {
      if (queue_.empty() && limbo_.empty()) return connector_.rest(now);
      return connector_.want(now);
   }
   if (gate_ != gate::open) {
      knock(now);
      return link_.flush();
   }
   while (operation* op = queue_.front()) {
      if (waits_for_older(*op, now)) break;
      if (op->kept != operation::answer::none && its_answer_is_final(*op, now)) continue;
      if (held(*op, now) || ledger_.size() >= may_be_in_flight() || link_.out.size() >= outbox_aim) break;
      if (!ledger_.empty() && must_wait_in_line(*op)) break;
      if (may_have_cursor(*op) && refuse_foreign_cursor(*op, now)) continue;
      if (op->is_transaction() && must_test_multi(now)) break;
      unqueue(*op);
      write(*op, now);
      leave_if_unfinished(now);
   }
   link_.flush();
}

// Behind what is in flight. What is written again must not overtake: what is newer and under way is answered first. And
// what changes the connection stands alone: what is behind it must find it done, what is before it must not.
bool lane::must_wait_in_line(const operation& op) const {
   return op.sequence < newest_in_flight_ || op.alters || ledger_.front().alters;
}

// The gate is closed: once the pause is over, the oldest of what it holds is sent, alone, to see. Only what the server
// takes all the same goes along: reads that are not about what waits, or what ends a script that makes it busy.
void lane::knock(time_point now) {
   if (now < hold_until_ || knocking_ != 0) return;
   touched_keys waiting;
   for (operation* op = queue_.front(); op != nullptr;) {
      operation* const next = op->next;
      if (held(*op, now) || ledger_.size() >= may_be_in_flight() || link_.out.size() >= outbox_aim) return;
      const bool is_held = gate_ == gate::everything || !op->harmless || op->pushbacks != 0;
      const bool passes = is_held ? runs_while_busy(*op) : !waiting.may_concern(*op);
      if (waits_for_older(*op, now)) return;
      const bool may_end = op->kept != operation::answer::none && !waiting.may_concern(*op);
      if (may_end && its_answer_is_final(*op, now)) {
         op = next;
         continue;
      }
      if (passes || (is_held && knocking_ == 0)) {
         if (!ledger_.empty() && must_wait_in_line(*op)) return;
         if (passes && ledger_.size() + order_.size() >= may_be_in_flight()) return;  // what waits was sent as well
         if (may_have_cursor(*op) && refuse_foreign_cursor(*op, now)) {
            op = next;
            continue;
         }
         if (op->is_transaction() && must_test_multi(now)) return;
         if (!passes) {
            knocking_ = op->sequence;
            if (!op->harmless) waiting.add(*op);
         }
         unqueue(*op);
         write(*op, now);
         leave_if_unfinished(now);
      } else if (!op->harmless) {
         waiting.add(*op);
      }
      if (op->alters) return;  // nothing passes what waits for that
      op = next;
   }
}

// A cursor of SCAN and its like means nothing to another process, which would pass over some of the keys.
bool lane::refuse_foreign_cursor(operation& op, time_point now) {
   const bool is_scan = resp::is_scan(op.entry);
   const endpoint* elsewhere = nullptr;
   for (const command& c : op.commands) {
      const auto* const entry = op.is_transaction() ? resp::find_command(c) : op.entry;
      if (elsewhere == nullptr && resp::is_scan(entry)) elsewhere = cursors_.origin_elsewhere(*entry, c);
   }
   if (elsewhere != nullptr) {
      error e = make_error(op, errc::invalid_argument, outcome::not_executed, now);
      e.causes.push_back("its cursor is of another server process (" + to_string(*elsewhere) +
                         "): here the scan would pass over some of the keys; begin again with cursor 0");
      unqueue(op);
      fail_unsent(op, std::move(e), now);
      return true;
   }
   if (is_scan) cursors_.sent(*op.entry, op.commands.front());
   return false;
}

// All else needs a connection that knows who it is, for the fence.
void lane::leave_if_unfinished(time_point now) {
   if (!connector_.unfinished() || queue_.empty() || runs_while_busy(*queue_.front())) return;
   leave_soon("its server was busy when it was made, and has not told who we are", now);
}

bool lane::held(const operation& op, time_point now) {
   if (leaving_ || is_testing() || now < hold_until_ || guide_.in_doubt()) return true;
   // What a master that is about to be replaced acknowledges now, its successor may never hear of.
   if (!op.harmless && now < guide_.hold_writes_until()) return true;
   test_idle_connection(now);
   return awaiting_pong_;
}

// Before a transaction is written: whether it has to wait, as its connection is asked first. Nothing may stand behind
// MULTI before it was taken. It costs a round trip, once for a connection that has transactions to carry.
bool lane::must_test_multi(time_point now) {
   if (!settings_.tests_multi || multi_test_.now() == multi_test::state::allowed) return false;
   if (ledger_.empty()) silent_since_ = now;
   ledger_slot slot{.begin = link_.out.appended(), .replies_due = 2, .harmless = true, .tests_multi = true};
   if (!ledger_.empty()) slot.sequence = ledger_.at(ledger_.size() - 1).sequence;  // ordered, and found behind that one
   slot.end = multi_test_.ask(link_.out);
   ledger_.push(slot);
   return true;
}

// A connection that was silent for long may be dead without our having been told (half-open). A PING before the first
// write costs a round trip, and spares that command an unknown outcome.
void lane::test_idle_connection(time_point now) {
   if (!ledger_.empty() || now - last_heard_ < settings_.idle_ping) return;
   const auto begin = link_.out.appended();
   ledger_.push({.begin = begin, .end = link_.out.append("*1\r\n$4\r\nPING\r\n"), .harmless = true});
   awaiting_pong_ = true;
   silent_since_ = now;
}

void lane::write(operation& op, time_point now) {
   if (op.attempts != 0 && op.last) {
      op.resent_free_at = connector_.master_changed_at();  // also where it was decided on before the change
      events_.tell([&] { return event::resent{to_string(op.commands.front()), op.attempts + 1, op.last->what()}; });
   }
   ledger_slot slot{.op = &op, .begin = link_.out.appended(), .sequence = op.sequence};
   slot.harmless = op.harmless;
   slot.alters = op.alters;
   slot.transaction = op.is_transaction();
   slot.again = op.attempts != 0;
   for (const command& c : op.commands) slot.end = link_.out.append(c.bytes());
   slot.replies_due = static_cast<std::uint32_t>(op.commands.size());
   if (op.blocks) {
      slot.blocks_for_ever = *op.blocks == duration::zero();
      slot.allowance = *op.blocks;
   }
   if (ledger_.empty()) silent_since_ = now;
   ledger_.push(slot);
   newest_in_flight_ = op.sequence;
   op.where = operation::place::ledger;
   op.replies = 0;
   if (op.kept != operation::answer::none) {
      op.kept = operation::answer::none;
      count_resend(op, is_free(op), now);
   }
   ++op.attempts;
}

void lane::on_wrote(time_point now) {
   const bool all = link_.out.empty();
   life_.wrote(link_.out.accepted(), ledger_.empty() ? 0 : ledger_.front().end, !all, now);
   if (all) pump(now);  // there may be more than one write takes at a time
}

void lane::measured(const resp::transit& t, time_point now) {
   if (!wants_transit(now)) return;
   life_.measured(t, ledger_.front().end, silent_since(), now);
   if (!life_.is_gone(now)) return;
   lose("what was sent is not acknowledged: the other side is gone", fault::connection_lost, true, now);
   pump(now);
}

time_point lane::silence_ends() const {
   if (ledger_.empty()) return never;
   const duration patience = settings_.connecting.connect_timeout;
   const ledger_slot& oldest = ledger_.front();
   const time_point since = silent_since();
   if (awaiting_pong_) return after(silent_since_, patience);
   if (leaving_) {
      if (oldest.op == nullptr) return after(std::max(silent_since_, leaving_since_), patience);  // nobody waits for it
      return after(std::max(since, leaving_since_), oldest.allowance + settings_.attempt_timeout);
   }
   if (!suspicion_.raised()) {
      const time_point t = oldest.blocks_for_ever ? never : after(since, oldest.allowance + settings_.attempt_timeout);
      return called_down_ ? std::min(t, after(since, patience_if_down)) : t;
   }
   if (oldest.blocks_for_ever) return called_down_ ? suspicion_.probe_ends() : never;
   // Twice the timeout; but however late the silence was noticed, the node then has one timeout to show life.
   const time_point given_up = std::max(after(since, oldest.allowance + settings_.attempt_timeout * 2),
                                        after(suspicion_.raised_at(), settings_.attempt_timeout));
   return called_down_ ? std::min(given_up, suspicion_.probe_ends()) : given_up;
}

void lane::watch_silence(time_point now) {
   if (!connector_.ready() || ledger_.empty()) return;
   // It lives, and is no longer called down: should it be again, it is to be asked again.
   if (suspicion_.answered() && ledger_.front().blocks_for_ever && !called_down_) suspicion_.clear(false);
   if (suspicion_.probe_failed(now) && called_down_) {
      return lose("no reply, and the Sentinels agree that it is down", fault::connection_lost, true, now);
   }
   // It showed life since it was suspected.
   if (suspicion_.raised() && life_.last() > suspicion_.raised_at()) suspicion_.clear(true);
   if (now < silence_ends()) return;
   const duration silent = now - silent_since();
   if (awaiting_pong_) return lose("silent after idling", fault::connection_lost, true, now);
   if (leaving_ || suspicion_.raised()) {
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(silent).count();
      return lose("no reply for " + std::to_string(ms) + " ms", fault::connection_lost, true, now);
   }
   suspicion_.raise(link_.where(), silent, now);
   guide_.ask(now);
}

}  // namespace holdfast::lane
