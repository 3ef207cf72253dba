#include "client/shared_thread.hpp"

#include "runtime/shared/blocked_signals.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace holdfast::impl {

shared_thread::shared_thread(const config& c, std::shared_ptr<watch_thread> watch, std::uint64_t seed, counters& counts)
   : observer_(c.observer),
     most_bytes_(c.limits.parked_bytes),
     watch_(std::move(watch)),
     engine_(c, seed, watch_ ? topology_source::elsewhere : topology_source::own, callers::many, &counts),
     loop_(engine_, observer_, {.servers = c.name_servers}),
     mailbox_(watch_ ? subscriber_.emplace(watch_->mailbox()).wakes() : own_waker_),
     process_(this_process()) {
   if (subscriber_)
      loop_.follow(*subscriber_);
   else
      loop_.woken_by(own_waker_);
   const all_signals_blocked during_its_start;
   thread_ = std::thread([this] { work(); });
}

shared_thread::~shared_thread() {
   ends_ = true;
   wakes().wake();
   thread_.join();
}

std::shared_ptr<shared_thread> shared_thread::start(const config& c, std::shared_ptr<watch_thread> watch,
                                                    std::uint64_t seed, counters& counts) {
   return {new shared_thread(c, std::move(watch), seed, counts), [](shared_thread* t) {
              if (is_this_process(t->process_)) delete t;
           }};
}

// ---- for callers --------------------------------------------------------------------------------------------------

void shared_thread::run(shared_call& call, const std::stop_token& stop) {
   call.post_to(mailbox_);
   if (!stop.stop_possible()) return call.wait();
   {
      const std::stop_callback cancels(stop, [&] { call.cancel_by(mailbox_); });
      call.wait();
   }
   call.wait();  // for a stop that was requested when the call had ended
}

// ---- in the thread ------------------------------------------------------------------------------------------------

void shared_thread::work() {
   if (subscriber_) subscriber_->enter();
   loop_.catch_up();
   loop_.run([this] { return step(); }, nullptr);
   end_all();
   if (subscriber_) subscriber_->leave();
   loop_.leave();
}

// All that is there to be done before the thread sleeps; true once it is to end. Callers whose calls end without I/O
// may post without a pause: after some rounds the connections have their turn.
bool shared_thread::step() {
   constexpr int most_rounds = 8;
   for (int round = 0; !ends_; ++round) {
      if (round == most_rounds) {
         wakes().wake();
         return false;
      }
      bool is_first = true;
      mailbox_.read([&](letter& l) {
         if (std::exchange(is_first, false)) loop_.pass_time();
         read(static_cast<request&>(l));
      });
      take_done();
      if (!waiting_.empty() || first_end_ != never) let_in();
      if (!engine_.has_done() && mailbox_.fall_asleep()) return false;
   }
   return true;
}

void shared_thread::read(request& r) {
   shared_call& call = r.call;
   if (!r.cancels) {
      begin(call);
   } else if (const auto place = std::find(waiting_.begin(), waiting_.end(), &call); place != waiting_.end()) {
      waiting_.erase(place);
      call.refuse(engine_, error(errc::cancelled, outcome::not_executed), loop_.time());
   } else if (!call.is_over()) {
      call.cancel(engine_, loop_.time());
   }
   call.read(r);
}

void shared_thread::begin(shared_call& call) {
   if (call.waits_for_room() && (!waiting_.empty() || must_wait(call)))
      waiting_.push_back(&call);
   else
      call.begin(engine_, ++groups_, loop_.time());
}

void shared_thread::take_done() {
   while (operation* const op = engine_.take_done(loop_.time()))
      static_cast<shared_call*>(op->owner)->took(engine_, *op, loop_.time());
}

// A command that can never have room is refused by the engine.
bool shared_thread::must_wait(const shared_call& call) const {
   const std::size_t bytes = call.first_bytes();
   return bytes <= most_bytes_ && !engine_.lane().has_room(bytes);
}

// In their order. One whose deadline passes meanwhile has not been tried.
void shared_thread::let_in() {
   while (!waiting_.empty() && !must_wait(*waiting_.front())) {
      shared_call& call = *waiting_.front();
      waiting_.pop_front();
      call.begin(engine_, ++groups_, loop_.time());
   }
   if (loop_.time() >= first_end_) {
      const auto late = std::stable_partition(waiting_.begin(), waiting_.end(),
                                              [&](const auto* call) { return loop_.time() < end_of(*call); });
      const std::vector<shared_call*> ended(late, waiting_.end());
      waiting_.erase(late, waiting_.end());
      for (shared_call* call : ended)
         call->refuse(engine_, {errc::deadline_exceeded, outcome::not_executed, "the queue was full until then"},
                      loop_.time());
   }
   first_end_ = never;
   for (const shared_call* call : waiting_) first_end_ = std::min(first_end_, end_of(*call));
   loop_.at_most_until(first_end_);
}

time_point shared_thread::end_of(const shared_call& call) const {
   return after(call.terms().given, call.terms().deadline.value_or(engine_.lane().default_deadline()));
}

void shared_thread::end_all() {
   const error why(errc::cancelled, outcome::not_executed, "the client is being destroyed");
   do {
      mailbox_.read([this](letter& l) { read(static_cast<request&>(l)); });
      for (shared_call* call : std::exchange(waiting_, {})) call->refuse(engine_, why, loop_.time());
      engine_.cancel_all(loop_.time());
      take_done();
   } while (!mailbox_.fall_asleep() || engine_.has_done());
}

}  // namespace holdfast::impl
