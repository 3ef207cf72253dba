// A list of async_client on its way through the engine: the list, and its window.
#pragma once

#include "client/list_call.hpp"
#include "engine/engine.hpp"

#include <holdfast/detail/async_call.hpp>

#include <vector>

namespace holdfast::impl {

class async_list_call {
 public:
   // `of` has commands, and outlives it.
   async_list_call(async_list& of, const call_terms&, std::size_t most_at_a_time);

   async_list& call() { return call_; }

   void submit_more(engine& e, time_point now) { list_.submit_more(e, now); }
   void took(list_operation&);
   bool is_over() const { return list_.is_over(); }
   // No more of it is given to the engine.
   void stop() { list_.stop(); }
   // Ends it now: whatever was written of it (`even_if_sent`), or only if nothing was.
   void cancel(engine&, bool even_if_sent, time_point now);

 private:
   async_list& call_;
   std::vector<list_operation> window_;
   list_call list_;
   bool has_ends_ = false;  // of commands
};

}  // namespace holdfast::impl
