#include "link/link.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::impl {

void io_queue::add(link& l) {
   if (l.id_ == 0) enter(l);
   if (std::exchange(places_[l.id_ - 1].listed, true)) return;
   waiting_.push_back(l.id_);
}

void io_queue::enter(link& l) {
   auto free =
      std::find_if(places_.begin(), places_.end(), [](const place& p) { return p.holder == nullptr && !p.listed; });
   if (free == places_.end()) free = places_.emplace(places_.end());
   free->holder = &l;
   l.serial_ += free->serial;
   l.id_ = static_cast<std::uint32_t>(free - places_.begin()) + 1;
}

void io_queue::leave(link& l) {
   place& p = places_[l.id_ - 1];
   p.holder = nullptr;
   p.left = l.take_pending();
   p.serial = l.serial_;
}

io_queue::entry io_queue::take() {
   if (next_ == waiting_.size()) return {};
   const std::uint32_t id = waiting_[next_++];
   if (next_ == waiting_.size()) {
      waiting_.clear();
      next_ = 0;
   }
   place& p = places_[id - 1];
   p.listed = false;
   return {id, p.holder, p.holder == nullptr ? std::exchange(p.left, {}) : p.holder->take_pending()};
}

link::~link() {
   if (id_ == 0) return;
   close();
   io_->leave(*this);
}

void link::ask_runtime() { io_->add(*this); }

void link::dial(const endpoint& where) {
   if (state_ != state::closed) close();
   where_ = where;
   others_ = 0;
   ++serial_;
   out.reset();
   in.reset();
   state_ = state::dialing;
   pending_.dial = true;
   pending_.write = false;
   ask_runtime();
}

void link::dial_next() {
   HOLDFAST_ASSERT(has_next());
   abort();
   --others_;
   ++serial_;
   out.reset();
   in.reset();
   state_ = state::dialing;
   pending_.next = true;
   pending_.write = false;
   ask_runtime();
}

void link::pass_over() {
   pending_.unwanted = true;
   ask_runtime();
}

void link::close() {
   if (state_ == state::closed) return;
   if (pending_.dial || pending_.next) {
      pending_.dial = pending_.next = false;  // the runtime has not heard of it yet
   } else if (pending_.close == ending::none) {
      pending_.close = ending::orderly;
   }
   end();
   ask_runtime();
}

void link::abort() {
   if (state_ == state::closed) return;
   if (!pending_.dial && !pending_.next) pending_.close = ending::abortive;
   close();
}

void link::write(std::string_view bytes) {
   out.append(bytes);
   flush();
}

void link::flush() {
   if (state_ == state::closed || out.empty() || pending_.write) return;
   pending_.write = true;
   ask_runtime();
}

void link::lost(std::string_view why, time_point now) {
   end();
   owner_->on_lost(*this, why, now);
}

void link::end() {
   state_ = state::closed;
   ++serial_;
   pending_.write = false;
}

link::pending_io link::take_pending() { return std::exchange(pending_, pending_io{}); }

}  // namespace holdfast::impl
