#include "link/link.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

void wish_list::add(link& l) {
   if (l.id_ == 0) enter(l);
   if (std::exchange(places_[l.id_ - 1].listed, true)) return;
   waiting_.push_back(l.id_);
}

void wish_list::enter(link& l) {
   auto free =
      std::find_if(places_.begin(), places_.end(), [](const place& p) { return p.holder == nullptr && !p.listed; });
   if (free == places_.end()) free = places_.emplace(places_.end());
   free->holder = &l;
   l.serial_ += free->serial;
   l.id_ = static_cast<std::uint32_t>(free - places_.begin()) + 1;
}

void wish_list::leave(link& l) {
   place& p = places_[l.id_ - 1];
   p.holder = nullptr;
   p.left = l.take_wish();
   p.serial = l.serial_;
}

wish_list::entry wish_list::take() {
   if (next_ == waiting_.size()) return {};
   const std::uint32_t id = waiting_[next_++];
   if (next_ == waiting_.size()) {
      waiting_.clear();
      next_ = 0;
   }
   place& p = places_[id - 1];
   p.listed = false;
   return {id, p.holder, p.holder == nullptr ? std::exchange(p.left, {}) : p.holder->take_wish()};
}

link::~link() {
   if (id_ == 0) return;
   close();
   wishes_->leave(*this);
}

void link::wished() { wishes_->add(*this); }

void link::dial(const endpoint& where) {
   if (state_ != state::closed) close();
   where_ = where;
   others_ = 0;
   ++serial_;
   out.reset();
   in.reset();
   state_ = state::dialing;
   wish_.dial = true;
   wish_.write = false;
   wished();
}

void link::dial_next() {
   HOLDFAST_ASSERT(has_next());
   abort();
   --others_;
   ++serial_;
   out.reset();
   in.reset();
   state_ = state::dialing;
   wish_.next = true;
   wish_.write = false;
   wished();
}

void link::pass_over() {
   wish_.unwanted = true;
   wished();
}

void link::close() {
   if (state_ == state::closed) return;
   if (wish_.dial || wish_.next) {
      wish_.dial = wish_.next = false;  // the runtime has not heard of it yet
   } else if (wish_.close == ending::none) {
      wish_.close = ending::orderly;
   }
   end();
   wished();
}

void link::abort() {
   if (state_ == state::closed) return;
   if (!wish_.dial && !wish_.next) wish_.close = ending::abortive;
   close();
}

void link::write(std::string_view bytes) {
   out.append(bytes);
   flush();
}

void link::flush() {
   if (state_ == state::closed || out.empty() || wish_.write) return;
   wish_.write = true;
   wished();
}

void link::lost(std::string_view why, time_point now) {
   end();
   owner_->on_lost(*this, why, now);
}

void link::end() {
   state_ = state::closed;
   ++serial_;
   wish_.write = false;
}

link::wish link::take_wish() { return std::exchange(wish_, wish{}); }

}  // namespace holdfast::impl
