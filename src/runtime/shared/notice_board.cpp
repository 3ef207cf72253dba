#include "runtime/shared/notice_board.hpp"

#include <string>
#include <utility>

namespace holdfast::poll {

// ---- for the watch's thread ---------------------------------------------------------------------------------------

bool notice_board::take(engine::lane_wishes& into) {
   const std::lock_guard lock(mutex_);
   into.asked = wishes_.asked;
   into.needed = needing_ != 0;
   into.reports.clear();
   into.reports.swap(wishes_.reports);
   return !closed_;
}

void notice_board::publish(std::shared_ptr<const engine::snapshot> s) {
   const std::lock_guard lock(mutex_);
   const bool news = engine::is_news(*latest_, *s);
   const auto before = latest_->finished;
   latest_ = std::move(s);
   number_.fetch_add(1, std::memory_order_seq_cst);
   for (const seat* p : seats_) {
      const bool answered = p->awaits_ > before && p->awaits_ <= latest_->finished;
      if ((news || answered) && p->present_.load(std::memory_order_seq_cst)) p->bell_.ring();
   }
}

void notice_board::close() {
   {
      const std::lock_guard lock(mutex_);
      closed_ = true;
   }
   bell_.ring();
}

// ---- for a client -------------------------------------------------------------------------------------------------

seat::seat(notice_board& b) : board_(b) {
   const std::lock_guard lock(board_.mutex_);
   place_ = board_.seats_.size();
   board_.seats_.push_back(this);
}

seat::~seat() {
   if (!is_this_process(process_)) return;  // another thread may have held the lock
   tell_need(false);
   const std::lock_guard lock(board_.mutex_);
   board_.seats_.back()->place_ = place_;
   board_.seats_[place_] = board_.seats_.back();
   board_.seats_.pop_back();
}

void seat::enter() {
   present_.store(true, std::memory_order_seq_cst);
   if (wants_) tell_need(true);
}

void seat::leave() {
   present_.store(false, std::memory_order_relaxed);
   if (needs_) tell_need(false);
}

std::shared_ptr<const engine::snapshot> seat::take() {
   const std::lock_guard lock(board_.mutex_);
   seen_ = board_.number_.load(std::memory_order_relaxed);
   return board_.latest_;
}

engine::snapshot::ticket seat::ask() {
   engine::snapshot::ticket mine = 0;
   {
      const std::lock_guard lock(board_.mutex_);
      mine = awaits_ = ++board_.wishes_.asked;
   }
   board_.bell_.ring();
   return mine;
}

void seat::need(bool commands_wait) {
   wants_ = commands_wait;
   if (!wants_ || present_.load(std::memory_order_relaxed)) tell_need(wants_);
}

void seat::tell_need(bool needs) {
   if (needs == needs_) return;
   needs_ = needs;
   {
      const std::lock_guard lock(board_.mutex_);
      if (needs)
         ++board_.needing_;
      else
         --board_.needing_;
   }
   board_.bell_.ring();
}

void seat::role_verified(const endpoint& where, std::uint64_t epoch) { report({where, epoch, {}}); }
void seat::role_refused(const endpoint& where, std::uint64_t generation, std::string_view role) {
   report({where, generation, std::string(role)});
}

void seat::report(engine::role_report r) {
   {
      const std::lock_guard lock(board_.mutex_);
      board_.wishes_.report(std::move(r));
   }
   board_.bell_.ring();
}

}  // namespace holdfast::poll
