// Commands that wait: BLPOP and BRPOP for somebody to push, WAIT for replicas.
#include "sim/servers/redis_model.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace holdfast::sim {

void redis_model::wait(session& s, waiting what_for, time_point until) {
   s.waits = what_for;
   s.waits_until = until;
   if (what_for == waiting::list) blocked_.push_back(s.connection);
   if (until != never) shared_.time.at(until, {.c = s.id, .a = host_, .b = s.connection, .kind = what::waited});
}

// It has its reply; what it sent meanwhile is looked at next.
void redis_model::woken(session& s) {
   if (s.waits == waiting::replicas) --waiting_for_replicas_;
   s.waits = waiting::nothing;
   woken_.push_back(s.connection);
   readable_.push_back(s.connection);
   want_turn();
}

void redis_model::on_waited(connection_id c, std::uint64_t client) {
   session* const s = sessions_.find(shared_.net, c);
   const bool waits = s != nullptr && s->id == client && (s->waits == waiting::list || s->waits == waiting::replicas);
   if (!waits || shared_.time.now() < s->waits_until) return;
   if (!shared_.net.works(host_)) {
      // Frozen: it looks at its clock when it wakes.
      shared_.time.in(50ms, {.c = client, .a = host_, .b = c, .kind = what::waited});
      return;
   }
   if (s->waits == waiting::list)
      add_nothing(*s);
   else
      add_integer(s->out, static_cast<long long>(acknowledged(s->waits_upto)));
   woken(*s);
}

// ---- for a list ---------------------------------------------------------------------------------------------------

void redis_model::run_blocking(session& s, const words& w, std::string_view raw, bool may_wait, std::string& out) {
   double seconds = 0;
   const std::string_view text = w.back();
   const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
   if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds))
      return add_error(out, "ERR timeout is not a float or out of range");
   if (seconds < 0) return add_error(out, "ERR timeout is negative");
   const std::size_t before = out.size();
   run_data(s, w, raw, out);
   if (out.size() != before) return;
   if (!may_wait) return add_nothing(s);
   s.waiting_command = raw;
   const auto time = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
   wait(s, waiting::list, seconds == 0 ? never : shared_.time.now() + time);
}

// Who has waited longest comes first.
void redis_model::serve_waiting() {
   std::vector<connection_id> queue;
   queue.swap(blocked_);
   for (const connection_id c : queue) {
      session* const s = sessions_.find(shared_.net, c);
      if (s == nullptr || s->waits != waiting::list) continue;
      words command;
      bool malformed = false;
      take_command(s->waiting_command, command, malformed);
      run_data(*s, command, s->waiting_command, s->out);
      if (s->out.empty())
         blocked_.push_back(c);
      else
         woken(*s);
   }
}

// ---- for replicas -------------------------------------------------------------------------------------------------

std::size_t redis_model::acknowledged(std::uint64_t offset) const {
   return static_cast<std::size_t>(
      std::count_if(replicas_.begin(), replicas_.end(), [&](const replica& r) { return r.acked >= offset; }));
}

void redis_model::wait_for_replicas(session& s, const words& w, bool may_wait) {
   if (!is_master())
      return add_error(s.out,
                       "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a "
                       "replica is configured to be writable (which is not the default) writes to replicas are just "
                       "local and are not propagated.");
   const auto wanted = read_integer(w[1]);
   if (!wanted) return add_error(s.out, "ERR value is not an integer or out of range");
   const auto ms = read_integer(w[2]);
   if (!ms) return add_error(s.out, "ERR timeout is not an integer or out of range");
   if (*ms < 0) return add_error(s.out, "ERR timeout is negative");
   const std::size_t there = acknowledged(s.wrote_upto);
   if (static_cast<long long>(there) >= *wanted || !may_wait) return add_integer(s.out, static_cast<long long>(there));
   s.waits_upto = s.wrote_upto;
   s.waits_for = static_cast<std::uint64_t>(*wanted);
   ++waiting_for_replicas_;
   wait(s, waiting::replicas, *ms == 0 ? never : shared_.time.now() + std::chrono::milliseconds(*ms));
   for (const replica& r : replicas_) shared_.post(host_, r.host, message::ask_ack, 0, 0, r.link);
}

void redis_model::on_ask_ack(const event& e) {
   if (e.a == master_ && e.e == link_generation_ && link_up())
      shared_.post(host_, e.a, message::acked, place_.offset, place_.branch, link_generation_);
}

void redis_model::on_acked(const event& e) {
   for (replica& r : replicas_) {
      const place at{static_cast<std::uint32_t>(e.d), e.c};
      if (r.host == e.a && r.link == e.e && shared_.past.leads_to(at, place_)) r.acked = std::max(r.acked, e.c);
   }
   count_acknowledgements();
   look_for_heir();
}

void redis_model::count_acknowledgements() {
   sessions_.each([&](session& s) {
      if (s.waits != waiting::replicas) return;
      const std::size_t there = acknowledged(s.waits_upto);
      if (there < s.waits_for) return;
      add_integer(s.out, static_cast<long long>(there));
      woken(s);
   });
}

// The master became a replica: nobody is to wait for it any longer.
void redis_model::end_waits() {
   sessions_.each([&](session& s) {
      if (s.waits != waiting::list && s.waits != waiting::replicas) return;
      add_error(s.out, "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)");
      woken(s);
      s.closing = true;
   });
   blocked_.clear();
}

}  // namespace holdfast::sim
