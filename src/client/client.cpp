#include "client/impl.hpp"
#include "core/ascii_case.hpp"

#include <holdfast/client.hpp>

#include <sys/mman.h>
#include <unistd.h>

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
   : engine(b.settings, fresh_seed(), b.subscriber ? impl::topology_source::elsewhere : impl::topology_source::own),
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
   machine_.reset();  // closes what it has inherited; its parent's connections don't notice
   left_behind_ = shared != nullptr;
   subscriber.reset();
   shared.reset();
   if (left_behind_) return;
   machine_ = std::make_unique<machine>(*this);
   engine().resume(session);
}

error client::body::visit::refusal() const {
   if (alone_) return left_behind();
   const char* why = "another thread is in it: a client is for one thread at a time";
   if (!impl::is_this_process(body_.process_))
      why = "another thread was in it when this process was forked";
   else if (body_.owner_.load(std::memory_order_relaxed) == std::this_thread::get_id())
      why = "its own observer calls it";
   return {errc::concurrent_use, outcome::not_executed, why};
}

client::client(std::string_view uri) : client(config::from_uri(uri).value()) {}
client::client(config c) : body_(std::make_unique<body>(checked(std::move(c)))) {}
client::client(const deployment& d) : client(d, d.settings()) {}
client::client(const deployment& d, config c) {
   c = checked(d.body_->placed(std::move(c)));
   body_ = std::make_unique<body>(std::move(c), d.body_->watch());
}
client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

result<value> client::run(const command& c, const call_options& options) {
   result<value> reply;
   const body::visit here(*body_);
   body::alarm stop;
   if (!body_->refused(here, {&c, 1}, &reply, options, stop)) body_->run_one(c, reply, options, stop);
   return reply;
}

namespace {

// Of 160 MB for a million replies the kernel gives a page at a time, which takes most of the time to make them: 2 MiB
// are asked for instead of 4 KiB. Not of what malloc may keep once it is free (its M_MMAP_THRESHOLD: 32 MiB at most).
std::vector<result<value>> place_for(std::size_t n) {
   std::vector<result<value>> replies;
   replies.reserve(n);
   const std::size_t bytes = n * sizeof(result<value>);
   if (bytes > std::size_t{32} << 20) {
      const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
      void* begin = replies.data();
      std::size_t whole = bytes;
      if (std::align(page, page, begin, whole) != nullptr) (void)::madvise(begin, whole / page * page, MADV_HUGEPAGE);
   }
   replies.resize(n);
   return replies;
}

}  // namespace

std::vector<result<value>> client::run_list(std::span<const command> commands, const call_options& options) {
   const time_point given = impl::now();  // the place for a million replies takes a while to make
   std::vector<result<value>> replies = place_for(commands.size());
   const body::visit here(*body_);
   body::alarm stop;
   if (!body_->refused(here, commands, replies.data(), options, stop))
      body_->run_list(commands, replies.data(), options, stop, given);
   return replies;
}

// ---- everyday members that are more than a line --------------------------------------------------------------------

namespace {

// A time_span that was too long for one. A key that is to live for ever gets no expiry, or PERSIST.
bool is_too_long(duration d) { return d == duration::max() || d == duration::min(); }

error too_long() { return {errc::invalid_argument, outcome::not_executed, "an expiry of more than 292 years"}; }

// Never 0 for what is more: that would delete the key.
std::int64_t whole_ms(duration d) { return std::chrono::ceil<std::chrono::milliseconds>(d).count(); }

}  // namespace

result<bool> client::set(std::string_view key, std::string_view value, const set_options& s, const call_options& o) {
   if (s.expires && is_too_long(*s.expires)) return too_long();
   command c{"SET", key, value};
   if (s.expires) c.arg("PX").arg(whole_ms(*s.expires));
   if (s.keep_ttl) c.arg("KEEPTTL");
   if (s.if_absent) c.arg("NX");
   if (s.if_present) c.arg("XX");
   auto reply = run(c, o);
   if (!reply) return std::move(reply).error();
   return !reply->is_nil();
}

result<bool> client::expire(std::string_view key, time_span d, const call_options& o) {
   if (is_too_long(d)) return too_long();
   return run_as<bool>({"PEXPIRE", key, whole_ms(d)}, o);
}

// ---- what every call begins with ----------------------------------------------------------------------------------

bool client::body::refused(const visit& here, std::span<const command> commands, result<value>* replies,
                           const call_options& options, alarm& a) {
   std::optional<error> why;
   if (here.is_refused()) {
      why = here.refusal();
   } else if (options.stop.stop_requested()) {
      why.emplace(errc::cancelled, outcome::not_executed);
   } else if (options.acks != 0) {
      why.emplace(errc::not_supported, outcome::not_executed, "call_options::acks is not built yet");
   } else if (options.stop.stop_possible()) {
      try {
         a.emplace(options.stop);
      } catch (const std::system_error& e) {
         why.emplace(e.code(), outcome::not_executed, "no descriptor for the stop token");
      }
   }
   if (!why) return false;
   for (std::size_t i = 0; i < commands.size(); ++i) replies[i] = *why;
   return true;
}

void client::body::prepare(impl::operation& op, std::span<const command> commands, result<value>* replies,
                           const call_options& options, time_point given) const {
   op.commands = commands;
   op.results = replies;
   op.delivery = options.delivery.value_or(settings.delivery);
   op.submitted = given;
   op.default_deadline = !options.deadline;
   if (options.deadline) op.deadline = after(given, *options.deadline);
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

void client::body::run_one(const command& c, result<value>& reply, const call_options& options, const alarm& stop) {
   loop().catch_up();
   impl::operation op;
   prepare(op, {&c, 1}, &reply, options, loop().time());
   const auto done = [&] {
      while (engine().take_done(loop().time()) != nullptr) {
      }
      return op.done;
   };
   const auto cancel = [&] { engine().cancel(op, loop().time()); };
   bool is_taken = false;
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

namespace {

// Asked of each command of a list, which the table would cost a second look.
bool begins_transaction(const command& c) { return c.size() != 0 && impl::same_word(c.name(), "multi"); }
bool ends_transaction(const command& c) {
   const auto role = impl::role_of(impl::find_command(c));
   return role == impl::command_role::exec || role == impl::command_role::discard;
}

std::size_t size_of(std::span<const command> commands) {
   std::size_t bytes = 0;
   for (const command& c : commands) bytes += c.bytes().size();
   return bytes;
}

// Refused, before it was tried, for a reason that all of its list share.
bool is_over(const result<value>& r) {
   return !r && (r.error().code() == errc::deadline_exceeded || r.error().code() == errc::cancelled);
}

// A command that stands alone and does not block ends when its list does.
bool is_plain(const command& c) {
   const auto* const entry = impl::find_command(c);
   return impl::role_of(entry) != impl::command_role::multi && !impl::block_time(entry, c);
}

// How many commands from `first` on go as one: 1, or MULTI up to EXEC; 0 if the EXEC is missing.
std::size_t unit_length(std::span<const command> commands, std::size_t first) {
   if (!begins_transaction(commands[first])) return 1;
   for (std::size_t i = first + 1; i < commands.size(); ++i) {
      if (ends_transaction(commands[i])) return i - first + 1;
   }
   return 0;
}

}  // namespace

// Works through the list with a window of operations, so that memory is bounded however long it is.
void client::body::run_list(std::span<const command> commands, result<value>* replies, const call_options& options,
                            const alarm& stop, time_point given) {
   loop().catch_up();
   if (window.empty()) window.resize(std::min(window_size, settings.limits.parked_commands));
   std::vector<impl::operation*> free;
   for (auto& op : window) free.push_back(&op);
   std::size_t next = 0;
   std::size_t n = 0;      // commands of the unit at `next`; 0: not looked at yet
   std::size_t bytes = 0;  // theirs
   bool stopped = false;
   const error* too_late = nullptr;  // what all that do not block end with from now on

   const auto end_with = [&](const result<value>& r) {
      std::fill(replies + std::exchange(next, commands.size()), replies + commands.size(), r);
   };
   const auto submit_more = [&] {
      while (next < commands.size() && !free.empty()) {
         if (too_late != nullptr && (stopped || options.deadline)) return end_with(result<value>(*too_late));
         if (too_late != nullptr && is_plain(commands[next])) {
            replies[next++] = *too_late;
            n = 0;
            continue;
         }
         if (n == 0) {
            n = unit_length(commands, next);
            bytes = size_of(commands.subspan(next, n));
         }
         if (n == 0) {
            return end_with(error(errc::invalid_argument, outcome::not_executed,
                                  "MULTI without EXEC: nothing from there on was sent"));
         }
         if (too_late != nullptr && n > 1) {
            for (; n != 0; --n) replies[next++] = *too_late;
            continue;
         }
         if (free.size() < window.size() && !engine().lane().has_room(bytes)) return;
         impl::operation& op = *free.back();
         free.pop_back();
         op = impl::operation{};
         prepare(op, commands.subspan(next, n), replies + next, options, given);
         next += std::exchange(n, 0);
         if (stopped)
            engine().refuse(op, errc::cancelled, loop().time());
         else
            engine().submit(op, loop().time());
         // All of a list have one deadline, or are stopped together: a million of them are not tried one by one.
         if (op.done && !op.blocks && is_over(op.results[0])) too_late = &op.results[0].error();
      }
   };
   const auto done = [&] {
      do {
         while (impl::operation* op = engine().take_done(loop().time())) free.push_back(op);
         submit_more();
      } while (engine().has_done());
      return next == commands.size() && free.size() == window.size();
   };
   const auto cancel = [&] {
      stopped = true;
      engine().cancel_all(loop().time());
   };
   const at_exit leave([&] {
      if (free.size() == window.size()) return;
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
