#include "runtime/poll/watch_thread.hpp"

#include "runtime/shared/blocked_signals.hpp"

#include <poll.h>

#include <utility>

namespace holdfast::impl {

watch_thread::watch_thread(const config& c, std::uint64_t seed)
   : observer_(c.observer),
     engine_(c, seed),
     loop_(engine_, observer_, {.servers = c.name_servers}),
     process_(this_process()) {
   loop_.woken_by(mailbox_.wakes());
   const all_signals_blocked during_its_start;
   thread_ = std::thread([this] { run(); });
}

watch_thread::~watch_thread() {
   mailbox_.close();
   thread_.join();
}

std::shared_ptr<watch_thread> watch_thread::start(const config& c, std::uint64_t seed) {
   return {new watch_thread(c, seed), [](watch_thread* w) {
              if (w->is_here()) delete w;
           }};
}

void watch_thread::run() {
   pollfd requested{mailbox_.wakes().fd(), POLLIN, 0};
   while (::poll(&requested, 1, -1) < 0) {
   }
   loop_.catch_up();
   loop_.run([this] { return step(); }, nullptr);
}

bool watch_thread::step() {
   if (!mailbox_.take(requests_)) return true;
   loop_.pass_time();  // else a question would join a round that began, and was written, before it was asked
   engine_.serve(publisher_.take(requests_, engine_.latest(), loop_.time()), loop_.time());
   if (auto u = publisher_.changed(engine_.latest())) mailbox_.publish(std::move(*u));
   loop_.at_most_until(publisher_.next_deadline());
   return false;
}

}  // namespace holdfast::impl
