#include "fuzz/sentinel_world.hpp"

#include <algorithm>

namespace holdfast::fuzz {
namespace {

constexpr impl::limits reply_limits{.reply_bytes = 1 << 14, .depth = 8, .elements = 2048};

// Also the seed; its bits say the rest.
impl::sentinel_settings settings_of(input& in, std::uint8_t& seed) {
   impl::sentinel_settings s;
   s.master = in.one_in(4) ? "my master" : "mymaster";
   for (std::size_t n = 1 + in.below(3); n != 0; --n) s.sentinels.push_back({"10.0.1." + std::to_string(n), 26379});
   s.max_sentinels = most_sentinels;
   s.max_replicas = 3;
   if (in.one_in(4)) s.password = "secret";
   if (in.one_in(8)) s.username = "user";
   seed = in.byte();
   s.eager = seed & 0x80;
   s.warm = !(seed & 0x40);
   s.follow_role_hint = seed & 0x20;
   if (seed & 0x10) s.node_password = s.client_name = "node";
   if (seed & 0x08) s.hold_on_selected = {};
   return s;
}

}  // namespace

sentinel_world::sentinel_world(input& in)
   : in_(in), settings_(settings_of(in, seed_)), watch_(settings_, seed_, io_, reply_limits, events_) {}

void sentinel_world::run() {
   for (unsigned steps = 0; !in_.empty() && steps != 2000; ++steps) {
      step();
      look();
   }
   if (seed_ & 0x04)
      heal();
   else if (watch_.is_provisional())
      contradict();
   refuse();
   silence();
}

void sentinel_world::step() {
   impl::link& l = some_link();
   const bool asks_servers = settings_.eager || settings_.follow_role_hint;
   const auto what = in_.below(asks_servers ? 24 : 16);
   switch (what) {
      case 0:
      case 1:
      case 2:
         if (l.now() == impl::link::state::dialing) {
            return l.opened(now_);
         }
         return answer(l);
      case 3:
      case 4:
      case 5: return feed(l, fragment());
      case 6: {  // a part of what would be sent
         const std::string bytes = fragment();
         return feed(l, std::string_view(bytes).substr(0, in_.byte()));
      }
      case 7: return feed(l, in_.take(in_.byte()));
      case 8: return lose(l);
      case 9:
         master_ = some_node();
         epoch_ = in_.one_in(4) ? epoch_ - 1 : epoch_ + in_.below(3);
         return;
      case 10: return void(watch_.ask(now_));
      case 11: return watch_.need(in_.one_in(2), now_);
      case 12: {
         if (!watch_.target()) return;
         const auto target = *watch_.target();
         if (in_.one_in(2)) return watch_.role_refused(target.where, "slave", now_);
         verified_.insert(target.where);
         return watch_.role_verified(target.where, target.epoch, now_);
      }
      case 13: return pass(in_.byte() * 1ms);
      case 14: return pass(in_.byte() * 20ms);
      case 15:  // the caller is away
         now_ += in_.byte() * 100ms;
         return pass(0ms);
      default: return step_of_servers(what);
   }
}

void sentinel_world::step_of_servers(std::size_t what) {
   switch (what) {
      case 16:
      case 17: {
         impl::link& l = some_subscription();
         const auto epoch = epoch_ + in_.below(4);
         return feed(l, announcement(epoch, some_node()));
      }
      case 18: {
         constexpr std::string_view roles[] = {"master", "slave", "replica", "sentinel", "?"};
         const auto where = some_node();
         roles_[where] = roles[in_.below(std::size(roles))];
         return;
      }
      case 19: {  // REPLICAOF NO ONE, and the end of its clients' connections
         const auto where = some_node();
         roles_[where] = "master";
         return cut(where);
      }
      case 20: return void(replicas_ = static_cast<unsigned>(in_.number()));
      case 21: return cut(some_node());
      case 22: return void(followed_ = some_node());
      default:
         for (std::size_t n = 1 + in_.below(4); n != 0 && serve_all(); --n) {
         }
   }
}

void sentinel_world::lose(impl::link& l) {
   if (l.now() == impl::link::state::closed) return;
   l.lost("connection reset by peer", now_);
}

void sentinel_world::cut(const endpoint& where) {
   for (std::size_t i = 0; i != watch_.link_count(); ++i)
      if (watch_.link_at(i).where() == where) lose(watch_.link_at(i));
}

void sentinel_world::pass(duration d) {
   const time_point end = now_ + d;
   do {
      now_ = std::clamp(watch_.next_deadline(), now_, end);
      watch_.tick(now_);
      require(watch_.next_deadline() > now_, "after a tick the next one is later");
      look();
   } while (now_ < end);
}

sentinel_world::purpose sentinel_world::of(const impl::link& l) {
   const std::size_t of_sentinels = watch_.sentinel_links();
   for (std::size_t i = 0; i != of_sentinels; ++i)
      if (&watch_.link_at(i) == &l) return i % 2 == 0 ? purpose::questions : purpose::events;
   return purpose::node;
}

sentinel_world::line& sentinel_world::line_of(const impl::link& l) {
   line& of = lines_[&l];
   if (!of.heard) {
      of.heard = std::make_unique<impl::reader>(reply_limits);
      of.asked = std::make_unique<impl::reader>(reply_limits);
   }
   return of;
}

// ---- the end -------------------------------------------------------------------------------------------------------

// Everybody does at once what is to be done; whether there was anything.
bool sentinel_world::serve_all() {
   bool moved = false;
   for (std::size_t i = 0; i != watch_.link_count(); ++i) {
      impl::link& l = watch_.link_at(i);
      if (l.now() == impl::link::state::dialing) {
         l.opened(now_);
      } else if (l.is_open() && l.out.size() != 0) {
         answer(l);
      } else {
         continue;
      }
      moved = true;
      look();
   }
   return moved;
}

void sentinel_world::tell_the_truth(duration d) {
   roles_.clear();
   followed_.reset();
   for (const time_point end = now_ + d; now_ < end;) {
      for (unsigned n = 0; serve_all(); ++n) require(n < 100, "those who are answered at once are asked in measure");
      pass(std::clamp(watch_.next_deadline(), now_, end) - now_);
   }
}

// All go on naming the master of before. What is believed by its own word only is given up, if that one says that it is
// a master; or if the node itself says that it is none.
void sentinel_world::contradict() {
   master_ = before_.where;
   epoch_ = before_.epoch;
   if (!(seed_ & 0x02)) {
      tell_the_truth(60s);
      return require(!watch_.is_provisional(), "what all Sentinels contradict is not believed for ever");
   }
   nobody_is_master_ = true;
   tell_the_truth(30s);
   if (const auto t = watch_.target()) watch_.role_refused(t->where, "slave", now_);
   tell_the_truth(5s);
   require(!watch_.is_provisional(), "what denies itself, and nobody names, is not believed");
}

void sentinel_world::heal() {
   master_ = {"10.0.0.9", 6379};
   epoch_ = highest_ + 1;
   if (watch_.is_provisional() && provisional_) {
      master_ = provisional_->where;
      if (provisional_->epoch == highest_) epoch_ = highest_;
   }
   if (epoch_ == 0) return;  // there is none that is newer
   tell_the_truth(60s);
   const auto& t = watch_.target();
   require(t && t->where == master_ && t->epoch == epoch_, "what all Sentinels say is believed in the end");
   require(!watch_.is_provisional(), "what a Sentinel names is confirmed");
}

// Nobody can be reached.
void sentinel_world::refuse() {
   for (std::size_t i = 0; i != watch_.link_count(); ++i) lose(watch_.link_at(i));
   look();
   std::map<const impl::link*, unsigned> before;
   for (const auto& [l, of] : lines_) before[l] = of.dials;
   for (const time_point end = now_ + 2s; now_ < end;) {
      pass(std::clamp(watch_.next_deadline(), now_, end) - now_);
      for (std::size_t i = 0; i != watch_.link_count(); ++i)
         if (watch_.link_at(i).now() == impl::link::state::dialing) lose(watch_.link_at(i));
      look();
   }
   for (const auto& [l, of] : lines_) require(of.dials - before[l] <= 100, "who refuses is dialled in measure");
}

// Nobody says anything any more.
void sentinel_world::silence() {
   const auto round = watch_.ask(now_);
   look();
   const unsigned before = dials_;
   pass(5s);
   require(watch_.answered(round), "each round ends");
   require(!watch_.in_doubt(), "doubt ends");
   require(watch_.hold_writes_until() <= now_, "a hold ends");
   require(dials_ - before <= 40 * watch_.link_count(), "the dead are dialled in measure");
}

}  // namespace holdfast::fuzz
