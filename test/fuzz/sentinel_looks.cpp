// What is noted of all that is sent in a sentinel_world, and what is looked at.
#include "commands/info_reply.hpp"
#include "fuzz/sentinel_world.hpp"

#include <algorithm>

namespace holdfast::fuzz {
namespace {

bool one_line(std::string_view text) {
   return std::none_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

}  // namespace

bool printable(std::string_view text) {
   std::string again;  // valid UTF-8 stays as it is
   impl::append_printable(again, text);
   return again == text;
}

// ---- what was said -------------------------------------------------------------------------------------------------

void sentinel_world::note(impl::link& l) {
   line& on = line_of(l);
   const purpose p = of(l);
   while (on.heard->next() == impl::reader::status::reply) {
      const value_view v = on.heard->reply();
      switch (p) {
         case purpose::questions: note_answer(v); break;
         case purpose::events: note_event(on, v); break;
         case purpose::node: note_role(l.where(), v); break;
      }
   }
}

// Every address and every epoch that could be meant by any answer.
void sentinel_world::note_answer(value_view v) {
   if (v.size() == 2) {
      const auto port = v[1].kind() == kind::integer ? std::to_string(v[1].integer()) : std::string(v[1].text());
      if (const auto e = impl::read_endpoint(v[0].text(), port)) named_.insert(*e);
   }
   for (const auto& [key, field] : v.pairs()) {
      if (key.text() != "config-epoch") continue;
      if (const auto epoch = field.try_as<std::uint64_t>()) {
         epochs_.insert(*epoch);
         highest_ = std::max(highest_, *epoch);
      }
   }
}

// Every selection that may be believed: under an epoch that was announced on this subscription before the try, and not
// given up since.
void sentinel_world::note_event(line& on, value_view v) {
   if (v.size() != 3 || v[0].text() != "message") return;
   const auto h = impl::read_hint(v[1].text(), v[2].text(), settings_.master);
   if (!h) return;
   switch (h->kind) {
      case impl::hint_kind::new_epoch:
         on.announced = h->epoch;
         highest_ = std::max(highest_, h->epoch);
         return;
      case impl::hint_kind::tries: on.tried = on.announced; return;
      case impl::hint_kind::selected:
         on.selections.push_back({.where = h->about,
                                  .epoch = on.tried,
                                  .at = now_,
                                  .is_newer = believed_epoch_ && on.tried > *believed_epoch_});
         ++selected_;
         return;
      case impl::hint_kind::aborted:
      case impl::hint_kind::finished:
      case impl::hint_kind::reset: on.selections.clear(); return;
      default: return;
   }
}

// In whatever form a server may tell its role.
void sentinel_world::note_role(const endpoint& where, value_view v) {
   const auto text = v.text();
   const auto first = v.size() != 0 ? v[0].text() : std::string_view();
   if (v.find("role").text() == "master" || first == "master" || text.find("role:master") != std::string_view::npos) {
      said_master_.insert(where);
      for (auto& [l, of] : lines_)
         for (auto& s : of.selections) s.said_master = s.said_master || s.where == where;
   }
   if (v.size() >= 3) {
      if (const auto of = impl::read_endpoint(v[1].text(), std::to_string(v[2].integer())))
         said_to_follow_[*of].insert(where);
   }
   const auto field = [&](std::string_view key) {
      const auto at = text.find(key);
      if (at == std::string_view::npos) return std::string_view();
      const auto rest = text.substr(at + key.size());
      return rest.substr(0, rest.find("\r\n"));
   };
   if (const auto of = impl::read_endpoint(field("master_host:"), field("master_port:")))
      said_to_follow_[*of].insert(where);
}

// ---- what is looked at ---------------------------------------------------------------------------------------------

void sentinel_world::look() {
   while (const auto next = io_.take()) {
      const auto& [id, l, pending] = next;
      if (!pending.dial) continue;
      ++dials_;
      line& of = line_of(*l);
      ++of.dials;
      of.dials_at_once = of.dialed_at == now_ ? of.dials_at_once + 1 : 1;
      of.dialed_at = now_;
      of.heard->reset();
      of.asked->reset();
      of.announced = of.tried = 0;
      of.selections.clear();
      require(of.dials_at_once <= 4, "nobody is dialled again and again at once");
   }
   look_at_events();
   look_at_links();
   look_at_target();
   look_at_hold();
}

void sentinel_world::look_at_events() {
   std::vector<any_event> told;
   events_.take(told);
   older_ = false;
   require(told.size() <= 1000, "no flood of events from one step");
   for (const auto& e : told) {
      require(one_line(to_string(e)), "an event is one line", to_string(e));
      older_ = older_ || std::holds_alternative<event::new_lineage>(e) ||
               std::holds_alternative<event::master_withdrawn>(e) || std::holds_alternative<event::master_confirmed>(e);
      if (const auto* lineage = std::get_if<event::new_lineage>(&e))
         require(verified_.contains(lineage->master) || said_master_.contains(lineage->master),
                 "no new lineage without a role that was verified");
      if (const auto* confirmed = std::get_if<event::master_confirmed>(&e))
         require(named_.contains(confirmed->master) && epochs_.contains(confirmed->epoch),
                 "what is confirmed was named", to_string(e));
      if (const auto* withdrawn = std::get_if<event::master_withdrawn>(&e); withdrawn) {
         require(provisional_ && provisional_->where == withdrawn->master, "what is withdrawn was provisional",
                 to_string(e));
         const bool all_agree = withdrawn->why.starts_with("all Sentinels");
         require(believed_before_.contains(withdrawn->back_to) || (all_agree && named_.contains(withdrawn->back_to)),
                 "a withdrawal goes back to what was believed before", to_string(e));
         require(!all_agree || said_master_.contains(withdrawn->back_to),
                 "what works is left only for what says that it is a master", to_string(e));
      }
   }
}

void sentinel_world::look_at_links() {
   const auto sentinels = watch_.sentinels().size();
   require(sentinels <= most_sentinels, "no more Sentinels than the limit");
   require(watch_.sentinel_links() <= 2 * most_sentinels, "no more places than the limit");
   require(watch_.link_count() <= watch_.sentinel_links() + settings_.max_replicas + 1,
           "no more servers than the limit");
   for (std::size_t i = 0; i != watch_.link_count(); ++i) {
      const impl::link& l = watch_.link_at(i);
      require(l.out.size() <= 16 * 1024, "questions do not pile up");
      if (!l.is_open()) line_of(l).selections.clear();
   }
}

void sentinel_world::look_at_target() {
   const auto& t = watch_.target();
   if (t) {
      const bool followed = settings_.follow_role_hint && said_master_.contains(t->where) &&
                            std::any_of(said_to_follow_[t->where].begin(), said_to_follow_[t->where].end(),
                                        [&](const endpoint& by) { return named_.contains(by); });
      if (watch_.is_provisional()) {
         look_at_provisional(*t);
      } else {
         provisional_.reset();
         before_ = *t;
         note_belief(*t);
         require(named_.contains(t->where) || followed, "what is believed was said", to_string(t->where));
         require(epochs_.contains(t->epoch), "the epoch was said", std::to_string(t->epoch));
      }
      if (older_ || t->epoch > believed_epoch_) believed_epoch_ = t->epoch;  // else an older lineage may be offered
      if (last_where_ != t->where || last_epoch_ != t->epoch) came_true(*t);
      last_where_ = t->where;
      last_epoch_ = t->epoch;
      require(t->where.port != 0 && printable(t->where.host) && t->where.host.size() <= 255, "it can be an address");
      require(!watch_.why_none(), "what is named lacks no reason");
   } else if (const auto why = watch_.why_none()) {
      require(why->causes.size() == watch_.sentinels().size(), "each Sentinel has its cause");
      for (const auto& cause : why->causes)
         require(printable(cause) && cause.size() <= 700, "a cause is one line", cause);
   }
}

// What a provisional belief may be withdrawn for: not an older lineage that is only offered, nor what is followed by a
// hint only. Which of the targets of one epoch that was is not known from outside.
void sentinel_world::note_belief(const impl::master_node& t) {
   if (!older_ && t.epoch < believed_epoch_) return;
   if (!settings_.follow_role_hint || t.epoch != believed_epoch_) believed_before_.clear();
   believed_before_.insert(t.where);
}

// The selections up to it were not in vain, or are over.
void sentinel_world::came_true(const impl::master_node& t) {
   for (auto& [l, of] : lines_) std::erase_if(of.pauses, [&](const pause& p) { return p.epoch <= t.epoch; });
}

void sentinel_world::look_at_provisional(const impl::master_node& t) {
   require(settings_.eager, "by its own word a node is believed only where that is wanted");
   if (provisional_ && provisional_->where == t.where && provisional_->epoch == t.epoch) return;
   bool selected = false;
   for (auto& [l, of] : lines_) {
      const bool here = std::any_of(of.selections.begin(), of.selections.end(), [&](const selection& s) {
         return s.where == t.where && s.epoch == t.epoch && s.said_master;
      });
      selected = selected || here;
   }
   require(selected, "what no Sentinel names was selected, and says that it is a master", to_string(t.where));
   require(t.epoch > last_epoch_, "what was selected is believed only under a newer epoch", std::to_string(t.epoch));
   provisional_ = t;
}

// They are held when a Sentinel selects under a newer epoch, unless two selections that were told of at its place have
// been in vain; for what is left of that time, where the node was believed already and is not any more, or where
// another place tells of the same; and once more by the end of a connection.
void sentinel_world::look_at_hold() {
   const time_point until = watch_.hold_writes_until();
   if (until > now_) {
      require(settings_.eager, "writes are held only where that is wanted");
      require(until <= now_ + settings_.hold_on_selected, "writes are not held for longer than is wanted");
   }
   if (until > now_ && until > hold_) {
      bool by_a_selection = false;
      for (auto& [l, of] : lines_) {
         for (selection& s : of.selections) {
            if (!s.is_newer || s.at + settings_.hold_on_selected != until) continue;
            std::erase_if(of.pauses, [&](const pause& p) { return p.until <= s.at; });
            if (!s.has_held && of.pauses.size() == 2) continue;
            if (!s.has_held) of.pauses.push_back({s.epoch, until + settings_.hold_pause});
            by_a_selection = true;
            s.has_held = true;
         }
      }
      const bool goes_on = held_until_.contains(until);
      require(by_a_selection || goes_on || (until <= now_ + settings_.hold_extension && ++extensions_ <= selected_),
              "writes are held by no selection that follows two in vain, and by the end of a connection for a moment, "
              "and once");
      held_until_.insert(until);
   }
   hold_ = until;
}

}  // namespace holdfast::fuzz
