#include "lane/resend_order.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace holdfast::impl {
namespace {

bool begins_before(const waiting_list& of, std::uint64_t sequence) {
   return !of.empty() && of.front()->sequence < sequence;
}

void take_older(const waiting_list& from, std::uint64_t than, std::vector<operation*>& into) {
   for (operation* op = from.front(); op != nullptr && op->sequence < than; op = op->next_waiting) into.push_back(op);
}

bool is_older(const operation* a, const operation* b) { return a->sequence < b->sequence; }

}  // namespace

reach resend_order::reach_of(const operation& op) {
   const reach found = impl::reach_of(op);
   if (found == reach::nothing || found == reach::everything) return found;
   std::size_t arguments = 0;
   for (const command& c : op.commands) arguments += c.size();
   return arguments <= most_arguments ? found : reach::everything;
}

waiting_list& resend_order::list_of(const operation& op) {
   side& its = side_of(op);
   if (op.indexed) return its.indexed;
   switch (reach_of(op)) {
      case reach::nothing: return its.nothing;
      case reach::everything: return its.everything;
      case reach::keys:
      case reach::undeclared: break;
   }
   return its.keys;
}

void resend_order::add(operation& op) {
   op.indexed = false;
   list_of(op).insert_in_order(op);
   is_mixed_ = size_ != 0 && (is_mixed_ || op.group != group_);
   if (size_++ == 0) group_ = op.group;
   if (op.is_transaction()) ++transactions_;
}

void resend_order::remove(operation& op) {
   list_of(op).remove(op);
   --size_;
   if (op.is_transaction()) --transactions_;
   if (!op.indexed) return;
   op.indexed = false;
   side& its = side_of(op);
   leave_marks(op, [&](std::size_t mark) { its.by_mark.erase({mark, op.sequence, &op}); });
}

bool resend_order::side::has_keys_before(std::uint64_t sequence) const {
   return begins_before(keys, sequence) || begins_before(indexed, sequence);
}

bool resend_order::side::has_older(std::size_t mark, std::uint64_t sequence) const {
   const auto at = by_mark.lower_bound({mark, 0, nullptr});
   return at != by_mark.end() && at->mark == mark && at->sequence < sequence;
}

void resend_order::side::take_older(std::size_t mark, std::uint64_t than, std::vector<operation*>& into) const {
   for (auto at = by_mark.lower_bound({mark, 0, nullptr});
        at != by_mark.end() && at->mark == mark && at->sequence < than; ++at)
      into.push_back(at->op);
}

void resend_order::side::index() const {
   while (operation* op = keys.pop_front()) {
      leave_marks(*op, [&](std::size_t mark) { by_mark.insert({mark, op->sequence, op}); });
      op->indexed = true;
      indexed.insert_in_order(*op);
   }
}

std::array<const waiting_list*, 8> resend_order::lists() const {
   return {&writers_.keys, &writers_.indexed, &writers_.everything, &writers_.nothing,
           &readers_.keys, &readers_.indexed, &readers_.everything, &readers_.nothing};
}

std::vector<operation*> resend_order::older_than(std::uint64_t sequence) const {
   std::vector<operation*> found;
   for (const waiting_list* list : lists()) {
      const auto before = static_cast<std::ptrdiff_t>(found.size());
      take_older(*list, sequence, found);
      std::inplace_merge(found.begin(), found.begin() + before, found.end(), is_older);
   }
   return found;
}

bool resend_order::has_older_writer(const operation& op) const {
   if (size_ == 0) return false;
   const bool by_any = begins_before(writers_.everything, op.sequence);
   if (!by_any && !writers_.has_keys_before(op.sequence)) return false;
   const reach its = reach_of(op);
   if (its == reach::nothing || its == reach::everything || by_any) return its != reach::nothing;
   writers_.index();
   bool found = false;
   look_for_marks(op, [&](std::size_t mark) { found = found || writers_.has_older(mark, op.sequence); });
   return found;
}

std::vector<operation*> resend_order::overtaken_by(const footprint& ran, std::uint64_t sequence) const {
   std::vector<operation*> found;
   if (size_ == 0) return found;
   take_overtaken_writes(ran, sequence, found);
   if (ran.its != reach::nothing) take_older(readers_.everything, sequence, found);
   if (ran.its == reach::everything) {
      take_older(readers_.keys, sequence, found);
      take_older(readers_.indexed, sequence, found);
   } else if (ran.its != reach::nothing && readers_.has_keys_before(sequence)) {
      readers_.index();
      look_for_marks(ran, [&](std::size_t mark) { readers_.take_older(mark, sequence, found); });
   }
   std::sort(found.begin(), found.end(), is_older);
   found.erase(std::unique(found.begin(), found.end()), found.end());
   return found;
}

void resend_order::take_overtaken_writes(const footprint& ran, std::uint64_t sequence,
                                         std::vector<operation*>& into) const {
   const bool all_are_its = !is_mixed_ && ran.group == group_;
   const auto of_its_group = [&](const waiting_list& list) {
      for (operation* op = list.front(); op != nullptr && op->sequence < sequence; op = op->next_waiting)
         if (op->group == ran.group) into.push_back(op);
   };
   of_its_group(writers_.nothing);
   ran.its != reach::nothing ? take_older(writers_.everything, sequence, into) : of_its_group(writers_.everything);
   if (all_are_its || ran.its == reach::everything) {
      take_older(writers_.keys, sequence, into);
      take_older(writers_.indexed, sequence, into);
   } else if (writers_.has_keys_before(sequence)) {
      writers_.index();
      look_for_marks(ran, [&](std::size_t mark) { writers_.take_older(mark, sequence, into); });
      writers_.take_older(mark_of(ran.group, group_mark::of_data), sequence, into);
   }
}

// From the newest to the oldest. A write is not sent (again) behind a newer one that may have run and is not sent again
// itself, where both may be about the same data; what tells of the data (a read, an INCR) not behind any newer one that
// may have run. It may be lost itself, or wait since a gate turned it away.
resend_order::overtaken resend_order::forbid(std::vector<lost_command>& lost) {
   std::vector<operation*> waiting = all();
   overtaken found;
   touched_keys ran;   // what may have run has touched these
   touched_keys gone;  // what of it is not sent again
   const auto is_forbidden = [&](const operation& op) {
      if (is_behind_gone(op)) return true;
      if (op.reads_only) return ran.may_concern(op);
      return gone.may_concern(op) || (!answers_blindly(op) && ran.may_concern(op));
   };
   const auto look_at_waiting = [&](std::uint64_t newer_than) {
      for (; !waiting.empty() && waiting.back()->sequence > newer_than; waiting.pop_back()) {
         operation& op = *waiting.back();
         const bool forbidden = is_forbidden(op);
         if (op.may_have_run && !op.reads_only) {
            ran.add(op);
            if (forbidden) gone.add(op);
         }
         if (forbidden) (op.kept == operation::answer::none ? found.unanswered : found.answered).push_back(&op);
      }
   };
   for (auto l = lost.rbegin(); l != lost.rend(); ++l) {
      look_at_waiting(l->sequence);
      const bool waits_again = l->then.next_step == next_step::park && l->op->last;
      if ((sends_again(l->then) || waits_again) && is_forbidden(*l->op)) {
         l->then = {next_step::complete, l->then.outcome, errc::connection_lost, {}};
         l->overtaken = true;
      }
      if (!l->remains && !l->ran_before) continue;
      if (l->op != nullptr && ends_script(*l->op)) continue;
      l->op != nullptr ? ran.add(*l->op) : ran.add(l->left);
      if (l->op == nullptr)
         gone.add(l->left);
      else if (l->then.next_step == next_step::complete)
         gone.add(*l->op);
   }
   look_at_waiting(0);
   std::reverse(found.answered.begin(), found.answered.end());
   return found;
}

std::vector<operation*> resend_order::forbid_behind(std::vector<operation*> gone, const std::vector<operation*>& unsent,
                                                    const ledger_slot* oldest) {
   const auto newest_first = [](const operation* a, const operation* b) { return a->sequence > b->sequence; };
   std::sort(gone.begin(), gone.end(), newest_first);
   std::vector<operation*> older = older_than(gone.front()->sequence);
   older.insert(older.end(), unsent.begin(), unsent.end());
   steps_ += older.size();
   std::erase_if(older, [](const operation* op) { return op == nullptr || !op->last || op->reads_only; });
   std::sort(older.begin(), older.end(), newest_first);
   touched_keys touched;
   auto newer = gone.begin();
   std::vector<operation*> found;
   for (operation* op : older) {
      for (; newer != gone.end() && (*newer)->sequence > op->sequence; ++newer) touched.add(**newer);
      if (!touched.may_concern(*op)) continue;
      if (op->may_have_run) touched.add(*op);
      found.push_back(op);
   }
   remember_gone(gone, found, oldest);
   return found;
}

void resend_order::remember_gone(const std::vector<operation*>& gone, const std::vector<operation*>& with_them,
                                 const ledger_slot* oldest) {
   const std::uint64_t newest = gone.front()->sequence;
   if (oldest == nullptr || oldest->sequence > newest) return;
   if (oldest->sequence > newest_gone_) gone_ = {};
   newest_gone_ = std::max(newest_gone_, newest);
   for (const operation* op : gone) gone_.add(*op);
   for (const operation* op : with_them)
      if (op->may_have_run) gone_.add(*op);
   gone_.take_in();
}

void resend_order::keep(operation& op, operation::answer what) const {
   op.kept = what;
   op.kept_at = reruns_;
   op.may_have_run = op.may_have_run || what == operation::answer::reply;
}

bool resend_order::answer_counts(const operation& op, const ledger_slot* oldest_in_flight) const {
   if (oldest_in_flight != nullptr && oldest_in_flight->sequence < op.sequence) return false;
   return op.kept_at == reruns_ && !has_older_writer(op);
}

std::uint64_t resend_order::steps() const {
   std::uint64_t all = steps_;
   for (const waiting_list* list : lists()) all += list->steps();
   return all;
}

}  // namespace holdfast::impl
