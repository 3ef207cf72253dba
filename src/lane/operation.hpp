// One command (or one MULTI ... EXEC, which goes whole or not at all) on its way through a lane.
#pragma once

#include "commands/command_table.hpp"
#include "commands/error_reply.hpp"
#include "core/assertion.hpp"
#include "lane/exchange.hpp"

#include <holdfast/command.hpp>
#include <holdfast/delivery.hpp>
#include <holdfast/detail/reply_reader.hpp>
#include <holdfast/policy/circuit_breaker.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace holdfast::impl {

// Owned by its caller (a frame, or a free list of the client), which keeps it, the commands and the results alive until
// `done`. The lane only links it into its lists.
struct operation {
   // ---- set by the caller before submit ----
   std::span<const command> commands;  // one, or MULTI ... EXEC
   result<value>* results = nullptr;   // as many as commands
   reply_reader reader = {};           // of a single command; if set, its reply is read there, and `results` has nil
   holdfast::delivery delivery = holdfast::delivery::automatic;
   exchange* form = nullptr;  // null: what is asked is what is written
   // The one connection (its serial) that it may be written to: it is never parked, and never sent again. 0: any.
   std::uint32_t pinned_to = 0;
   // Number of a lane of its caller's own (engine::acquire); 0: the engine chooses, and tells it here.
   std::uint32_t lane = 0;
   // Operations of one order group take effect in the order of submission; those of different groups are ordered only
   // where they are about the same keys. A blocking client is one group.
   std::uint64_t group = 0;
   time_point submitted = {};  // when the caller gave it to us: deadline and `elapsed` count from here
   time_point deadline = never;
   std::optional<circuit_breaker::admission> admission = {};  // the engine's, if there is a breaker
   bool default_deadline = false;  // `deadline` follows what the deployment says, once it is known
   void* owner = nullptr;          // the caller's own, never looked at

   // ---- the lane's ----
   enum class state : std::uint8_t {
      idle,            // not submitted, or done
      queued,          // parked, or waiting to be sent again
      in_flight,       // at least queued into the connection's outbox
      awaiting_fence,  // its outcome is unknown for good; the report waits for the fence
   };
   state is = state::idle;
   bool done = false;
   const command_entry* entry = nullptr;  // of the first command
   repeat_class repeats = repeat_class::not_repeatable;
   bool classified = false;    // `repeats` was computed (only once something fails)
   bool reads_only = false;    // it reads: nothing remains of it on the server
   bool alters = false;        // it may change the connection (SELECT, AUTH, ...): it stands alone in the ledger
   bool may_have_run = false;  // an earlier attempt ended with an unknown outcome
   bool unfenced = false;      // and it is no read, and its connection is not yet proven dead
   // It was unfenced on a node that the lane has left for another one: nothing to fear, unless it goes back there.
   bool left_behind = false;
   std::optional<duration> blocks = {};  // its own time on the server; zero: for ever
   std::uint64_t sequence = 0;           // the order of submission is the order of the lane
   std::uint32_t written_on = 0;         // the serial of the connection, the last time; 0: never
   unsigned attempts = 0;                // times it was written, the one under way included
   unsigned pushbacks = 0;               // gate replies of one kind in a row
   unsigned resends = 0;                 // decided on, for what it may have done or what a gate said
   time_point resent_free_at = {};       // the last change of master that gave it one free of the budget
   reply_class rejected_as = reply_class::deterministic;  // the kind
   std::size_t replies = 0;                               // of `commands` answered on the present connection
   std::size_t bytes = 0;
   std::optional<holdfast::error> last = {};  // why it is being sent again, or awaits the fence
   // It was answered, without a trace on the server, while an older one waits that the answer should have seen. The
   // answer counts if that one ends without having run; else it is asked for again.
   enum class answer : std::uint8_t { none, reply, error };  // in `results`, or in `last`
   answer kept = answer::none;
   std::uint64_t kept_at = 0;  // `reruns_` of resend_order then
   operation* previous = nullptr;
   operation* next = nullptr;
   operation* previous_waiting = nullptr;  // in the lists of resend_order
   operation* next_waiting = nullptr;
   enum class order : std::uint8_t { none, listed, by_keys };
   order waits = order::none;       // in resend_order
   std::size_t deadline_place = 0;  // in `deadlines`; 0: none

   bool is_transaction() const { return commands.size() > 1; }
   result<value>& reply_to(std::size_t written) {
      return form != nullptr ? form->replies()[written] : results[written];
   }
   // Its work was answered, though not all of it.
   bool is_decided() const { return form != nullptr && replies > form->decisive(); }
};

// SCRIPT KILL, SHUTDOWN and the like: the server takes them also while a script runs for too long.
inline bool allows_busy_server(const operation& op) {
   return op.entry != nullptr && op.entry->traits.busy && op.entry->role == command_role::plain;
}

// It ends what makes the server busy, and changes nothing else.
inline bool ends_script(const operation& op) { return allows_busy_server(op) && op.entry->name != "shutdown"; }

// A doubly linked list through the operations themselves. Owns nothing.
template <operation* operation::* previous, operation* operation::* next>
class linked_list {
 public:
   bool empty() const { return first_ == nullptr; }
   std::size_t size() const { return size_; }
   operation* front() const { return first_; }
   operation* back() const { return last_; }

   void push_back(operation& o) { insert_before(o, nullptr); }

   // Keeps the list ordered by sequence. The place is looked for from the last one that was put in so: what a lost
   // connection or a closed gate puts back comes in a row, and each of a row takes a step.
   void insert_in_order(operation& o) {
      operation* at = hint_ != nullptr ? hint_ : first_;
      while (at != nullptr && at->sequence < o.sequence) at = step(at->*next);
      while (at != first_ && (at != nullptr ? at->*previous : last_)->sequence > o.sequence)
         at = step(at != nullptr ? at->*previous : last_);
      insert_before(o, at);
      hint_ = &o;
   }

   void remove(operation& o) {
      if (hint_ == &o) hint_ = o.*previous;
      (o.*previous != nullptr ? (o.*previous)->*next : first_) = o.*next;
      (o.*next != nullptr ? (o.*next)->*previous : last_) = o.*previous;
      o.*previous = o.*next = nullptr;
      --size_;
   }

   std::uint64_t steps() const { return steps_; }  // that `insert_in_order` took so far

   operation* pop_front() {
      operation* o = first_;
      if (o != nullptr) remove(*o);
      return o;
   }

 private:
   operation* step(operation* to) {
      ++steps_;
      return to;
   }
   void insert_before(operation& o, operation* at) {
      HOLDFAST_ASSERT(o.*previous == nullptr && o.*next == nullptr);
      o.*next = at;
      o.*previous = at != nullptr ? at->*previous : last_;
      (o.*previous != nullptr ? (o.*previous)->*next : first_) = &o;
      (at != nullptr ? at->*previous : last_) = &o;
      ++size_;
   }

   operation* first_ = nullptr;
   operation* last_ = nullptr;
   operation* hint_ = nullptr;
   std::size_t size_ = 0;
   std::uint64_t steps_ = 0;
};

using operation_list = linked_list<&operation::previous, &operation::next>;
using waiting_list = linked_list<&operation::previous_waiting, &operation::next_waiting>;

}  // namespace holdfast::impl
