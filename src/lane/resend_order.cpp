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
   if (op.waits == operation::order::by_keys) return its.indexed;
   switch (reach_of(op)) {
      case reach::nothing: return its.nothing;
      case reach::everything: return its.everything;
      case reach::keys:
      case reach::undeclared: break;
   }
   return its.keys;
}

// By what an operation is found besides the keys that it was indexed by.
template <class F>
void resend_order::own_marks(const operation& op, F&& f) {
   const reach its = reach_of(op);
   if (its == reach::nothing) f(mark_of(op.group, group_mark::of_nothing));
   if (its == reach::everything) f(mark_of(op.group, group_mark::of_everything));
}

void resend_order::add(operation& op) {
   op.waits = operation::order::listed;
   list_of(op).insert_in_order(op);
   own_marks(op, [&](std::size_t mark) { side_of(op).by_mark.insert({mark, op.sequence, &op}); });
   is_mixed_ = size_ != 0 && (is_mixed_ || op.group != group_);
   if (size_++ == 0) group_ = op.group;
   if (op.is_transaction()) ++transactions_;
}

void resend_order::take_out(operation& op) {
   const auto forget = [&](std::size_t mark) { side_of(op).by_mark.erase({mark, op.sequence, &op}); };
   list_of(op).remove(op);
   own_marks(op, forget);
   if (op.waits == operation::order::by_keys) leave_marks(op, forget);
   op.waits = operation::order::none;
   --size_;
   if (op.is_transaction()) --transactions_;
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
      op->waits = operation::order::by_keys;
      indexed.insert_in_order(*op);
   }
}

template <class Touching>
void resend_order::side::take_conflicting(const Touching& of, reach its, std::uint64_t than,
                                          std::vector<operation*>& into) const {
   if (its == reach::nothing) return;
   impl::take_older(everything, than, into);
   if (its == reach::everything) {
      impl::take_older(keys, than, into);
      impl::take_older(indexed, than, into);
   } else if (has_keys_before(than)) {
      index();
      look_for_marks(of, [&](std::size_t mark) { take_older(mark, than, into); });
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
   readers_.take_conflicting(ran, ran.its, sequence, found);
   std::sort(found.begin(), found.end(), is_older);
   found.erase(std::unique(found.begin(), found.end()), found.end());
   return found;
}

void resend_order::take_overtaken_writes(const footprint& ran, std::uint64_t sequence,
                                         std::vector<operation*>& into) const {
   if (!is_mixed_ && ran.group == group_) {
      const waiting_list* const lists[] = {&writers_.nothing, &writers_.everything, &writers_.keys, &writers_.indexed};
      for (const waiting_list* list : lists) take_older(*list, sequence, into);
      return;
   }
   if (writers_.has_keys_before(sequence)) writers_.index();
   for (const auto mark : {group_mark::of_nothing, group_mark::of_everything, group_mark::of_data})
      writers_.take_older(mark_of(ran.group, mark), sequence, into);
   writers_.take_conflicting(ran, ran.its, sequence, into);
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

std::vector<operation*> resend_order::forbid_behind(const std::vector<operation*>& gone, std::vector<operation*> unsent,
                                                    const ledger_slot* oldest) {
   std::erase_if(unsent, [](const operation* op) { return op == nullptr || !op->last || op->reads_only; });
   std::vector<operation*> newer = gone;  // a heap, the newest first
   std::make_heap(newer.begin(), newer.end(), is_older);
   std::vector<operation*> found;
   const auto end = [&](operation& op) {
      found.push_back(&op);
      if (!op.may_have_run) return;
      newer.push_back(&op);
      std::push_heap(newer.begin(), newer.end(), is_older);
   };
   touched_keys touched;
   auto next = unsent.begin();
   for (std::vector<operation*> conflicting; !newer.empty(); conflicting.clear()) {
      std::pop_heap(newer.begin(), newer.end(), is_older);
      const operation& ran = *newer.back();
      newer.pop_back();
      ++steps_;
      writers_.take_conflicting(ran, impl::reach_of(ran), ran.sequence, conflicting);
      for (operation* op : conflicting) {
         if (op->waits == operation::order::none) continue;  // it was found by another key
         ++steps_;
         take_out(*op);
         end(*op);
      }
      if (next != unsent.end()) touched.add(ran);
      const auto is_next = [&] { return newer.empty() || (*next)->sequence > newer.front()->sequence; };
      for (; next != unsent.end() && is_next(); ++next)
         if ((*next)->sequence < ran.sequence && touched.may_concern(**next)) end(**next);
   }
   std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->sequence > b->sequence; });
   remember_gone(gone, found, oldest);
   return found;
}

void resend_order::remember_gone(const std::vector<operation*>& gone, const std::vector<operation*>& with_them,
                                 const ledger_slot* oldest) {
   const std::uint64_t newest = (*std::max_element(gone.begin(), gone.end(), is_older))->sequence;
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
