// Parts of a client: the engine, and poll() to run it in the caller's thread; and parts of a deployment that clients
// share.
#pragma once

#include "client/list_call.hpp"
#include "core/counters.hpp"
#include "engine/engine.hpp"
#include "runtime/poll/loop.hpp"
#include "runtime/poll/watch_thread.hpp"
#include "runtime/shared/process.hpp"
#include "runtime/shared/view_mailbox.hpp"

#include <holdfast/client.hpp>
#include <holdfast/deployment.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace holdfast {

std::uint64_t fresh_seed();
config checked(config);  // throws `failure` if it is not valid
error left_behind();     // of a deployment, and its clients, in a child that was forked since

// Of a client of a deployment: its configuration, at home there, and the thread that asks the Sentinels (null where
// there are none). They throw as `deployment::body` does.
config placed(const deployment&, config);
std::shared_ptr<impl::watch_thread> watch_of(const deployment&);

struct deployment::body {
   explicit body(config);
   // `c`, at home in this deployment.
   config placed(config c) const;
   // Starts with the first that asks for it; null where there are no Sentinels. Throws `failure` in a child
   // that was forked since (errc::not_supported).
   std::shared_ptr<impl::watch_thread> watch();

   const config settings;

 private:
   std::mutex mutex_;
   std::shared_ptr<impl::watch_thread> watch_;
   std::atomic<bool> asked_for_ = false;  // set before the lock is taken: a forked child must not wait for that
   const impl::process_number process_ = impl::this_process();
};

namespace impl {
class client_lane;
}

struct client::body {
   explicit body(config, std::shared_ptr<impl::watch_thread> shared = nullptr);
   ~body();
   body(const body&) = delete;
   body& operator=(const body&) = delete;

   // For as long as a caller is inside; only one is let in. In a forked child the first one finds all begun anew.
   class visit {
    public:
      explicit visit(body& b) : body_(b), alone_(b.enter()) {
         if (alone_ && b.subscriber) b.subscriber->enter();
      }
      ~visit() {
         if (!alone_) return;
         if (body_.subscriber) body_.subscriber->leave();
         body_.busy_.store(false, std::memory_order_release);
      }
      visit(const visit&) = delete;
      visit& operator=(const visit&) = delete;

      bool is_alone() const { return alone_; }
      bool is_refused() const { return !alone_ || body_.left_behind_; }
      error refusal() const;

    private:
      body& body_;
      bool alone_;
   };
   using alarm = std::optional<impl::stop_alarm>;

   // Why the call ends before it begins; if not at all, `a` rings when its caller wants it to stop.
   std::optional<error> refusal(const visit&, const call_options&, alarm& a);
   impl::call_terms terms(const call_options&, time_point given) const;
   // `by` null: on the client's own lane.
   void run_one(const command&, result<value>& reply, const impl::reply_reader&, const call_options&, const alarm&,
                impl::client_lane* by = nullptr);
   void run_list(std::span<const command>, const impl::list_places&, const call_options&, time_point given,
                 impl::client_lane* by = nullptr);
   void wait_for_events(duration at_most, const std::stop_token&);

   // Takes in what happens meanwhile.
   void let_pass(time_point until, const std::stop_token&);
   // Until `done`; a stop request calls `cancel`, once, after which `done` is to be true soon.
   template <class Done, class Cancel>
   void wait_until(Done&& done, const alarm& a, Cancel&& cancel) {
      if (loop().run(done, a ? &*a : nullptr)) return;
      cancel();
      loop().run(done, nullptr);
   }

   // Parts that are lost in a forked child: the connections, knowledge of the deployment, and what follows from both.
   struct machine {
      explicit machine(body&);
      impl::engine engine;
      impl::loop loop;
   };
   // Counted from 1.
   std::uint64_t machine_number() const { return machines_; }
   struct lent_lane {
      impl::lane_number number = 0;
      std::uint64_t machine = 0;
   };
   // At once, or where the observer of a call gives it back, behind that call.
   void give_back(const visit&, const lent_lane&);
   void give_back_left();
   impl::engine& engine() { return machine_->engine; }
   impl::loop& loop() { return machine_->loop; }

   impl::counters counts;  // first: the machine writes it to its end
   config settings;
   std::shared_ptr<impl::watch_thread> shared;       // null: the engine has a watch of its own
   std::optional<impl::view_subscriber> subscriber;  // at the mailbox of `shared`
   std::vector<impl::list_operation> window;         // of the list that is run

 private:
   bool enter() {
      if (busy_.exchange(true, std::memory_order_acquire)) return false;
      owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
      if (!impl::is_this_process(process_)) [[unlikely]]
         begin_anew();
      return true;
   }
   void begin_anew();

   std::unique_ptr<machine> machine_;
   impl::process_number process_ = impl::this_process();
   std::atomic<bool> busy_ = false;  // a caller is inside
   std::atomic<std::thread::id> owner_{};
   bool left_behind_ = false;  // in a forked child, by the deployment's thread
   std::uint64_t machines_ = 1;
   std::vector<lent_lane> left_;  // to be given back
};

}  // namespace holdfast
