// A list of commands on its way through an engine: a window of operations, so that memory is bounded however long the
// list is. MULTI ... EXEC goes as one operation. Its caller takes what is done from the engine and hands it back.
#pragma once

#include "engine/engine.hpp"
#include "lane/operation.hpp"

#include <holdfast/command.hpp>
#include <holdfast/delivery.hpp>
#include <holdfast/detail/reply_reader.hpp>
#include <holdfast/error.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::impl {

// Terms of a call: of each operation that it gives.
struct call_terms {
   holdfast::delivery delivery = holdfast::delivery::automatic;
   std::optional<duration> deadline = {};  // unset: the default of the deployment
   time_point given = {};
   std::uint64_t group = 0;
   lane_number lane = 0;  // of the caller's own
};

void set_terms(operation&, const call_terms&);

// Ends commands of a list, `n` from `first` on, that the engine was not given; MULTI ... EXEC counts as one.
void refuse_commands(engine&, std::span<const command> list, std::size_t first, std::size_t n, const list_places&,
                     const error&, const call_terms&, time_point now);

// A place in the window. Where the list's results are of other types than `value`, replies are kept here until they are
// read.
struct list_operation : operation {
   std::size_t first = 0;  // of its commands in the list
   result<value> reply = {};
   std::vector<result<value>> replies = {};  // of a transaction
};

class list_call {
 public:
   // At most so many commands are under way at a time.
   static constexpr std::size_t window_size = 1024;

   // All of it stays until `is_over`; the window is not empty.
   list_call(std::span<const command>, const list_places&, const call_terms&, std::span<list_operation> window);

   // Gives the engine all that there is room for.
   void submit_more(engine&, time_point now);
   // One of the window has ended.
   void took(list_operation&);
   // No command is given to the engine any more; those that are under way are to be cancelled by the caller.
   void stop() { is_stopped_ = true; }
   bool is_under_way() const { return free_.size() != window_.size(); }
   bool is_over() const { return next_ == commands_.size() && !is_under_way(); }

 private:
   [[gnu::cold]] void refuse(engine&, std::size_t n, const error&, time_point now);
   bool keeps_order_by_waiting() const { return terms_.group != 0 && terms_.lane == 0; }
   void look_whether_it_stands_alone();
   list_operation& take_free(std::size_t n);
   void give_replies(list_operation&);

   const std::span<const command> commands_;
   const list_places places_;
   const call_terms terms_;
   const std::span<list_operation> window_;
   std::vector<list_operation*> free_;
   std::size_t next_ = 0;
   std::size_t n_ = 0;      // commands of the unit at `next_`; 0: not looked at yet
   std::size_t bytes_ = 0;  // theirs
   // The next one gets a lane of its own: it waits for those before it, and the one behind it waits for it.
   bool stands_alone_ = false;
   bool waits_for_all_ = false;
   bool is_stopped_ = false;
   std::optional<error> too_late_;  // what all that do not block end with from now on
};

}  // namespace holdfast::impl
