#include "client/list_call.hpp"

#include "commands/command_table.hpp"
#include "core/ascii_case.hpp"

#include <memory>
#include <utility>

namespace holdfast::impl {
namespace {

// Asked of each command of a list, which the table would cost a second look.
bool begins_transaction(const command& c) { return c.size() != 0 && same_word(c.name(), "multi"); }
bool ends_transaction(const command& c) {
   const auto role = role_of(find_command(c));
   return role == command_role::exec || role == command_role::discard;
}

std::size_t size_of(std::span<const command> commands) {
   std::size_t bytes = 0;
   for (const command& c : commands) bytes += c.bytes().size();
   return bytes;
}

// Refused, before it was tried, for a reason that all of its list share.
bool is_too_late(const result<value>& r) {
   return !r && (r.error().code() == errc::deadline_exceeded || r.error().code() == errc::cancelled);
}

bool blocks(const command& c) { return block_time(find_command(c), c).has_value(); }

// A command that stands alone and does not block ends when its list does.
bool is_plain(const command& c) {
   const auto* const entry = find_command(c);
   return role_of(entry) != command_role::multi && !block_time(entry, c);
}

// From the MULTI at `first` up to its EXEC; 0 if that is missing.
std::size_t transaction_length(std::span<const command> commands, std::size_t first) {
   for (std::size_t i = first + 1; i < commands.size(); ++i) {
      if (ends_transaction(commands[i])) return i - first + 1;
   }
   return 0;
}

// How many commands from `first` on go as one.
inline std::size_t unit_length(std::span<const command> commands, std::size_t first) {
   return begins_transaction(commands[first]) ? transaction_length(commands, first) : 1;
}

}  // namespace

void set_terms(operation& op, const call_terms& t) {
   op.delivery = t.delivery;
   op.group = t.group;
   op.lane = t.lane;
   op.submitted = t.given;
   op.default_deadline = !t.deadline;
   if (t.deadline) op.deadline = after(t.given, *t.deadline);
}

void refuse_commands(engine& e, std::span<const command> list, std::size_t first, std::size_t n,
                     const list_places& places, const error& why, const call_terms& t, time_point now) {
   for (std::size_t next = first; next < first + n;) {
      const std::size_t unit = unit_length(list, next);
      const std::size_t behind = unit == 0 ? list.size() : next + unit;
      e.was_refused(list.subspan(next, behind - next), why, t.given, now);
      for (; next != behind; ++next) places.fail(next, error(why));
   }
}

list_call::list_call(std::span<const command> commands, const list_places& places, const call_terms& terms,
                     std::span<list_operation> window)
   : commands_(commands), places_(places), terms_(terms), window_(window) {
   free_.reserve(window.size());
   for (auto& op : window) free_.push_back(&op);
}

void list_call::submit_more(engine& e, time_point now) {
   const command_lane& lane = terms_.lane == 0 ? e.lane() : e.lanes().lane(terms_.lane);
   while (next_ < commands_.size() && !free_.empty()) {
      if (too_late_ && (is_stopped_ || terms_.deadline)) return refuse(e, commands_.size() - next_, *too_late_, now);
      if (too_late_ && is_plain(commands_[next_])) {
         refuse(e, 1, *too_late_, now);
         continue;
      }
      if (n_ == 0) {
         n_ = unit_length(commands_, next_);
         bytes_ = size_of(commands_.subspan(next_, n_));
         if (keeps_order_by_waiting()) look_whether_it_stands_alone();
      }
      if (n_ == 0) {
         const error why(errc::invalid_argument, outcome::not_executed,
                         "MULTI without EXEC: nothing from there on was sent");
         return refuse(e, commands_.size() - next_, why, now);
      }
      if (too_late_ && n_ > 1) {
         refuse(e, n_, *too_late_, now);
         continue;
      }
      if (is_under_way() && (waits_for_all_ || !lane.has_room(bytes_))) return;
      list_operation& op = take_free(std::exchange(n_, 0));
      if (is_stopped_)
         e.refuse(op, errc::cancelled, now);
      else
         e.submit(op, now);
      // All of a list have one deadline, or are stopped together: a million of them are not tried one by one.
      if (op.done && !op.blocks && is_too_late(op.results[0])) too_late_ = op.results[0].error();
   }
}

void list_call::look_whether_it_stands_alone() {
   const bool is_behind_such = std::exchange(stands_alone_, n_ == 1 && blocks(commands_[next_]));
   waits_for_all_ = stands_alone_ || is_behind_such;
}

// Those that are next, without trying them.
void list_call::refuse(engine& e, std::size_t n, const error& why, time_point now) {
   n_ = 0;
   refuse_commands(e, commands_, std::exchange(next_, next_ + n), n, places_, why, terms_, now);
}

list_operation& list_call::take_free(std::size_t n) {
   list_operation& op = *free_.back();
   free_.pop_back();
   void* const owner = op.owner;
   std::destroy_at(static_cast<operation*>(&op));
   std::construct_at(static_cast<operation*>(&op));
   op.owner = owner;
   op.first = next_;
   op.commands = commands_.subspan(next_, n);
   if (places_.values != nullptr) {
      op.results = places_.values + next_;
   } else if (n == 1) {
      op.reply = value();
      op.results = &op.reply;
      op.reader = places_.reader(next_);
   } else {
      op.replies.assign(n, value());
      op.results = op.replies.data();
   }
   set_terms(op, terms_);
   next_ += n;
   return op;
}

void list_call::took(list_operation& op) {
   if (places_.values == nullptr) give_replies(op);
   free_.push_back(&op);
}

void list_call::give_replies(list_operation& op) {
   for (std::size_t i = 0; i < op.commands.size(); ++i) {
      const reply_reader to = places_.reader(op.first + i);
      if (!op.results[i])
         to.fail(to, std::move(op.results[i]).error());
      else if (op.is_transaction())
         to.read(to, op.results[i]->view());
   }
   op.replies = {};
}

}  // namespace holdfast::impl
