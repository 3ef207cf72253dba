#include "lane/suspicion.hpp"

namespace holdfast::lane {

void suspicion::raise(const endpoint& where, duration silent_for, time_point now) {
   if (raised()) return;
   state_ = state::probing;
   where_ = where;
   raised_at_ = now;
   events_.tell([&] { return event::suspected{where, silent_for}; });
   link_.dial(where);
}

void suspicion::clear(bool answered) {
   if (!raised()) return;
   state_ = state::none;
   link_.close();
   if (answered) events_.tell([&] { return event::suspicion_cleared{where_}; });
}

void suspicion::on_received() {
   if (link_.in.next() == resp::reader::status::incomplete) return;
   if (state_ == state::probing) state_ = state::answered;
   link_.close();
}

}  // namespace holdfast::lane
