#include "client/async/async_list_call.hpp"

#include <algorithm>

namespace holdfast::impl {

async_list_call::async_list_call(async_list& of, const call_terms& terms, std::size_t most_at_a_time)
   : call_(of),
     window_(std::min({of.asked.size(), most_at_a_time, list_call::window_size})),
     list_(of.asked, of.places, terms, window_) {
   for (list_operation& op : window_) op.owner = static_cast<async_call*>(&of);
}

void async_list_call::took(list_operation& op) {
   has_ends_ = true;
   list_.took(op);
}

void async_list_call::cancel(engine& e, bool even_if_sent, time_point now) {
   const auto is_unsent = [](const list_operation& op) {
      return (op.is == operation::state::idle && !op.done) || (op.is == operation::state::queued && op.attempts == 0);
   };
   if (!even_if_sent && (has_ends_ || !std::all_of(window_.begin(), window_.end(), is_unsent))) return;
   list_.stop();
   for (list_operation& op : window_) e.cancel(op, now);
}

}  // namespace holdfast::impl
