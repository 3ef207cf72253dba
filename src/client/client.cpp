#include "client/client_lane.hpp"
#include "client/impl.hpp"
#include "client/place_for.hpp"
#include "engine/settings.hpp"

#include <holdfast/client.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

namespace holdfast {
namespace {

std::optional<impl::view_subscriber> subscriber_of(impl::watch_thread* w) {
   if (w == nullptr) return std::nullopt;
   return std::optional<impl::view_subscriber>(std::in_place, w->mailbox());
}

}  // namespace

client::body::body(config c, std::shared_ptr<impl::watch_thread> w)
   : settings(std::move(c)),
     shared(std::move(w)),
     subscriber(subscriber_of(shared.get())),
     machine_(std::make_unique<machine>(*this)) {}

client::body::machine::machine(body& b)
   : engine(b.settings, fresh_seed(), b.subscriber ? impl::topology_source::elsewhere : impl::topology_source::own,
            impl::callers::one, &b.counts),
     loop(engine, b.settings.observer, {.servers = b.settings.name_servers}) {
   if (b.subscriber) loop.follow(*b.subscriber);
}

client::body::~body() {
   // Forked while another thread was inside: what that left half done can't be taken apart.
   if (busy_ && !impl::is_this_process(process_)) (void)machine_.release();
}

void client::body::begin_anew() {
   process_ = impl::this_process();
   if (left_behind_) return;  // in a child of a child: nothing was begun there
   const impl::session session = engine().lane().state();
   counts.begin_anew();
   machine_.reset();  // closes what it has inherited; its parent's connections don't notice
   left_behind_ = shared != nullptr;
   subscriber.reset();
   shared.reset();
   ++machines_;
   if (left_behind_) return;
   machine_ = std::make_unique<machine>(*this);
   engine().resume(session);
}

error client::body::visit::refusal() const {
   if (alone_) return left_behind();
   const char* why = "another thread is in it: a client is for one thread at a time, a shared_client is for many";
   if (!impl::is_this_process(body_.process_))
      why = "another thread was in it when this process was forked";
   else if (body_.owner_.load(std::memory_order_relaxed) == std::this_thread::get_id())
      why = "its own observer calls it";
   return {errc::concurrent_use, outcome::not_executed, why};
}

client::client(std::string_view uri) : client(config::from_uri(uri).value()) {}
client::client(config c) : body_(std::make_shared<body>(checked(std::move(c)))) {}
client::client(const deployment& d) : client(d, d.settings()) {}
client::client(const deployment& d, config c) {
   c = checked(placed(d, std::move(c)));
   body_ = std::make_shared<body>(std::move(c), watch_of(d));
}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

dedicated_client client::dedicated() { return dedicated_client(std::make_unique<impl::client_lane>(body_)); }

void client::run_into(const command& c, result<value>& reply, const impl::reply_reader& reader,
                      const call_options& options) {
   const body::visit here(*body_);
   body::alarm stop;
   if (const auto why = body_->refusal(here, options, stop))
      reply = *why;
   else
      body_->run_one(c, reply, reader, options, stop);
}

void client::run_list_into(std::span<const command> commands, std::vector<result<value>>& replies,
                           const call_options& options) {
   const time_point given = impl::now();  // the place for a million replies takes a while to make
   replies = impl::place_for(commands.size());
   body_->run_list(commands, {.values = replies.data()}, options, given);
}

void client::run_list_into(std::span<const command> commands, const impl::list_places& places,
                           const call_options& options) {
   body_->run_list(commands, places, options, impl::now());
}

// ---- what every call begins with ----------------------------------------------------------------------------------

std::optional<error> client::body::refusal(const visit& here, const call_options& options, alarm& a) {
   if (here.is_refused()) return here.refusal();
   if (options.stop.stop_requested()) return error(errc::cancelled, outcome::not_executed);
   if (options.acks != 0)
      return error(errc::not_supported, outcome::not_executed, "call_options::acks is not built yet");
   if (!options.stop.stop_possible()) return std::nullopt;
   try {
      a.emplace(options.stop);
   } catch (const std::system_error& e) {
      return error(e.code(), outcome::not_executed, "no descriptor for the stop token");
   }
   return std::nullopt;
}

impl::call_terms client::body::terms(const call_options& options, time_point given) const {
   return {.delivery = options.delivery.value_or(settings.delivery), .deadline = options.deadline, .given = given};
}

// ---- lanes of one's own ---------------------------------------------------------------------------------------------

void client::body::give_back(const visit& here, const lent_lane& l) {
   if (!here.is_alone()) {
      if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) left_.push_back(l);
      return;
   }
   if (left_behind_) return;
   give_back_left();
   if (l.machine != machines_) return;
   loop().pass_time();
   engine().give_back(l.number, loop().time());
   loop().leave();
}

void client::body::give_back_left() {
   for (const lent_lane& l : std::exchange(left_, {})) {
      if (l.machine == machines_) engine().give_back(l.number, loop().time());
   }
}

// ---- one command: no allocation, one write, one wait, one read -----------------------------------------------------

namespace {

// Calls `f` however a call is left: an operation must not outlive the frame that it stands on, not even when an
// observer throws.
template <class F>
class at_exit {
 public:
   explicit at_exit(F f) : f_(std::move(f)) {}
   ~at_exit() { f_(); }
   at_exit(const at_exit&) = delete;
   at_exit& operator=(const at_exit&) = delete;

 private:
   F f_;
};

}  // namespace

void client::body::run_one(const command& c, result<value>& reply, const impl::reply_reader& reader,
                           const call_options& options, const alarm& stop, impl::client_lane* by) {
   loop().catch_up();
   impl::operation op;
   op.commands = {&c, 1};
   op.results = &reply;
   op.reader = reader;
   set_terms(op, terms(options, loop().time()));
   if (by != nullptr) op.lane = by->number();
   const auto done = [&] {
      if (!op.done) return false;
      while (engine().take_done(loop().time()) != nullptr) {
      }
      return true;
   };
   const auto cancel = [&] { engine().cancel(op, loop().time()); };
   bool is_taken = false;
   const at_exit remember([&] {
      if (by != nullptr) by->remember();
   });
   const at_exit leave([&] {
      if (is_taken) return;
      const bool left = !op.done;
      if (left) cancel();
      done();  // also where it ended in the moment in which an observer threw
      if (left) loop().leave();
   });
   engine().submit(op, loop().time());
   wait_until(done, stop, cancel);
   is_taken = op.done;
}

// ---- a list --------------------------------------------------------------------------------------------------------

void client::body::run_list(std::span<const command> commands, const impl::list_places& places,
                            const call_options& options, time_point given, impl::client_lane* by) {
   const visit here(*this);
   alarm stop;
   if (const auto why = refusal(here, options, stop)) {
      for (std::size_t i = 0; i < commands.size(); ++i) places.fail(i, error(*why));
      return;
   }
   loop().catch_up();
   if (window.empty())
      window.resize(std::min(impl::list_call::window_size, impl::parked_commands(settings, impl::callers::one)));
   impl::call_terms its = terms(options, given);
   if (by != nullptr) its.lane = by->number();
   impl::list_call list(commands, places, its, window);
   const auto done = [&] {
      do {
         while (impl::operation* op = engine().take_done(loop().time()))
            list.took(static_cast<impl::list_operation&>(*op));
         list.submit_more(engine(), loop().time());
      } while (engine().has_done());
      return list.is_over();
   };
   const auto cancel = [&] {
      list.stop();
      engine().cancel_all(loop().time());
   };
   const at_exit remember([&] {
      if (by != nullptr) by->remember();
   });
   const at_exit leave([&] {
      if (!list.is_under_way()) return;
      cancel();
      while (engine().take_done(loop().time()) != nullptr) {
      }
      loop().leave();
   });
   wait_until(done, stop, cancel);
}

// ---- where things are ----------------------------------------------------------------------------------------------

result<endpoint> client::master(const call_options& options) {
   using namespace std::chrono_literals;
   const time_point begin = impl::now();
   call_options left = options;
   for (duration pause = 10ms;; pause = std::min<duration>(pause * 2, 250ms)) {
      // A PING goes through all that a command goes through; where it was answered is the master.
      auto answered = ping(left);
      if (!answered && answered.error().code() != errc::server_error) {
         answered.error().elapsed = impl::now() - begin;
         return answered.error();
      }
      const body::visit here(*body_);
      if (here.is_refused()) return here.refusal();
      const impl::command_lane& lane = body_->engine().lane(impl::route({"PING"}));
      if (lane.connection().ready()) return lane.where();
      // The connection was superseded, or ended, with its last answer: another one is looked for. Not at once: a server
      // that ends each connection after an answer would be dialled as fast as it goes.
      const time_point end = after(begin, options.deadline.value_or(lane.default_deadline()));
      body_->let_pass(std::min(after(impl::now(), pause), end), options.stop);
      left.deadline = end - impl::now();
      if (*left.deadline > duration::zero()) continue;
      error e(errc::deadline_exceeded, outcome::not_executed);
      e.where = lane.where();
      e.elapsed = impl::now() - begin;
      e.causes.push_back(to_string(e.where) + ": answered, and each connection ended with its answer");
      return e;
   }
}

stats client::stats() const { return body_->counts.snapshot(); }

void client::wait_for_events(time_span at_most, const std::stop_token& stop) {
   const body::visit here(*body_);
   if (here.is_refused()) throw failure(here.refusal());
   body_->wait_for_events(at_most, stop);
}

void client::body::wait_for_events(duration at_most, const std::stop_token& stop) {
   loop().catch_up();
   engine().discover(loop().time());
   let_pass(after(loop().time(), std::max(at_most, duration::zero())), stop);
}

void client::body::let_pass(time_point until, const std::stop_token& stop) {
   loop().catch_up();
   alarm stopping;
   if (stop.stop_possible()) stopping.emplace(stop);
   const at_exit reset([&] { loop().at_most_until(never); });
   loop().at_most_until(until);
   loop().run([&] { return loop().time() >= until; }, stopping ? &*stopping : nullptr);
}

}  // namespace holdfast
