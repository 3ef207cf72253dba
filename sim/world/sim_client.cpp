#include "sim/world/sim_client.hpp"

#include <algorithm>

namespace holdfast::sim {

sim_client::sim_client(shared_state& f, checkers& c, runtime_user& w, std::uint32_t number, host_id host,
                       const config& settings, const workload& work, std::uint64_t seed)
   : client(f, c, w, number, host, settings, seed, work.posts ? impl::callers::many : impl::callers::one),
     settings_(work),
     chance_(seed ^ 0x77) {}

void sim_client::start() {
   for (unsigned i = 0; i < settings_.depth; ++i) plan_next();
}

void sim_client::plan_next() {
   if (stopping_) return;
   duration pause = chance_.between(settings_.pause_low, settings_.pause_high);
   if (chance_.chance(settings_.idles)) pause = chance_.between(1s, 8s);
   shared_.time.in(pause, {.a = number_, .kind = what::client_next});
}

void sim_client::next() {
   if (stopping_) return;
   if (frozen_) {
      ++planned_;
      return;
   }
   const terms t = draw_terms(false);
   if (chance_.chance(settings_.lists)) return give_list(t);
   const std::array kinds{static_cast<call_kind>(draw(settings_.kinds))};
   give(kinds, t);
}

void sim_client::cancel(call_number n) {
   call* const c = find_active(n);
   if (c == nullptr || frozen_) return;
   if (settings_.posts)
      post(n, true);
   else
      client::cancel(*c);
}

// ---- letters ------------------------------------------------------------------------------------------------------

void sim_client::post(call_number n, bool cancels) {
   if (letters_.empty()) shared_.time.in(chance_.between(1us, 300us), {.a = number_, .kind = what::client_mail});
   mailbox_.post(letters_.emplace_back(n, cancels));
}

// As its thread does it: all that was posted, in order; then what is there on its connections.
void sim_client::read_mail() {
   if (frozen_) return;
   mailbox_.read([this](impl::letter& l) {
      if (&l != &letters_.front()) checkers_.broken("letters are read in another order than they were posted in");
      call* const c = find_active(letters_.front().number);
      const bool cancels = letters_.front().cancels;
      letters_.pop_front();
      if (c == nullptr) return;  // it has ended meanwhile, and its caller had asked for its end
      if (cancels)
         client::cancel(*c);
      else
         submit(*c);
   });
   carry_out();
}

void sim_client::submit(call& c) {
   brain.submit(c.op, now());
   take_done();  // one that is refused
}

void sim_client::last_call() {
   stopping_ = true;
   last_ok_ = false;
   const std::array kinds{call_kind::set};
   give(kinds, draw_terms(true));
}

unsigned sim_client::draw(std::span<const unsigned> weights) {
   unsigned sum = 0;
   for (const unsigned w : weights) sum += w;
   std::uint32_t at = chance_.below(sum);
   unsigned i = 0;
   while (at >= weights[i]) at -= weights[i++];
   return i;
}

sim_client::terms sim_client::draw_terms(bool last) {
   terms t;
   t.last = last;
   if (settings_.many_callers) t.group = ++groups_;
   t.default_deadline = !settings_.deadline && !last;
   if (last)
      t.deadline = now() + 120s;
   else if (settings_.deadline)
      t.deadline = now() + *settings_.deadline;
   if (!last && chance_.chance(settings_.short_deadlines)) {
      t.default_deadline = false;
      t.deadline = now() + chance_.between(1ms, 300ms);
   }
   return t;
}

// Writes and reads of the same keys, in an order that their replies show; some of them in another database.
void sim_client::give_list(const terms& t) {
   std::array<call_kind, longest_list> kinds;
   std::size_t n = 0;
   const bool selects = settings_.kinds[static_cast<std::size_t>(call_kind::select)] != 0 && chance_.chance(0.5);
   if (selects) kinds[n++] = call_kind::select;
   const std::size_t size = chance_.from_to(2, longest_list - 2);
   while (n < size) {
      const bool reads = chance_.chance(0.4);
      kinds[n++] = reads ? call_kind::read : static_cast<call_kind>(draw(settings_.kinds));
   }
   kinds[n++] = call_kind::read;
   if (selects) kinds[n++] = call_kind::select;
   give(std::span(kinds).first(n), t);
}

void sim_client::give(std::span<const call_kind> kinds, const terms& t) {
   // A client that was away takes in first what came meanwhile.
   const bool was_looking = looks();
   ++active_;
   if (!was_looking) look();
   --active_;
   for (std::size_t i = 0; i < kinds.size(); ++i) {
      call& c = draw_call(kinds[i], t);
      c.plans_next = !t.last && i + 1 == kinds.size();
      if (settings_.posts)
         post(c.number, false);
      else
         submit(c);
   }
   carry_out();
}

client::call& sim_client::draw_call(call_kind kind, const terms& t) {
   constexpr std::array deliveries{delivery::automatic, delivery::at_most_once, delivery::at_least_once};
   const delivery promise = t.last ? delivery::automatic : deliveries[draw(settings_.deliveries)];
   const unsigned database = kind == call_kind::select ? chance_.below(2) : 0;
   call& c = prepare(kind, promise, t, database);
   if (!t.last && chance_.chance(settings_.cancels))
      shared_.time.in(chance_.spread(1ms, 3s), {.c = c.number, .a = number_, .kind = what::client_cancel});
   return c;
}

void sim_client::ended(call& c) {
   check_haste(c);
   if (c.is_last) last_ok_ = c.answers().back().has_value();
   if (c.plans_next) plan_next();
}

// While all is well and nothing waits, a command is answered at once, or after a connection was made for it. (What the
// other side has left must not be found out by waiting for a reply.)
void sim_client::check_haste(const call& c) {
   const duration took = now() - c.op.submitted;
   const duration most = 1900ms + (shared_.net.settings.latency + shared_.net.settings.jitter) * 20;
   if (!c.alone || c.was_away || checkers_.expects_lineages || took <= most || world_.well_for() < took) return;
   checkers_.broken("client " + std::to_string(number_) + " took " +
                    std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
                    " ms for number " + std::to_string(c.number) + ", though all was well and nothing else waited");
}

void sim_client::thaw() {
   const bool was_frozen = frozen_;
   client::thaw();
   if (!was_frozen) return;
   read_mail();
   for (; planned_ != 0; --planned_) shared_.time.in(1us, {.a = number_, .kind = what::client_next});
}

}  // namespace holdfast::sim
