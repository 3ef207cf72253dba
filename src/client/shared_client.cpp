#include "client/impl.hpp"
#include "client/place_for.hpp"
#include "client/shared_call.hpp"
#include "client/shared_thread.hpp"
#include "engine/settings.hpp"

#include <holdfast/shared_client.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace holdfast {

struct shared_client::body {
   explicit body(config c, std::optional<deployment> d = std::nullopt)
      : settings(std::move(c)), of(std::move(d)), window(impl::parked_commands(settings, impl::callers::many)) {}

   // The thread, or why there is none for this call.
   impl::shared_thread* thread(const call_options&, std::optional<error>& why);
   impl::call_terms terms(const call_options& o, time_point given) const {
      return {.delivery = o.delivery.value_or(settings.delivery), .deadline = o.deadline, .given = given};
   }
   void run_list(std::span<const command>, const impl::list_places&, const call_options&, time_point given);

   const config settings;
   const std::optional<deployment> of;
   impl::counters counts;     // the thread's
   const std::size_t window;  // commands of a list that are under way at a time, at most

 private:
   impl::shared_thread* started();

   std::mutex mutex_;
   std::atomic<impl::shared_thread*> started_ = nullptr;
   std::atomic<bool> asked_for_ = false;  // set before the lock is taken: a forked child must not wait for that
   std::shared_ptr<impl::shared_thread> thread_;
   std::atomic<impl::process_number> process_ = impl::this_process();
};

shared_client::shared_client(std::string_view uri) : shared_client(config::from_uri(uri).value()) {}
shared_client::shared_client(config c) : body_(std::make_unique<body>(checked(std::move(c)))) {}
shared_client::shared_client(const deployment& d) : shared_client(d, d.settings()) {}
shared_client::shared_client(const deployment& d, config c)
   : body_(std::make_unique<body>(checked(placed(d, std::move(c))), d)) {}
shared_client::~shared_client() = default;

// ---- what every call begins with ----------------------------------------------------------------------------------

impl::shared_thread* shared_client::body::thread(const call_options& options, std::optional<error>& why) {
   impl::shared_thread* t = started_.load(std::memory_order_acquire);
   if (options.acks != 0) {
      why.emplace(errc::not_supported, outcome::not_executed, "call_options::acks is not built yet");
   } else if (!impl::is_this_process(process_) && asked_for_) {
      why.emplace(errc::not_supported, outcome::not_executed,
                  "this process was forked: the client's thread is in its parent; make a new client");
   } else if (t != nullptr && t->is_this_thread()) {
      why.emplace(errc::concurrent_use, outcome::not_executed, "its own observer calls it");
   } else if (options.stop.stop_requested()) {
      why.emplace(errc::cancelled, outcome::not_executed);
   } else {
      try {
         return t != nullptr ? t : started();
      } catch (const failure& e) {
         why = e.error();
      } catch (const std::system_error& e) {
         why.emplace(e.code(), outcome::not_executed, "no descriptor or no thread left for the client's thread");
      }
   }
   return nullptr;
}

impl::shared_thread* shared_client::body::started() {
   asked_for_ = true;
   const std::lock_guard lock(mutex_);
   if (!thread_) {
      thread_ = impl::shared_thread::start(settings, of ? watch_of(*of) : nullptr, fresh_seed(), counts);
      process_ = impl::this_process();
      started_.store(thread_.get(), std::memory_order_release);
   }
   return thread_.get();
}

// ---- calls --------------------------------------------------------------------------------------------------------

void shared_client::run_into(const command& c, result<value>& reply, const impl::reply_reader& reader,
                             const call_options& options) {
   std::optional<error> why;
   impl::shared_thread* const t = body_->thread(options, why);
   if (t == nullptr) {
      reply = *why;
      return;
   }
   impl::shared_single call(c, reply, reader, body_->terms(options, impl::now()), options.wait_for_room);
   t->run(call, options.stop);
}

void shared_client::run_list_into(std::span<const command> commands, std::vector<result<value>>& replies,
                                  const call_options& options) {
   const time_point given = impl::now();
   replies = impl::place_for(commands.size());
   body_->run_list(commands, {.values = replies.data()}, options, given);
}

void shared_client::run_list_into(std::span<const command> commands, const impl::list_places& places,
                                  const call_options& options) {
   body_->run_list(commands, places, options, impl::now());
}

void shared_client::body::run_list(std::span<const command> commands, const impl::list_places& places,
                                   const call_options& options, time_point given) {
   std::optional<error> why;
   impl::shared_thread* const t = thread(options, why);
   if (t == nullptr) {
      for (std::size_t i = 0; i < commands.size(); ++i) places.fail(i, error(*why));
      return;
   }
   impl::shared_list call(commands, places, terms(options, given), window);
   t->run(call, options.stop);
}

stats shared_client::stats() const { return body_->counts.snapshot(); }

// ---- where things are ---------------------------------------------------------------------------------------------

result<endpoint> shared_client::master(const call_options& options) {
   using namespace std::chrono_literals;
   const time_point begin = impl::now();
   call_options left = options;
   for (duration pause = 10ms;; pause = std::min<duration>(pause * 2, 250ms)) {
      auto answered = ping(left);
      if (!answered && answered.error().code() != errc::server_error) {
         answered.error().elapsed = impl::now() - begin;
         return answered.error();
      }
      std::optional<error> why;
      impl::shared_thread* const t = body_->thread({}, why);
      if (t == nullptr) return *why;
      impl::shared_look look;
      t->run(look, {});
      if (look.is_ready) return look.where;
      // The connection ended with its answer. Another one is looked for, but not at once.
      const time_point end = after(begin, options.deadline.value_or(look.default_deadline));
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait_for(lock, options.stop, std::min(pause, end - impl::now()),
                                             [] { return false; });
      left.deadline = end - impl::now();
      if (*left.deadline > duration::zero()) continue;
      error e(errc::deadline_exceeded, outcome::not_executed);
      e.where = look.where;
      e.elapsed = impl::now() - begin;
      e.causes.push_back(to_string(e.where) + ": answered, and each connection ended with its answer");
      return e;
   }
}

}  // namespace holdfast
