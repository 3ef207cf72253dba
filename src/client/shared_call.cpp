#include "client/shared_call.hpp"

#include "commands/route.hpp"

#include <algorithm>

namespace holdfast::impl {

// ---- all calls ----------------------------------------------------------------------------------------------------

void shared_call::post_to(call_mailbox& m) {
   open_.add();  // the call
   open_.add();  // its letter
   m.post(begins_);
}

void shared_call::cancel_by(call_mailbox& m) {
   open_.add();
   cancels_.cancels = true;
   m.post(cancels_);
}

// ---- one command --------------------------------------------------------------------------------------------------

shared_single::shared_single(const command& c, result<value>& reply, const reply_reader& reader, const call_terms& t,
                             bool waits_for_room)
   : shared_call(t, waits_for_room) {
   op_.commands = {&c, 1};
   op_.results = &reply;
   op_.reader = reader;
   op_.owner = static_cast<shared_call*>(this);
}

void shared_single::begin(engine& e, std::uint64_t group, time_point now) {
   terms().group = group;
   set_terms(op_, terms());
   e.submit(op_, now);
}

void shared_single::refuse(engine& e, const error& why, time_point now) {
   e.was_refused(op_.commands, why, terms().given, now);
   *op_.results = why;
   op_.done = true;
   finish();
}

// ---- a list -------------------------------------------------------------------------------------------------------

shared_list::shared_list(std::span<const command> commands, const list_places& places, const call_terms& t,
                         std::size_t window)
   : shared_call(t, false),
     commands_(commands),
     places_(places),
     window_(std::min({window, commands.size(), list_call::window_size})) {
   for (list_operation& op : window_) op.owner = static_cast<shared_call*>(this);
}

void shared_list::begin(engine& e, std::uint64_t group, time_point now) {
   terms().group = group;
   list_.emplace(commands_, places_, terms(), window_);
   go_on(e, now);
}

void shared_list::took(engine& e, operation& op, time_point now) {
   list_->took(static_cast<list_operation&>(op));
   go_on(e, now);
}

// Operations that end at once are taken like the rest: the list is over only once all of it was.
void shared_list::go_on(engine& e, time_point now) {
   list_->submit_more(e, now);
   if (!list_->is_over()) return;
   is_over_ = true;
   finish();
}

void shared_list::cancel(engine& e, time_point now) {
   list_->stop();
   for (list_operation& op : window_) e.cancel(op, now);
   go_on(e, now);
}

void shared_list::refuse(engine& e, const error& why, time_point now) {
   refuse_commands(e, commands_, 0, commands_.size(), places_, why, terms(), now);
   is_over_ = true;
   finish();
}

// ---- where the master is ------------------------------------------------------------------------------------------

void shared_look::begin(engine& e, std::uint64_t /*group*/, time_point /*now*/) {
   const command_lane& lane = e.lane(route({"PING"}));
   where = lane.where();
   is_ready = lane.connection().ready();
   default_deadline = lane.default_deadline();
   end();
}

}  // namespace holdfast::impl
