#include "client/async/async_core.hpp"

#include "client/async/async_list_call.hpp"
#include "core/assertion.hpp"
#include "engine/settings.hpp"
#include "runtime/shared/clock.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <new>
#include <string>
#include <system_error>
#include <utility>

namespace holdfast::impl {

namespace net = boost::asio;

namespace {

// The core whose handlers this thread is running: what they give is taken when they are done.
[[gnu::tls_model("initial-exec")]] thread_local constinit async_core* batching = nullptr;

class batching_here {
 public:
   explicit batching_here(async_core& c) : before_(std::exchange(batching, &c)) {}
   ~batching_here() { batching = before_; }
   batching_here(const batching_here&) = delete;
   batching_here& operator=(const batching_here&) = delete;

 private:
   async_core* before_;
};

constexpr std::size_t most_handlers_at_once = 1024;  // then others of the context have their turn

operation& operation_of(async_command& c) {
   static_assert(sizeof(operation) <= async_command::place_size);
   static_assert(alignof(operation) <= alignof(std::max_align_t));
   return *std::launder(reinterpret_cast<operation*>(c.place));
}

// What a handler of a batch gives is taken in as soon as that is through: it is enough to know then when it was given.
// But a deadline of its own counts from now.
template <class Call>
void note_time(Call& c, bool in_batch) {
   if (!in_batch || c.options.deadline) c.given = now();
}

error in_child(outcome o) {
   return {errc::not_supported, o,
           "this process was forked: the client belongs to its parent; make a new one, of a new deployment"};
}

// A call that completes without its core.
class lone_call {
 public:
   explicit lone_call(async_call& c) noexcept : call_(&c) {}
   lone_call(lone_call&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
   lone_call& operator=(lone_call&&) = delete;
   ~lone_call() {
      if (call_ != nullptr) call_->drop();
   }
   void operator()() { std::exchange(call_, nullptr)->complete(); }

 private:
   async_call* call_;
};

}  // namespace

// Calls that have ended, on their way to their handlers. If one of these throws, the rest has another turn.
class async_core::batch {
 public:
   explicit batch(async_core& c) : core_(c) {}
   ~batch() {
      if (calls_.empty()) return;
      {
         const std::lock_guard lock(core_.mutex_);
         core_.ended_.push_front(calls_);
      }
      core_.post_turn();
   }
   batch(const batch&) = delete;
   batch& operator=(const batch&) = delete;

   void take(call_queue& from) {
      if (calls_.empty() && from.size() <= most_handlers_at_once) return calls_.push_front(from);
      for (std::size_t n = 0; n < most_handlers_at_once; ++n) {
         async_call* const c = from.pop_front();
         if (c == nullptr) return;
         calls_.push_back(*c);
      }
   }
   bool empty() const { return calls_.empty(); }
   async_call* next() { return calls_.pop_front(); }

 private:
   async_core& core_;
   call_queue calls_;
};

async_core::async_core(net::any_io_executor executor, config c, std::uint64_t seed, std::shared_ptr<void> keeps,
                       view_mailbox* views)
   : runner_owner(std::move(executor)),
     settings_(std::move(c)),
     contexts_(net::use_service<async_contexts>(context())),
     keeps_(std::move(keeps)),
     views_(views),
     engine_(settings_, seed, views != nullptr ? topology_source::elsewhere : topology_source::own, callers::many) {
   contexts_.add(*this);
}

async_core::~async_core() {
   if (!abandoned_) contexts_.remove(*this);
   drop_all();
}

// In a forked child it stays as it is: a thread that was inside may have left it half done.
void async_core::end() noexcept {
   if (is_here()) delete this;
}

async_core::machine::machine(async_core& c)
   : subscriber([&]() -> std::optional<view_subscriber> {
        if (c.views_ == nullptr) return std::nullopt;
        return std::optional<view_subscriber>(std::in_place, *c.views_);
     }()),
     runner(c, c.engine_, c.settings_.observer, {.servers = c.settings_.name_servers},
            subscriber ? &*subscriber : nullptr) {}

// ---- by any thread -------------------------------------------------------------------------------------------------

void async_core::submit(async_call& c) noexcept {
   if (!is_here()) [[unlikely]]
      return refuse_in_child(c);
   if (abandoned_.load(std::memory_order_relaxed)) [[unlikely]] {
      if (c.has_canceller) forget_canceller(c);
      return c.drop();
   }
   if (c.what == async_call::kind::command)
      note_time(static_cast<async_command&>(c), batching == this);
   else if (c.what == async_call::kind::list)
      note_time(static_cast<async_list&>(c), batching == this);
   work_started();
   push(c);
}

void async_core::cancel_all() {
   if (is_here() && !abandoned_) push(*new note(async_call::kind::cancel_all));
}

void async_core::leave() noexcept {
   if (is_here() && !abandoned_) push(leaving_);
}

void async_core::push(async_call& c) noexcept {
   c.next = given_.load(std::memory_order_relaxed);
   while (!given_.compare_exchange_weak(c.next, &c, std::memory_order_seq_cst, std::memory_order_relaxed)) {
   }
   if (batching != this) post_turn();
}

// Either it finds that a turn is posted, which then finds what was pushed before; or it posts one.
// NOLINTNEXTLINE(bugprone-exception-escape): where no memory is left for a turn, the program ends
void async_core::post_turn() noexcept {
   if (posted_.load(std::memory_order_seq_cst) || posted_.exchange(true, std::memory_order_seq_cst)) return;
   net::post(executor(), [self = owner_ref<async_core>(*this)] { self->turn(); });
}

// NOLINTNEXTLINE(bugprone-exception-escape): as above
void async_core::refuse_in_child(async_call& c) noexcept {
   c.fail(in_child(outcome::not_executed));
   net::post(executor(), lone_call(c));
}

// ---- on the executor -----------------------------------------------------------------------------------------------

void async_core::turn() {
   posted_.store(false, std::memory_order_seq_cst);
   enter([this] { machine_->runner.catch_up(); });
}

void async_core::happened(const io_event& e) {
   enter([&] { machine_->runner.on(e); });
}

template <class Event>
void async_core::enter(Event&& event) {
   if (!is_here()) return end_in_child();
   batch done(*this);
   try {
      const std::lock_guard lock(mutex_);
      if (abandoned_) return;
      if (machine_) {
         machine_->runner.begin();
         event();
      }
      work();
      done.take(ended_);
   } catch (...) {  // of the observer
      post_turn();
      throw;
   }
   run(done);
}

void async_core::run(batch& done) {
   if (done.empty()) return;
   bool more = false;
   try {
      {
         const batching_here mark(*this);
         while (async_call* const c = done.next()) {
            if (c->has_canceller) forget_canceller(*c);
            work_finished();
            c->complete();
         }
      }
      const std::lock_guard lock(mutex_);
      if (abandoned_) return;
      if (machine_) machine_->runner.begin();
      work();
      more = !ended_.empty();
   } catch (...) {  // of a handler, or of the observer: what was given is taken all the same
      post_turn();
      throw;
   }
   if (more) post_turn();
}

// ---- under the mutex -----------------------------------------------------------------------------------------------

void async_core::work() {
   take_given();
   take_cancelled();
   while (machine_) {
      machine_->runner.step();
      // A list that went on may have requests and deadlines of its own, and no I/O yet.
      if (!take_done() && !engine_.has_io() && engine_.events().empty()) break;
   }
   if (closing_) close_if_idle();
}

void async_core::take_given() {
   async_call* c = given_.exchange(nullptr, std::memory_order_seq_cst);
   async_call* oldest = nullptr;
   while (c != nullptr) {
      async_call* const older = std::exchange(c->next, oldest);
      oldest = std::exchange(c, older);
   }
   while (oldest != nullptr) {
      async_call* const next = std::exchange(oldest->next, nullptr);
      take(*oldest);
      oldest = next;
   }
}

void async_core::take(async_call& c) {
   c.begun = true;
   const bool is_command = c.what == async_call::kind::command;
   if (is_command || c.what == async_call::kind::list) {
      if (closing_) return refuse(c, {errc::cancelled, outcome::not_executed, "the client was closed before"});
      if (machine_ == nullptr && !make_machine(c)) return;
      return is_command ? begin(static_cast<async_command&>(c)) : begin(static_cast<async_list&>(c));
   }
   if (c.what == async_call::kind::cancel_all) {
      delete static_cast<note*>(&c);
      return end_all();
   }
   closing_ = true;
   if (c.what == async_call::kind::close) return closing_calls_.push_back(c);
   end_all();
}

// For the first call; false: that has ended instead.
bool async_core::make_machine(async_call& c) {
   try {
      machine_ = std::make_unique<machine>(*this);
      machine_->runner.begin();
      return true;
   } catch (const std::system_error& e) {
      refuse(c, {e.code(), outcome::not_executed, "no descriptor to wait with"});
   } catch (const boost::system::system_error& e) {  // Asio's, which is none of std's
      refuse(c, {std::error_code(e.code()), outcome::not_executed, "no descriptor to wait with"});
   }
   machine_.reset();
   return false;
}

namespace {

error acks_not_built() { return {errc::not_supported, outcome::not_executed, "async_options::acks is not built yet"}; }

}  // namespace

void async_core::begin(async_command& c) {
   if (c.options.acks != 0) return refuse(c, acks_not_built());
   auto& op = *::new (static_cast<void*>(c.place)) operation;
   op.owner = static_cast<async_call*>(&c);
   op.commands = {&c.asked, 1};
   op.results = &c.reply;
   op.reader = c.reader;
   set_terms(op, terms(c.options, c.given));
   ++under_way_;
   engine_.submit(op, machine_->runner.time());
}

void async_core::begin(async_list& c) {
   if (c.options.acks != 0) return refuse(c, acks_not_built());
   if (c.asked.empty()) return ended(c);
   c.under_way = new async_list_call(c, terms(c.options, c.given), parked_commands(settings_, callers::many));
   lists_.push_back(c.under_way);
   ++under_way_;
   go_on(*c.under_way);
}

// Each call is an order group of its own.
call_terms async_core::terms(const async_options& o, time_point given) {
   // The turn's own time was read before it took this in.
   const time_point t = machine_->runner.time();
   if (given == time_point{} || given > t) given = t;
   return {o.delivery.value_or(settings_.delivery), o.deadline, given, ++groups_};
}

void async_core::go_on(async_list_call& l) {
   l.submit_more(engine_, machine_->runner.time());
   if (!l.is_over()) return;
   async_list& c = l.call();
   std::erase(lists_, &l);
   delete std::exchange(c.under_way, nullptr);
   --under_way_;
   ended(c);
}

void async_core::refuse(async_call& c, const error& e) {
   c.fail(e);
   ended(c);
}

void async_core::ended(async_call& c) {
   c.ended = true;
   ended_.push_back(c);
}

bool async_core::take_done() {
   const time_point t = machine_->runner.time();
   bool went_on = false;
   while (operation* const op = engine_.take_done(t)) {
      auto& c = *static_cast<async_call*>(op->owner);
      if (c.what == async_call::kind::command) {
         op->~operation();
         --under_way_;
         ended(c);
      } else {
         async_list_call& list = *static_cast<async_list&>(c).under_way;
         list.took(static_cast<list_operation&>(*op));
         go_on(list);
         went_on = true;
      }
   }
   return went_on;
}

void async_core::end_all() {
   if (!machine_) return;
   for (async_list_call* list : lists_) list->stop();
   engine_.cancel_all(machine_->runner.time());
}

// All before it have ended, or the client has left.
void async_core::close_if_idle() {
   if (under_way_ != 0) return;
   machine_.reset();
   while (async_call* const c = closing_calls_.pop_front()) ended(*c);
}

// Everything that was not completed, without calling a handler.
void async_core::drop_all() noexcept {
   call_queue all;
   {
      const std::lock_guard lock(mutex_);
      closing_ = true;
      take_given();
      if (machine_) {
         end_all();
         take_done();
         machine_.reset();
      }
      close_if_idle();
      all.push_front(ended_);
   }
   while (async_call* const c = all.pop_front()) {
      if (c->has_canceller) forget_canceller(*c);
      c->drop();
   }
}

void async_core::abandon() noexcept {
   if (!is_here()) return;
   abandoned_ = true;
   drop_all();
}

// ---- cancellation of single calls ----------------------------------------------------------------------------------

void async_core::cancel(async_cancel& by, net::cancellation_type type) noexcept {
   if (!is_here() || type == net::cancellation_type::none) return;
   {
      const std::lock_guard lock(cancelling_);
      async_call* const c = by.call_;
      if (c == nullptr) return;
      c->even_if_sent = c->even_if_sent || (type & ~net::cancellation_type::total) != net::cancellation_type::none;
      if (!std::exchange(c->cancelled, true)) c->next_cancelled = std::exchange(cancelled_, c);
      has_cancelled_.store(true, std::memory_order_relaxed);
   }
   if (batching != this) post_turn();
}

// The slot is used for something else, or gone.
void async_core::detach(async_cancel& c) noexcept {
   if (!is_here()) return;
   const std::lock_guard lock(cancelling_);
   if (c.call_ != nullptr) c.call_->canceller = nullptr;
}

// The call has ended.
void async_core::forget_canceller(async_call& c) noexcept {
   const std::lock_guard lock(cancelling_);
   if (c.canceller != nullptr) c.canceller->call_ = nullptr;
   c.canceller = nullptr;
   if (!c.cancelled) return;
   for (async_call** at = &cancelled_; *at != nullptr; at = &(*at)->next_cancelled) {
      if (*at != &c) continue;
      *at = c.next_cancelled;
      return;
   }
}

void async_core::take_cancelled() {
   if (!has_cancelled_.load(std::memory_order_relaxed)) return;
   for (;;) {
      bool even_if_sent = false;
      async_call* c = nullptr;
      {
         const std::lock_guard lock(cancelling_);
         if (cancelled_ == nullptr) return has_cancelled_.store(false, std::memory_order_relaxed);
         if (cancelled_->begun) {
            c = std::exchange(cancelled_, cancelled_->next_cancelled);
            c->cancelled = false;
            even_if_sent = c->even_if_sent;
            if (c->ended) continue;  // from here on another thread may free it
         }
      }
      if (c == nullptr) {  // given a moment ago
         take_given();
         continue;
      }
      const time_point t = machine_ ? machine_->runner.time() : time_point{};
      if (c->what == async_call::kind::command) {
         auto& op = operation_of(static_cast<async_command&>(*c));
         const bool not_executed = op.is == operation::state::queued && !op.may_have_run;
         if (even_if_sent || not_executed) engine_.cancel(op, t);
      } else if (c->what == async_call::kind::list) {
         auto& list = static_cast<async_list&>(*c);
         list.under_way->cancel(engine_, even_if_sent, t);
         go_on(*list.under_way);
      }
   }
}

// ---- in a forked child ---------------------------------------------------------------------------------------------

// What was given before the fork is its parent's to carry out. A thread that was inside then is not here to unlock.
void async_core::end_in_child() {
   batch done(*this);
   {
      const std::unique_lock lock(mutex_, std::try_to_lock);
      if (!lock) return;
      closing_ = true;
      take_given();
      if (machine_) {
         end_all();
         take_done();
         machine_.reset();
      }
      close_if_idle();
      call_queue theirs;
      while (async_call* const c = ended_.pop_front()) {
         c->fail(in_child(outcome::unknown));
         theirs.push_back(*c);
      }
      done.take(theirs);
      ended_.push_front(theirs);
      if (!ended_.empty()) post_turn();
   }
   while (async_call* const c = done.next()) {
      work_finished();
      c->complete();
   }
}

// ---- what async_call.hpp declares ----------------------------------------------------------------------------------

async_core_ref::async_core_ref(const async_core_ref& other) noexcept : to_(other.to_) {
   if (to_ != nullptr) to_->retain();
}
void async_core_ref::release() noexcept { to_->release(); }
const net::any_io_executor& async_core_ref::executor() const noexcept { return to_->executor(); }

async_cancel::~async_cancel() { (*core_).detach(*this); }
void async_cancel::operator()(net::cancellation_type type) noexcept { (*core_).cancel(*this, type); }

void submit(const async_core_ref& core, async_call& c) noexcept { (*core).submit(c); }
void cancel_all(const async_core_ref& core) { (*core).cancel_all(); }
void leave(const async_core_ref& core) noexcept { (*core).leave(); }
stats stats_of(const async_core_ref& core) { return (*core).stats(); }

}  // namespace holdfast::impl
