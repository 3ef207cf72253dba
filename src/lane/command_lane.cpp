#include "lane/command_lane.hpp"

#include "commands/shown.hpp"
#include "lane/touched_keys.hpp"
#include "lane/transaction.hpp"
#include "resp/kind_and_size.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {
namespace {

random_source without_first(std::uint64_t seed) {
   random_source r(seed);
   r();
   return r;
}

}  // namespace

command_lane::command_lane(const settings& s, link& main, link& probe, lane_topology& g, retry_budget& budget,
                           event_queue& events, counters& counts, std::uint64_t seed)
   : link_(main),
     topology_(g),
     events_(events),
     counts_(counts),
     idle_ping_(s.idle_ping),
     use_(s.use),
     connector_(s.connecting, main, g, events, random_source(seed)()),
     session_(s.initial),
     suspicion_(probe, events, s.attempt_timeout, s.connecting.connect_timeout),
     gate_(without_first(seed)),
     pacing_(s.in_flight, s.in_flight_before_first_reply, s.tests_multi),
     queue_(s.queued_commands, s.queued_bytes),
     endings_({main, ledger_, queue_, gate_, pacing_, connector_, g, events, counts}),
     retries_(budget, connector_, s.max_resends),
     departures_(main, ledger_, queue_, pacing_, gate_, endings_) {
   link_.set_owner(*this);
}

// ---- what comes in ----

void command_lane::submit(operation& op, time_point now) {
   describe(op);
   take_in(op, now);
}

void command_lane::take(operation& op, time_point now) { take_in(op, now); }

inline void command_lane::take_in(operation& op, time_point now) {
   op.sequence = queue_.next_sequence();
   departures_.apply_default(op);
   if (op.pinned_to != 0 && !is_pinned_here(op)) return endings_.fail_pinned(op, now);
   if (!admit(op, now)) return;
   retries_.on_submitted(now);
   queue_.push(op);
   departures_.watch(op);
   pump(now);
}

// A command that can't be taken is refused at once: certainly not executed.
bool command_lane::is_refused(operation& op, time_point now) {
   const auto refusal = [&](errc code) { return endings_.make_error(op, code, outcome::not_executed, now); };
   auto refused = admission_problem(op, use_);
   if (!refused && op.bytes > queue_.most_bytes()) {
      refused = refusal(errc::limit_exceeded);
      refused->causes.push_back(std::to_string(op.bytes) + " bytes are more than config::limits.parked_bytes allows");
   }
   if (!refused && !has_room(op.bytes)) {
      refused = refusal(errc::queue_full);
      refused->causes.push_back(std::to_string(queue_.size()) + " commands of " + std::to_string(queue_.bytes()) +
                                " bytes wait already (config::limits)");
   }
   if (!refused && op.deadline <= now) refused = refusal(errc::deadline_exceeded);
   if (refused) endings_.fail(op, std::move(*refused));
   return refused.has_value();
}

void command_lane::cancel(operation& op, time_point now) {
   if (op.is == operation::state::idle) return;
   departures_.cancel(op, now);
   rest_if_idle();
   pump(now);
}

void command_lane::cancel_all(time_point now) {
   departures_.cancel_all(now);
   rest_if_idle();
   pump(now);
}

void command_lane::on_opened(link&, time_point) {
   connector_.on_opened(session_, !queue_.empty() && allows_busy_server(*queue_.front()));
}

void command_lane::on_received(link&, time_point now) {
   suspicion_.on_bytes(now);
   if (connector_.ready()) return take_replies(now);
   connector_.on_received(now);
   if (connector_.ready())
      became_ready(now);
   else
      check_final_problem(now);
}

void command_lane::became_ready(time_point now) {
   pacing_.begin();
   suspicion_.on_connected();
   const endpoint& node = link_.address().empty() ? link_.where() : link_.address();
   cursors_.connected(node, connector_.self().run_id);
   nodes_.connected(link_.serial(), link_.where());
   counts_.connected(node, connector_.self().run_id, std::exchange(was_ready_, true));
   if (connector_.role() == "master") endings_.forget_replica();
   gate_.on_connected(link_.where());
   if (!connector_.without_identity()) endings_.on_fenced(retries_, now);
   take_replies(now);  // what stands behind the handshake answers nothing of ours
}

void command_lane::on_lost(link&, std::string_view why, time_point now) {
   if (connector_.ready()) return lose(std::string(why), fault::connection_lost, false, now);
   connector_.on_lost(why, now);
   check_final_problem(now);
}

void command_lane::on_wrote(link&, time_point now) {
   const bool all = link_.out.empty();
   suspicion_.sent().wrote(link_.out.accepted(), ledger_.empty() ? 0 : ledger_.front().end, !all, now);
   if (all) pump(now);  // there may be more than one write takes at a time
}

void command_lane::on_measured(link&, const transit& t, time_point now) {
   if (!wants_transit(now)) return;
   suspicion_.sent().measured(t, ledger_.front().end, suspicion_.silent_since(), now);
   if (!suspicion_.sent().is_gone(now)) return;
   lose("what was sent is not acknowledged: the other side is gone", fault::connection_lost, true, now);
   pump(now);
}

void command_lane::on_view(time_point now) {
   suspicion_.set_called_down(topology_.objectively_down());
   if (connector_.ready() && connector_.superseded()) {
      return lose("the Sentinels name another master", fault::connection_lost, true, now);
   }
   connector_.on_view(now);
   check_final_problem(now);
   expire(now);  // first: whoever leaves a blocking command changes how long silence may last
   watch_silence(now);
   pump(now);
}

void command_lane::tick(time_point now) {
   connector_.tick(now);
   check_final_problem(now);
   expire(now);  // first: whoever leaves a blocking command changes how long silence may last
   watch_silence(now);
   if (!ledger_.empty() && now >= suspicion_.look_at(awaited())) suspicion_.sent().looked(now);
   pump(now);
}

time_point command_lane::next_deadline() const {
   if (idle()) return connector_.next_deadline();
   time_point t = std::min(connector_.next_deadline(), departures_.next_deadline());
   if (!connector_.ready()) return t;
   if (!queue_.empty() && gate_.pause_ends() != time_point{}) t = std::min(t, gate_.pause_ends());
   if (ledger_.empty()) return t;
   const auto a = awaited();
   return std::min({t, suspicion_.ends(a), suspicion_.look_at(a)});
}

suspicion::awaited command_lane::awaited() const {
   return {ledger_.oldest(), pacing_.tests_idle(), pacing_.leaving_since(), link_.out.appended()};
}

void command_lane::watch_silence(time_point now) {
   if (ledger_.empty() || !connector_.ready()) return;
   auto found = suspicion_.check(awaited(), link_.where(), now);
   if (found.raised) topology_.ask();
   if (!found.lost.empty()) lose(std::move(found.lost), fault::connection_lost, true, now);
}

void command_lane::expire(time_point now) {
   if (now < departures_.next_deadline()) return;
   departures_.expire(now);
   rest_if_idle();
}

void command_lane::check_final_problem(time_point now) {
   if (endings_.end_at_final_problem(now)) rest_if_idle();
}

void command_lane::rest_if_idle() {
   if (queue_.nothing_waits()) connector_.rest();
}

// ---- what is written, and when ----

void command_lane::pump(time_point now) {
   expire(now);
   gate_.tick(now);
   if (connector_.without_identity()) leave_if_unfinished(now);
   leave_when_drained(now);
   if (!connector_.ready()) {
      if (watches_.any_lost() && !queue_.empty()) tell_unwatched(*queue_.front(), now);
      return queue_.nothing_waits() ? connector_.rest() : connector_.want(now);
   }
   if (!gate_.is_open()) {
      write_past_gate(now);
      return link_.flush();
   }
   while (operation* op = queue_.front()) {
      if (waits_for_older(*op, now)) break;
      if (op->kept != operation::answer::none && its_answer_is_final(*op, now)) continue;
      if (try_write(*op, now) == attempt::waits) break;
   }
   link_.flush();
}

command_lane::attempt command_lane::try_write(operation& op, time_point now) {
   if (held(op, now) || is_full() || ledger_.must_answer_before(op)) return attempt::waits;
   if (cursors_.may_concern(op) && refuse_foreign_cursor(op, now)) return attempt::ended;
   if (is_own() && tell_unwatched(op, now)) return attempt::ended;
   if (must_test_multi_for(op, now)) return attempt::waits;
   if (is_own()) {
      if (watches_.take_left()) write_own(own_question::unwatch, "*1\r\n$7\r\nUNWATCH\r\n", now);
      watches_.on_written(op, link_.serial());
   }
   queue_.take(op);
   write(op, now);
   if (connector_.without_identity()) leave_if_unfinished(now);
   return attempt::written;
}

// The gate is closed. Once the pause is over, the oldest of what it holds is sent alone. What the server takes all the
// same is sent at any time: reads that are not about what waits, and what ends a script that makes the server busy;
// SHUTDOWN only where no write to data waits.
void command_lane::write_past_gate(time_point now) {
   auto* held_back = &queue_.held_back(gate_.round());
   while (held_back->newest != nullptr && gate_.wants_probe(now)) {  // the next one, where the oldest ends instead
      if (gate_.passes(*queue_.front())) {                           // the write that held it back is gone
         held_back = &queue_.hold_back_anew();
         break;
      }
      if (!write_probe(*queue_.front(), now)) return;
      held_back = &queue_.held_back(gate_.round());
   }
   operation* op = held_back->newest != nullptr ? held_back->newest->next : queue_.front();
   for (operation* next = nullptr; op != nullptr && !held_back->holds_all; op = next) {
      next = op->next;
      if (waits_for_older(*op, now)) break;
      const bool passes = gate_.passes(*op);
      const bool is_free = (passes && ends_script(*op)) || !held_back->touched.may_concern(*op);
      if (op->kept != operation::answer::none && is_free && its_answer_is_final(*op, now)) continue;
      if (passes && is_free) {
         if (try_write(*op, now) == attempt::waits) break;
      } else if (!passes && held_back->newest == nullptr && gate_.wants_probe(now)) {
         if (!write_probe(*op, now)) break;
      } else {
         queue_.hold_back(*op);
      }
   }
   held_back->touched.take_in();
}

// Whether it was written, or ended; else it waits.
bool command_lane::write_probe(operation& op, time_point now) {
   if (waits_for_older(op, now)) return false;
   if (op.kept != operation::answer::none && its_answer_is_final(op, now)) return true;
   const attempt result = try_write(op, now);
   if (result == attempt::written) {
      gate_.set_probe(op);
      queue_.held_back(gate_.round()).touch(op);
   }
   return result != attempt::waits;
}

bool command_lane::held(const operation& op, time_point now) {
   if (pacing_.why_held(&op, topology_, gate_, now) != pacing::reason::none) return true;
   if (!ledger_.empty() || suspicion_.idle_for(now) < idle_ping_) return false;
   // A connection that was silent for long may be dead without our having been told (half-open). A PING before the
   // first write costs a round trip, and spares that command an unknown outcome.
   write_own(own_question::ping, "*1\r\n$4\r\nPING\r\n", now);
   pacing_.set_tests_idle();
   return true;
}

// Before a transaction is written: whether it has to wait, as its connection is asked first. Nothing may stand behind
// MULTI before it was taken. It costs a round trip, once for a connection that has transactions to carry.
bool command_lane::must_test_multi(time_point now) {
   if (!pacing_.wants_multi_test()) return false;
   write_own(own_question::multi_test, multi_test::question, now);
   watches_.on_own_exec();
   pacing_.of_multi().asked();
   return true;
}

// A cursor of SCAN and its like means nothing to another process, which would pass over some of the keys.
bool command_lane::refuse_foreign_cursor(operation& op, time_point now) {
   if (const endpoint* elsewhere = cursors_.origin_elsewhere(op)) {
      endings_.fail_foreign_cursor(op, *elsewhere, now);
      return true;
   }
   if (is_scan(op.entry)) cursors_.sent(*op.entry, op.commands.front());
   return false;
}

// Its turn has come to be asked for again. Whether it ends instead: with its answer, or because it must not run twice.
bool command_lane::its_answer_is_final(operation& op, time_point now) {
   if (endings_.end_with_answer(op)) return true;
   if (retries_.may_ask_again(op, now)) return false;
   queue_.remove(op);
   endings_.fail_waiting(
      op, retries::may_run_twice(op) ? "not sent again: the retry budget is spent" : "not sent again: at most once",
      now);
   return true;
}

void command_lane::write(operation& op, time_point now) {
   if (op.attempts != 0 && op.last) {
      retries_.on_written_again(op);
      counts_.resent();
      events_.tell([&] {
         return event::resent{to_string(op.commands.front()), op.attempts + 1, op.last->what(), link_.where()};
      });
   }
   if (ledger_.empty()) suspicion_.on_waiting(now);
   ledger_.write(op, link_.out, link_.serial());
   counts_.written();
   if (op.kept != operation::answer::none) {
      op.kept = operation::answer::none;
      retries_.count(op, now);
   }
   ++op.attempts;
}

void command_lane::write_own(own_question asks, std::string_view question, time_point now) {
   if (ledger_.empty()) suspicion_.on_waiting(now);
   ledger_.write_own(asks, question, link_.out);
}

// ---- replies, matched to commands by their order alone ----

void command_lane::take_replies(time_point now) {
   while (connector_.ready()) {
      const auto status = link_.in.next();
      if (status == reader::status::incomplete) break;
      if (status == reader::status::broken) {
         const bool is_last_of_its = !ledger_.empty() && ledger_.front().replies_due == 1;
         const bool too_large = is_last_of_its && link_.in.answer_over_limit();
         // Not what was found instead: it may be of a value.
         const std::string problem = link_.in.problem().substr(0, link_.in.problem().find(", found "));
         return lose((too_large ? std::string() : "broken protocol: ") + problem,
                     too_large ? fault::reply_too_large : fault::broken_protocol, true, now);
      }
      const value_view reply = link_.in.reply();
      if (reply.kind() == kind::push) continue;  // out of band: answers nothing
      if (ledger_.empty()) {
         return lose("a reply that nobody asked for: " + kind_and_size(reply), fault::broken_protocol, true, now);
      }
      take_reply(reply, now);
   }
   pump(now);
}

void command_lane::take_reply(const value_view& reply, time_point now) {
   ledger_slot& slot = ledger_.front();
   operation* const op = slot.op;
   suspicion_.on_reply(now);
   if (op != nullptr) {
      result<value>& into = op->reply_to(op->replies++);
      if (reply.is_error()) {
         into = endings_.make_error(*op, errc::server_error, outcome::not_executed, now);
         into.error().server_text = received_words(reply.text());
      } else if (op->reader.read == nullptr || op->form != nullptr || is_scan(op->entry)) {
         into = value(reply);
      } else {
         op->reader.read(op->reader, reply);
         into = value();
      }
   } else {
      departures_.heard(slot, reply, now);
   }
   // Whatever becomes of the command that was refused: a replica would go on answering reads.
   if (reply.is_error() && says_no_master(reply.text()) && (topology_.roles_matter() || link_.one_of_several()))
      pacing_.leave_soon("it answered " + kept_words(reply.text()), now);
   if (--slot.replies_due != 0) return;
   const ledger_slot answered_slot = slot;
   ledger_.pop();
   pacing_.on_reply();
   connector_.proven();
   const bool probed = gate_.take_probe(answered_slot.sequence);
   const bool is_inside = answered_slot.transaction && reply.is_error() && may_be_inside(reply.text()) &&
                          (op == nullptr || !multi_was_refused(*op));
   if (op == nullptr) {
      answered_slot.asks == own_question::multi_test ? multi_tested(now)
                                                     : departures_.answered(answered_slot, probed, session_, now);
   } else {
      op->is = operation::state::idle;
      counts_.left_flight();
      if (op->form != nullptr && op->form->fold(op->results[0]) == exchange::next::again) {
         written_otherwise(*op, now);
      } else if (!op->results[op->commands.size() - 1]) {
         rejected(*op, answered_slot, probed, now);
      } else if (!op->is_transaction() || !rejected_inside(*op, now)) {
         if (probed) gate_.open();
         answered(*op, answered_slot, now);
      }
   }
   if (is_inside) lose("it may not have ended a transaction", fault::connection_lost, true, now);
}

void command_lane::answered(operation& op, const ledger_slot& slot, time_point now) {
   if (op.alters) {
      note(op, session_);
      pacing_.on_changed(role_of(op.entry));
   }
   if (op.is_transaction()) hide_values(op);  // also of one whose answer is kept for a while
   if (is_scan(op.entry)) cursors_.answered(*op.entry, op.commands.front(), *op.results[0]);
   if (op.reader.read != nullptr && (op.form != nullptr || is_scan(op.entry)))
      op.reader.read(op.reader, op.results[0]->view());
   if (!queue_.order().empty()) {
      if (!op.reads_only) {
         endings_.end_overtaken_by(op, slot, now);
      } else if (queue_.order().has_older_writer(op)) {
         if (is_scan(op.entry)) cursors_.sent(*op.entry, op.commands.front());  // it may be asked for again
         error why = endings_.make_error(op, errc::server_error, outcome::unknown, now);
         why.server_text = gate_.words();
         why.causes.emplace_back("its reply is from before an older command, which waits to be sent again");
         op.last = std::move(why);
         return keep_answer(op, operation::answer::reply);
      }
   }
   endings_.finish(op);
}

// The connection has said whether it takes transactions. If not, the one that waits for that ends, and nothing of it
// was sent.
void command_lane::multi_tested(time_point now) {
   const auto found = pacing_.of_multi().finish();
   if (found.allowed) return;
   if (found.is_inside) pacing_.leave_soon("it took MULTI and did not carry out EXEC: " + found.said, now);
   if (found.leaves) pacing_.leave_soon("it answered " + found.said, now);
   operation* op = queue_.front();
   while (op != nullptr && !op->is_transaction() && !watches::is_watch(*op)) op = op->next;
   if (op == nullptr) return;
   queue_.remove(*op);
   error e = endings_.make_error(*op, errc::server_error, outcome::not_executed, now);
   e.server_text = found.said;
   if (waits_out(*op, {found.cls, outcome::not_executed}, e, now)) return;
   e.causes.emplace_back("the server does not take MULTI and EXEC: nothing of the transaction was sent to it");
   endings_.fail_unsent(*op, std::move(e), now);
}

// The server answered with an error. What it proves decides.
void command_lane::rejected(operation& op, const ledger_slot& slot, bool probed, time_point now) {
   const decision d = retries_.after_error(op, proof_of(op), now);
   const auto cls = op.rejected_as;
   error e = endings_.make_error(op, d.code, d.outcome, now);
   watches_.on_refused(op);
   if (multi_was_refused(op)) pacing_.of_multi().forget();  // it was allowed before: the next one asks again
   const std::size_t told_by = multi_was_refused(op) ? 0 : op.commands.size() - 1;
   e.server_text = without_values(op.results[told_by].error().server_text, op.commands[told_by]);
   if (cls == reply_class::readonly && !topology_.roles_matter()) endings_.explain_replica(e);
   if (d.next_step != next_step::complete) {
      op.last = std::move(e);
      if (queue_.order().is_behind_gone(op)) return endings_.end_behind_gone(op, now);
      retries_.count(op, now);
      return pushed_back(op, d, now);
   }
   const bool closes_gate = is_gate(cls);
   if (probed) gate_.open();
   if (d.outcome != outcome::not_executed && !op.reads_only) {
      endings_.end_overtaken_by(op, slot, now);
   } else if (!closes_gate && op.repeats != repeat_class::never && queue_.order().has_older_writer(op)) {
      op.last = std::move(e);
      return keep_answer(op, operation::answer::error);
   }
   if (probed && closes_gate && d.code == errc::server_error) endings_.give_up_at_gate(cls, now);
   if (d.outcome != outcome::not_executed) return endings_.fail(op, std::move(e));
   endings_.fail_unsent(op, std::move(e), now);
}

// By a gate that only the scripts within a transaction meet. If it is not sent again, its replies are as they came.
bool command_lane::rejected_inside(operation& op, time_point now) {
   const auto refused = refused_inside(op);
   if (!refused) return false;
   error e = endings_.make_error(op, errc::server_error, outcome::not_executed, now);
   const value_view said = (*op.results[op.commands.size() - 1])[refused->member - 1];
   e.server_text = without_values(said.text(), op.commands[refused->member]);
   return waits_out(op, refused->proof, e, now);
}

// A command that certainly did not run, for this reason: whether it is sent again, by the rules for any command.
bool command_lane::waits_out(operation& op, reply_proof why, const error& e, time_point now) {
   const decision d = retries_.after_error(op, why, now);
   if (d.next_step == next_step::complete || queue_.order().is_behind_gone(op)) return false;
   op.last = e;
   retries_.count(op, now);
   pushed_back(op, d, now);
   return true;
}

// Nothing of it ran, and it has another form for this connection: that goes to its place, as behind a gate.
void command_lane::written_otherwise(operation& op, time_point now) {
   op.last = endings_.make_error(op, errc::server_error, outcome::not_executed, now);
   op.last->server_text = without_values(op.results[0].error().server_text, op.commands[0]);
   if (op.pinned_to != 0) return endings_.fail_unsent(op, *op.last, now);
   if (queue_.order().is_behind_gone(op)) return endings_.end_behind_gone(op, now);
   queue_.put_back(op);
}

// By a gate; `op.last` says how.
void command_lane::pushed_back(operation& op, const decision& d, time_point now) {
   const auto cls = op.rejected_as;
   if (d.next_step == next_step::rediscover_then_resend && pacing_.is_worth_leaving(cls, topology_.roles_matter(), now))
      pacing_.leave_soon("it answered " + op.last->server_text, now);
   gate_.on_refused(cls, d.pause, op.pushbacks, link_.where(), op.last->server_text, now);
   ++op.pushbacks;
   queue_.put_back(op);
   // It may last: another node may have become the master meanwhile.
   if (!pacing_.leaving() && gate_.may_ask(now)) topology_.ask();
}

// It left no trace on the server; `op.last` is the error that it ends with if the answer does not count and it can't be
// asked for again.
void command_lane::keep_answer(operation& op, operation::answer what) {
   queue_.order().keep(op, what);
   queue_.put_back(op);
}

// ---- a connection ends ----

void command_lane::lose(std::string why, fault f, bool abortive, time_point now) {
   bool others_wait = false;  // for what was lost on connections before this one
   for (const operation* op : queue_.order().all()) others_wait = others_wait || op->unfenced || op->left_behind;
   auto lost = retries_.after_loss(ledger_, link_.out.accepted(), f, now);
   queue_.order().count_reruns(lost.reruns);
   ledger_.clear();
   departures_.on_lost();
   gate_.drop_probe();
   endings_.end_overtaken_by(lost.commands, now);
   const auto overtaken = queue_.order().forbid(lost.commands);
   endings_.drop_overtaken(overtaken.unanswered, now);
   const text_list because{why};
   for (const lost_command& l : lost.commands)
      if (l.op != nullptr) resolve_lost(l, because, now);
   endings_.end_answered(overtaken.answered, now);
   watches_.on_lost(lost.commands);
   // Losses of a connection without identity are told as they are; the fence that was due before is due still.
   if (lost.may_still_run && !connector_.without_identity())
      connector_.remember_for_fence(others_wait || lost.others_wait);
   events_.tell([&] { return event::connection_lost{link_.where(), std::move(why), lost.unanswered}; });
   suspicion_.clear(false);
   pacing_.begin();
   if (abortive) link_.abort();
   endings_.end_pinned(now);
   if (!queue_.nothing_waits()) connector_.want(now);
   connector_.leave(now);
   rest_if_idle();
}

void command_lane::resolve_lost(const lost_command& l, const text_list& why, time_point now) {
   operation& op = *l.op;
   if (l.state != written::whole) --op.attempts;
   error e = endings_.make_error(op, l.then.code, l.then.outcome, now);
   e.causes = why;
   if (op.is_decided() && l.then.outcome != outcome::executed) {
      const auto& refusal = op.form->replies()[op.form->decisive()].error();
      e.server_text = without_values(refusal.server_text, op.commands[0]);
   }
   if (l.overtaken) e.causes.emplace_back("not sent again: a newer command about the same data may have run");
   op.is = operation::state::idle;
   counts_.left_flight();
   if (l.then.next_step == next_step::park) return queue_.put_back(op);
   if (!sends_again(l.then)) return endings_.fail_lost(op, std::move(e));
   retries_.count(op, l.free, now);
   if (l.then.outcome == outcome::not_executed) {
      op.last = std::move(e);
      return pushed_back(op, l.then, now);
   }
   op.may_have_run = true;
   op.unfenced = op.unfenced || !op.reads_only;
   op.last = std::move(e);
   queue_.put_back(op);
}

// A connection that does not know who it is carries only what a busy server takes: all else needs the fence.
void command_lane::leave_if_unfinished(time_point now) {
   if (queue_.empty() || allows_busy_server(*queue_.front())) return;
   pacing_.leave_soon("its server was busy when it was made, and has not told who we are", now);
}

void command_lane::leave_when_drained(time_point now) {
   if (!pacing_.leaving() || !connector_.ready()) return;
   if (ledger_.empty()) return lose(pacing_.leaving_why(), fault::connection_lost, false, now);
   // A BLPOP that waits for nobody would take the next element: its connection ends before its caller is told.
   if (ledger_.abandoned_block_is_next()) lose("a blocking command was abandoned", fault::connection_lost, true, now);
}

}  // namespace holdfast::impl
