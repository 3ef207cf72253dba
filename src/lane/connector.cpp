#include "lane/connector.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

connector::connector(connector_settings s, link& l, lane_topology& g, event_queue& events, std::uint64_t seed)
   : settings_(std::move(s)),
     link_(l),
     topology_(g),
     events_(events),
     pauses_(settings_.backoff, settings_.failover_cap, settings_.reconnect_spread, seed) {}

void connector::set_phase(phase p, time_point deadline) {
   const bool waiting = p != phase::resting && p != phase::ready;
   const bool waited = phase_ != phase::resting && phase_ != phase::ready;
   phase_ = p;
   deadline_ = deadline;
   if (waiting != waited) topology_.need(waiting);
}

void connector::want(time_point now) {
   wanted_ = true;
   if (phase_ != phase::resting) return;
   problem_.reset();  // what failed then was told then
   causes_.clear();
   ask(now);
}

void connector::rest() {
   wanted_ = false;
   if (phase_ == phase::asking || phase_ == phase::pausing) set_phase(phase::resting, never);
}

void connector::leave(time_point now) {
   if (link_.now() != link::state::closed) link_.close();
   if (superseded()) return dial(now);  // the answer is fresh: that is why we leave
   // A server that ends each connection before it answers anything is not worth a try at once.
   if (!pauses_.proven()) return pause(now);
   ask(now);
}

void connector::ask(time_point now) {
   set_phase(phase::asking, never);
   round_ = topology_.ask();
   on_view(now);
}

void connector::on_view(time_point now) {
   switch (phase_) {
      case phase::resting: return;
      case phase::ready: {  // the lane leaves, it has commands to account for
         const auto target = topology_.target();
         if (!target || target->where == node_->where || !is_same_process(*target)) return;
         // By its new name from now on. It was verified; and a node that is demoted ends its connections.
         node_ = target;
         return topology_.role_verified(*node_);
      }
      case phase::asking:
         if (!topology_.answered(round_)) return;
         if (topology_.target()) return dial(now);
         if (const auto t = topology_.why_none()) problem_ = {t->code, {}, {}, t->final && !topology_.ever_ready()};
         return pause(now);
      case phase::pausing: {
         const auto target = topology_.target();
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
   const auto target = topology_.target();
   return target && target->where != node_->where && !is_same_process(*target);
}

bool connector::is_same_process(const master_node& n) const {
   return ready() && !n.run_id.empty() && n.run_id == handshake_.self().run_id;
}

void connector::dial(time_point now) {
   const auto target = topology_.target();
   HOLDFAST_ASSERT(target);
   const bool changed = pauses_.ever_ready() && node_ && node_->where != target->where;
   node_ = target;
   if (changed) {
      addresses_.set_next_way(handshake::way::hello);
      master_changed_at_ = now;
      pauses_.on_master_changed();
   }
   if (pauses_.must_spread()) return set_phase(phase::pausing, after(now, pauses_.take_spread()));
   addresses_.begin();
   set_phase(phase::dialing, after(now, settings_.connect_timeout));
   link_.dial(node_->where);
}

void connector::on_opened(const session& s, bool allow_busy_server) {
   HOLDFAST_ASSERT(phase_ == phase::dialing);
   set_phase(phase::greeting, deadline_);
   handshake_.begin(
      s, {.begins = addresses_.way(), .need_role = topology_.roles_matter(), .allow_busy_server = allow_busy_server},
      fences_.earlier(here()));
   link_.write(handshake_.take_output());
}

void connector::on_received(time_point now) {
   while (phase_ == phase::greeting) {
      const auto status = link_.in.next();
      if (status == reader::status::incomplete) return;
      if (status == reader::status::broken) {
         problem_ = {errc::protocol_error,
                     "it does not speak the Redis protocol: " + link_.in.problem(),
                     {},
                     !topology_.ever_ready()};
         return failed(errc::protocol_error, problem_->text, now);
      }
      if (link_.in.reply().kind() == kind::push) continue;
      const auto state = handshake_.resume(link_.in.reply());
      link_.write(handshake_.take_output());
      if (state == handshake::state::failed) {
         problem_ = handshake_.failure();
         addresses_.set_next_way(handshake::way::hello);  // the old way does no better
         // The first time nobody has ever got in.
         if (problem_->final && topology_.ever_ready()) problem_->final = pauses_.refusal_lasts(now);
         const std::string said = problem_->server_text.empty() ? "" : ": " + problem_->server_text;
         return failed(problem_->code, problem_->text + said, now);
      }
      if (state == handshake::state::ready) become_ready(now);
   }
}

void connector::become_ready(time_point now) {
   const bool no_master = topology_.roles_matter() ? handshake_.role() != "master" : is_unwanted();
   if (no_master) {
      const std::string role = handshake_.role();
      const endpoint& which = link_.one_of_several() ? link_.address() : node_->where;
      events_.tell([&] { return event::role_refused{which, role}; });
      note(to_string(node_->where) + " is no master but a " + role + at_address());
      addresses_.on_replica();
      problem_ = {errc::no_master, {}, {}, false};
      link_.pass_over();
      if (wanted_ && link_.has_next()) return dial_next(now);
      link_.close();
      if (topology_.roles_matter()) topology_.role_refused(*node_, role);
      return pause(now);
   }
   addresses_.on_ready(handshake_.role());
   fences_.forget_result();
   if (!handshake_.without_identity())
      fences_.take_fates(handshake_.earlier(), here(), handshake_.self().run_id);  // else the fence is still due
   // Not for good: it may have been a coincidence, or another server may come.
   addresses_.set_next_way(handshake_.how() <= handshake::way::careful ? handshake::way::hello
                                                                       : handshake::way::careful);
   pauses_.on_ready();
   topology_.note_ready();
   problem_.reset();
   causes_.clear();
   set_phase(phase::ready, never);
   events_.tell([&] { return event::connected{node_->where, node_->epoch, handshake_.resp3()}; });
   if (topology_.roles_matter()) topology_.role_verified(*node_);
}

void connector::dial_next(time_point now) {
   set_phase(phase::dialing, after(now, settings_.connect_timeout));
   link_.dial_next();
}

// " (10.0.0.1)" behind a name that has several.
std::string connector::at_address() const {
   return link_.one_of_several() ? " (" + link_.address().host + ")" : std::string();
}

void connector::on_lost(std::string_view why, time_point now) {
   if (phase_ != phase::dialing && phase_ != phase::greeting) return;
   if (phase_ == phase::greeting) {
      addresses_.set_next_way(handshake_.after_close());
      if (const std::string& said = handshake_.hello_refusal(); !said.empty()) {
         problem_ = {errc::no_master, "it refused HELLO, and then closed the connection", said, false};
         return failed(errc::no_master, problem_->text + ": " + said, now);
      }
   } else if (!link_.one_of_several())  // else another address may have closed it
      addresses_.set_next_way(handshake::way::hello);
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
   problem_ = addresses_.conclude(*problem_, link_.has_next());
   if (wanted_ && link_.has_next()) return dial_next(now);
   link_.abort();
   if (code != errc::refused) return pause(now);
   // Full of clients: each try costs it a connection more.
   const duration d = pauses_.next_refused();
   if (!wanted_) return set_phase(phase::resting, never);
   set_phase(phase::pausing, after(now, d));
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
   addresses_.end();
   const duration d = pauses_.next(topology_.failover_in_progress());
   if (!wanted_) return set_phase(phase::resting, never);  // nobody waits for it
   set_phase(phase::pausing, after(now, d));
}

void connector::tick(time_point now) {
   if (now < deadline_) return;
   switch (phase_) {
      case phase::pausing: return ask(now);
      case phase::dialing: return no_connection("no connection within the connect timeout", now);
      case phase::greeting: return no_connection("connected, but no answer to HELLO within the connect timeout", now);
      default: deadline_ = never; return;  // GCOV_EXCL_LINE: in the other phases nothing is ever due
   }
}

bool connector::fence_is_due() const {
   const auto target = topology_.target();
   const bool moves = target && (!ready() || superseded());
   return fences_.is_due(node_ ? &node_->where : nullptr, moves ? &target->run_id : nullptr);
}

}  // namespace holdfast::impl
