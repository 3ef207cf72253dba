#include "lane/connector.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::lane {

namespace {

backoff when_refused() {
   using namespace std::chrono_literals;
   return exponential_backoff({.base = 500ms, .factor = 2, .cap = 5s, .jitter = jitter::equal});
}

}  // namespace

connector::connector(connector_settings s, resp::link& l, guide& g, event_queue& events, std::uint64_t seed)
   : settings_(std::move(s)),
     link_(l),
     guide_(g),
     events_(events),
     random_(seed),
     pauses_(settings_.backoff),
     refusals_(when_refused()) {}

void connector::set_phase(phase p, time_point deadline, time_point now) {
   const bool waiting = p != phase::resting && p != phase::ready;
   const bool waited = phase_ != phase::resting && phase_ != phase::ready;
   phase_ = p;
   deadline_ = deadline;
   if (waiting != waited) guide_.need(waiting, now);
}

void connector::want(time_point now) {
   wanted_ = true;
   if (phase_ != phase::resting) return;
   problem_.reset();  // what failed then was told then
   causes_.clear();
   ask(now);
}

void connector::rest(time_point now) {
   wanted_ = false;
   if (phase_ == phase::asking || phase_ == phase::pausing) set_phase(phase::resting, never, now);
}

void connector::leave(time_point now) {
   if (link_.now() != resp::link::state::closed) link_.close();
   if (superseded()) return dial(now);  // the answer is fresh: that is why we leave
   // A server that ends each connection before it answers anything is not worth a try at once.
   if (!proven_) return pause(now);
   ask(now);
}

void connector::proven() {
   if (proven_) return;
   proven_ = true;
   pauses_.reset();
   refusals_.reset();
}

void connector::ask(time_point now) {
   set_phase(phase::asking, never, now);
   round_ = guide_.ask(now);
   guided(now);
}

void connector::guided(time_point now) {
   switch (phase_) {
      case phase::resting: return;
      case phase::ready: {  // the lane leaves, it has commands to account for
         const auto target = guide_.target();
         if (!target || target->where == node_->where || !is_same_process(*target)) return;
         // By its new name from now on. It was verified; and a node that is demoted ends its connections.
         node_ = target;
         return guide_.role_verified(node_->where, node_->epoch, now);
      }
      case phase::asking:
         if (!guide_.answered(round_)) return;
         if (guide_.target()) return dial(now);
         if (const auto t = guide_.why_none()) problem_ = {t->code, {}, {}, t->final && !ever_ready_};
         return pause(now);
      case phase::pausing: {
         const auto target = guide_.target();
         if (target && (!node_ || target->generation != node_->generation)) dial(now);
         return;
      }
      case phase::dialing:
      case phase::greeting:
         if (!superseded()) return;
         link_.abort();
         return dial(now);
   }
}

bool connector::superseded() const {
   if (!node_) return false;
   const auto target = guide_.target();
   return target && target->where != node_->where && !is_same_process(*target);
}

bool connector::is_same_process(const named_node& n) const {
   return ready() && !n.run_id.empty() && n.run_id == handshake_.self().run_id;
}

void connector::dial(time_point now) {
   const auto target = guide_.target();
   HOLDFAST_ASSERT(target);
   const bool changed = ever_ready_ && node_ && node_->where != target->where;
   if (changed) spread_done_ = settings_.reconnect_spread <= duration::zero();
   node_ = target;
   if (changed) {
      way_ = handshake::way::hello;
      master_changed_at_ = now;
      refusing_since_ = {};
      pauses_.reset();
      refusals_.reset();
   }
   if (!spread_done_) {
      spread_done_ = true;
      return set_phase(phase::pausing, after(now, random_.between({}, settings_.reconnect_spread)), now);
   }
   round_way_ = way_;
   said_.reset();
   round_is_final_ = true;
   set_phase(phase::dialing, after(now, settings_.connect_timeout), now);
   link_.dial(node_->where);
}

void connector::on_opened(const session& s, bool busy_will_do, time_point) {
   HOLDFAST_ASSERT(phase_ == phase::dialing);
   phase_ = phase::greeting;  // within the same deadline
   std::vector<earlier_connection> earlier;
   for (const past& p : pasts_) earlier.push_back({p.who, is_here(p)});
   handshake_.begin(s, round_way_, std::move(earlier), guide_.roles_matter(), busy_will_do, link_.out);
   link_.flush();
}

void connector::on_received(time_point now) {
   while (phase_ == phase::greeting) {
      const auto status = link_.in.next();
      if (status == resp::reader::status::incomplete) return link_.flush();
      if (status == resp::reader::status::broken) {
         problem_ = {
            errc::protocol_error, "it does not speak the Redis protocol: " + link_.in.problem(), {}, !ever_ready_};
         return failed(errc::protocol_error, problem_->text, now);
      }
      if (link_.in.reply().kind() == kind::push) continue;
      const auto state = handshake_.resume(link_.in.reply(), link_.out);
      if (state == handshake::state::failed) {
         problem_ = handshake_.failure();
         way_ = handshake::way::hello;  // the old way does no better
         if (problem_->final) problem_->final = lasts(now);
         const std::string said = problem_->server_text.empty() ? "" : ": " + problem_->server_text;
         return failed(problem_->code, problem_->text + said, now);
      }
      if (state == handshake::state::ready) become_ready(now);
   }
}

// Whether it is of no use to wait until a password, say, is right. The first time nobody has ever got in. After a
// failover the new master may have other users for a while; but not for long.
bool connector::lasts(time_point now) {
   constexpr duration patience = std::chrono::seconds(10);
   if (!ever_ready_) return true;
   if (refusing_since_ == time_point{} || now - last_refusal_ > patience) refusing_since_ = now;
   last_refusal_ = now;
   return now - refusing_since_ >= patience;
}

void connector::become_ready(time_point now) {
   const bool no_master = guide_.roles_matter() ? handshake_.role() != "master" : is_unwanted_replica();
   if (no_master) {
      const std::string role = handshake_.role();
      const endpoint& which = link_.one_of_several() ? link_.address() : node_->where;
      events_.tell([&] { return event::role_refused{which, role}; });
      note(to_string(node_->where) + " is no master but a " + role + at_address());
      replica_met_ = true;
      problem_ = {errc::no_master, {}, {}, false};
      round_is_final_ = false;
      link_.pass_over();
      if (wanted_ && link_.has_next()) return dial_next(now);
      link_.close();
      if (guide_.roles_matter()) guide_.role_refused(node_->where, role, now);
      return pause(now);
   }
   replica_met_ = replicas_only_ = false;
   if (handshake_.role() == "master") master_seen_ = true;
   take_fates();
   ever_ready_ = true;
   // Not for good: it may have been a coincidence, or another server may come.
   way_ = handshake_.how() <= handshake::way::careful ? handshake::way::hello : handshake::way::careful;
   refusing_since_ = {};
   proven_ = false;
   problem_.reset();
   causes_.clear();
   set_phase(phase::ready, never, now);
   events_.tell([&] { return event::connected{node_->where, node_->epoch, handshake_.resp3()}; });
   if (guide_.roles_matter()) guide_.role_verified(node_->where, node_->epoch, now);
}

// What the handshake has found out about the connections that were lost.
void connector::take_fates() {
   fenced_ = fence_result::not_needed;
   fence_problem_.clear();
   if (handshake_.unfinished()) return;  // the fence is still due
   const auto& found = handshake_.earlier();
   std::vector<past> left;
   for (std::size_t i = 0; i < found.size(); ++i) {
      auto result = fence_result::not_needed;
      switch (found[i].is) {
         case earlier_connection::fate::ended: result = fence_result::holds; break;
         case earlier_connection::fate::alive: result = fence_result::impossible; break;
         case earlier_connection::fate::unproven:
            result = may_be_same(pasts_[i]) ? fence_result::impossible : fence_result::unproven;
            [[fallthrough]];
         case earlier_connection::fate::elsewhere:
            left.push_back(std::move(pasts_[i]));
            left.back().passed = true;
            if (result == fence_result::impossible) left.back().waited_for = false;  // what waited ends now
            if (is_here(left.back())) left.back().where = {};
            break;
      }
      fenced_ = std::max(fenced_, result);
      if (fence_problem_.empty()) fence_problem_ = found[i].why;
   }
   pasts_ = std::move(left);
   const std::string& here = handshake_.self().run_id;
   if (!may_be_forgotten(here)) return;
   std::erase_if(forgotten_, [&](const std::string& id) { return id.empty() || here.empty() || id == here; });
   fenced_ = fence_result::impossible;
   if (fence_problem_.empty())
      fence_problem_ = "writes were lost at more than " + std::to_string(most_pasts) +
                       " nodes, and which connection is to be ended here is not known any more";
}

// Where neither run ids nor a kill tell. A failover alone leads to another process: a master is not its own replica. A
// new address under the same epoch may be another name of the same node, and so may the next but one.
bool connector::may_be_same(const past& p) const {
   const bool was_replaced = !p.passed && node_->epoch > p.epoch;
   return p.waited_for && !was_replaced;
}

// A name may stand for a master and its replicas: then the master is looked for, at each address once a round. Where
// none says that it is one, and never did, a replica is what the name is for; and one fixed address is what it is.
bool connector::is_unwanted_replica() const {
   const bool replica = handshake_.role() == "slave" || handshake_.role() == "replica";
   return replica && link_.one_of_several() && (master_seen_ || !replicas_only_);
}

void connector::dial_next(time_point now) {
   set_phase(phase::dialing, after(now, settings_.connect_timeout), now);
   link_.dial_next();
}

// " (10.0.0.1)" behind a name that has several.
std::string connector::at_address() const {
   return link_.one_of_several() ? " (" + link_.address().host + ")" : std::string();
}

void connector::on_lost(std::string_view why, time_point now) {
   if (phase_ != phase::dialing && phase_ != phase::greeting) return;
   if (phase_ == phase::greeting) {
      way_ = handshake_.after_close();
      if (const std::string& said = handshake_.hello_refusal(); !said.empty()) {
         problem_ = {errc::no_master, "it refused HELLO, and then closed the connection", said, false};
         return failed(errc::no_master, problem_->text + ": " + said, now);
      }
   } else if (!link_.one_of_several())  // else another address may have closed it
      way_ = handshake::way::hello;
   no_connection(why, now);
}

void connector::no_connection(std::string_view why, time_point now) {
   problem_ = {errc::no_master, {}, {}, false};
   failed(errc::no_master, std::string(why), now);
}

void connector::failed(errc code, std::string why, time_point now) {
   why += at_address();
   note(to_string(node_->where) + ": " + why);
   events_.tell([&] { return event::dial_failed{node_->where, why}; });
   link_.pass_over();
   conclude();
   if (wanted_ && link_.has_next()) return dial_next(now);
   link_.abort();
   if (code != errc::refused) return pause(now);
   // Full of clients: each try costs it a connection more.
   const duration d = refusals_.next(random_);
   if (!wanted_) return set_phase(phase::resting, never, now);
   set_phase(phase::pausing, after(now, d), now);
}

// Of a name with several addresses the round fails for good only if each of them does: another may be the right one,
// when it comes up. What a server said tells more than that there was no connection to the other.
void connector::conclude() {
   round_is_final_ = round_is_final_ && problem_->final;
   if (!problem_->text.empty()) said_ = problem_;
   if (said_) problem_ = said_;
   problem_->final = round_is_final_ && !link_.has_next();
}

void connector::note(std::string cause) {
   if (std::find(causes_.begin(), causes_.end(), cause) != causes_.end()) return;
   if (causes_.size() == most_causes) causes_.assign(std::next(causes_.begin()), causes_.end());
   causes_.push_back(std::move(cause));
}

std::string connector::under_way() const {
   if (phase_ == phase::dialing) return to_string(node_->where) + ": no connection yet";
   if (phase_ == phase::greeting) return to_string(node_->where) + ": connected, but no answer to HELLO yet";
   return {};
}

void connector::pause(time_point now) {
   replicas_only_ = std::exchange(replica_met_, false);  // a round is over
   duration d = pauses_.next(random_);
   // Drawn anew rather than cut, so that the jitter survives the cap.
   if (guide_.failover_in_progress() && d > settings_.failover_cap) d = random_.between({}, settings_.failover_cap);
   if (!wanted_) return set_phase(phase::resting, never, now);  // nobody waits for it
   set_phase(phase::pausing, after(now, d), now);
}

void connector::tick(time_point now) {
   if (now < deadline_) return;
   switch (phase_) {
      case phase::pausing: return ask(now);
      case phase::dialing: return no_connection("no connection within the connect timeout", now);
      case phase::greeting: return no_connection("connected, but no answer to HELLO within the connect timeout", now);
      default: deadline_ = never; return;
   }
}

// Where the target's run id is not known, it may be any process by another name: the handshake will tell.
bool connector::fence_is_due() const {
   const auto target = guide_.target();
   const bool goes_there = target && (!ready() || superseded());
   if (goes_there && may_be_forgotten(target->run_id)) return true;
   return std::any_of(pasts_.begin(), pasts_.end(), [&](const past& p) {
      if (node_ && p.where == node_->where) return true;
      if (!goes_there) return false;
      return target->run_id.empty() || p.who.run_id.empty() || target->run_id == p.who.run_id;
   });
}

void connector::remember_for_fence(bool others_wait) {
   const identity& self = handshake_.self();
   for (past& p : pasts_) p.waited_for = p.waited_for && others_wait;
   std::erase_if(pasts_, [&](const past& p) { return is_here(p) && p.who.run_id == self.run_id; });
   if (pasts_.size() == most_pasts) forget_one();
   pasts_.push_back({node_->where, link_.address(), self, node_->epoch});
}

// The oldest for which nothing waits; else the oldest. Without a run id it would stand for every process there is: what
// waits for it is worth that.
void connector::forget_one() {
   const auto idle = std::find_if(pasts_.begin(), pasts_.end(), [](const past& p) { return !p.waited_for; });
   const auto which = idle != pasts_.end() ? idle : pasts_.begin();
   if (which->waited_for || !which->who.run_id.empty()) forgotten_.push_back(which->who.run_id);
   pasts_.erase(which);
   if (forgotten_.size() <= most_forgotten) return;
   forgotten_.erase(forgotten_.begin());
   forgotten_.front().clear();
}

bool connector::may_be_forgotten(std::string_view run_id) const {
   return std::any_of(forgotten_.begin(), forgotten_.end(),
                      [&](const std::string& id) { return id.empty() || run_id.empty() || id == run_id; });
}

}  // namespace holdfast::lane
