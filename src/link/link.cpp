#include "link/link.hpp"

#include "core/assertion.hpp"

#include <utility>

namespace holdfast::resp {

void wish_list::add(link& l) {
   if (l.listed_) return;
   l.listed_ = true;
   waiting_.push_back(&l);
}

link* wish_list::take() {
   if (next_ == waiting_.size()) return nullptr;
   link* l = waiting_[next_++];
   if (next_ == waiting_.size()) {
      waiting_.clear();
      next_ = 0;
   }
   l->listed_ = false;
   return l;
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
   lost();
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
   if (out.empty() || wish_.write) return;
   wish_.write = true;
   wished();
}

void link::lost() {
   state_ = state::closed;
   ++serial_;
   wish_.write = false;
}

link::wish link::take_wish() { return std::exchange(wish_, wish{}); }

}  // namespace holdfast::resp
