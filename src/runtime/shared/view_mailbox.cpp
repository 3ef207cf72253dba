#include "runtime/shared/view_mailbox.hpp"

#include <utility>

namespace holdfast::impl {

// ---- for the deployment's thread ----------------------------------------------------------------------------------

bool view_mailbox::take(topology_requests& into) {
   const std::lock_guard lock(mutex_);
   into.asked = requests_.asked;
   into.commands_wait = waiting_ != 0;
   into.reports.clear();
   into.reports.swap(requests_.reports);
   return !closed_;
}

void view_mailbox::publish(topology_update u) {
   const std::lock_guard lock(mutex_);
   const bool is_news = u.view->version != latest_.view->version;
   latest_ = std::move(u);
   number_.fetch_add(1, std::memory_order_seq_cst);
   for (view_subscriber* s : subscribers_) {
      const auto before = s->questions_.answered();
      s->questions_.close_answered([&](auto asked) { return asked <= latest_.answered; });
      const bool concerned = is_news || s->questions_.answered() != before;
      if (concerned && s->present_.load(std::memory_order_seq_cst)) s->waker_.wake();
   }
}

void view_mailbox::close() {
   {
      const std::lock_guard lock(mutex_);
      closed_ = true;
   }
   waker_.wake();
}

// ---- for a client -------------------------------------------------------------------------------------------------

view_subscriber::view_subscriber(view_mailbox& m) : mailbox_(m) {
   const std::lock_guard lock(mailbox_.mutex_);
   place_ = mailbox_.subscribers_.size();
   mailbox_.subscribers_.push_back(this);
}

view_subscriber::~view_subscriber() {
   if (!is_this_process(process_)) return;  // another thread may have held the lock
   tell_need(false);
   const std::lock_guard lock(mailbox_.mutex_);
   mailbox_.subscribers_.back()->place_ = place_;
   mailbox_.subscribers_[place_] = mailbox_.subscribers_.back();
   mailbox_.subscribers_.pop_back();
}

void view_subscriber::enter() {
   present_.store(true, std::memory_order_seq_cst);
   if (commands_wait_) tell_need(true);
}

void view_subscriber::leave() {
   present_.store(false, std::memory_order_relaxed);
   tell_need(false);
}

topology_update view_subscriber::take() {
   const std::lock_guard lock(mailbox_.mutex_);
   seen_ = mailbox_.number_.load(std::memory_order_relaxed);
   return {mailbox_.latest_.view, questions_.answered()};
}

void view_subscriber::give(topology_requests r) {
   commands_wait_ = r.commands_wait;
   {
      const std::lock_guard lock(mailbox_.mutex_);
      count_need(commands_wait_ && present_.load(std::memory_order_relaxed));
      if (r.asked != std::exchange(asked_, r.asked)) questions_.passed_on(asked_, ++mailbox_.requests_.asked);
      for (role_report& one : r.reports) mailbox_.requests_.report(std::move(one));
   }
   mailbox_.waker_.wake();
}

void view_subscriber::tell_need(bool commands_wait) {
   if (commands_wait == counted_) return;
   {
      const std::lock_guard lock(mailbox_.mutex_);
      count_need(commands_wait);
   }
   mailbox_.waker_.wake();
}

void view_subscriber::count_need(bool commands_wait) {
   if (commands_wait == std::exchange(counted_, commands_wait)) return;
   if (commands_wait)
      ++mailbox_.waiting_;
   else
      --mailbox_.waiting_;
}

}  // namespace holdfast::impl
