// The machine alone: what waits, in which order, and how much of it.
#include "lane/command_queue.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace holdfast::impl::test::command_queue_test {
namespace {

struct command_queue_machine : testing::Test {
   command_queue_machine() {
      for (operation& op : ops) {
         op.commands = one;
         op.entry = find_command(one.front());
         op.sequence = subject.next_sequence();
         op.bytes = 10;
      }
   }
   std::vector<std::uint64_t> order() const {
      std::vector<std::uint64_t> found;
      for (const operation* op = subject.front(); op != nullptr; op = op->next) found.push_back(op->sequence);
      return found;
   }

   std::vector<command> one{command{"SET", "k", "1"}};
   command_queue subject{2, 25};
   std::array<operation, 3> ops;
};

TEST_F(command_queue_machine, commands_and_bytes_bound_it) {
   EXPECT_TRUE(subject.has_room(25));
   EXPECT_FALSE(subject.has_room(26));
   subject.push(ops[0]);
   EXPECT_TRUE(subject.has_room(15));
   EXPECT_FALSE(subject.has_room(16));
   subject.push(ops[1]);
   EXPECT_FALSE(subject.has_room(0));
   subject.remove(ops[0]);
   EXPECT_EQ(subject.bytes(), 10U);
   EXPECT_EQ(ops[0].is, operation::state::idle);
}

TEST_F(command_queue_machine, put_back_returns_to_its_place) {
   subject.push(ops[1]);
   subject.push(ops[2]);
   subject.put_back(ops[0]);
   EXPECT_EQ(order(), (std::vector<std::uint64_t>{1, 2, 3}));
   EXPECT_TRUE(subject.order().empty()) << "it was never written";
}

TEST_F(command_queue_machine, what_was_written_before_is_in_resend_order) {
   ops[0].last = error(errc::connection_lost, outcome::unknown);
   subject.put_back(ops[0]);
   EXPECT_EQ(subject.order().size(), 1U);
   subject.remove(ops[0]);
   EXPECT_TRUE(subject.order().empty());
}

TEST_F(command_queue_machine, awaiting_fence_is_apart_and_takes_no_room) {
   subject.await_fence(ops[1]);
   subject.await_fence(ops[0]);
   EXPECT_TRUE(subject.empty());
   EXPECT_FALSE(subject.nothing_waits());
   EXPECT_EQ(subject.bytes(), 0U);
   EXPECT_EQ(subject.first_awaiting_fence(), &ops[0]);
   subject.remove(ops[0]);
   subject.remove(ops[1]);
   EXPECT_TRUE(subject.nothing_waits());
}

TEST_F(command_queue_machine, backlog_follows_what_is_taken_out) {
   for (operation& op : ops) subject.push(op);
   for (operation& op : ops) subject.hold_back(op);
   EXPECT_EQ(subject.held_back(0).newest, &ops[2]);
   subject.remove(ops[2]);
   EXPECT_EQ(subject.held_back(0).newest, nullptr) << "begun anew: a write is gone";
   subject.hold_back(ops[0]);
   subject.take(ops[0]);
   EXPECT_EQ(subject.held_back(0).newest, nullptr);
   subject.hold_back(ops[1]);
   EXPECT_EQ(subject.held_back(1).newest, nullptr) << "another round of the gate";
}

}  // namespace
}  // namespace holdfast::impl::test::command_queue_test
