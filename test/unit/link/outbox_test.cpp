#include "link/outbox.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <string>

namespace holdfast::impl::outbox_test {
namespace {

std::string pending(const outbox& o) { return {o.pending().begin(), o.pending().end()}; }

void take_back(outbox& o, outbox::position from, outbox::position to) {
   const outbox::range range{from, to};
   o.take_back({&range, 1});
}

TEST(outbox, is_empty_at_first) {
   const outbox o;
   EXPECT_TRUE(o.empty());
   EXPECT_EQ(o.size(), 0u);
   EXPECT_EQ(o.accepted(), 0u);
   EXPECT_EQ(o.appended(), 0u);
   EXPECT_EQ(pending(o), "");
}

TEST(outbox, more_taken_than_given_aborts) {
   outbox o;
   o.append("ab");
   EXPECT_EXIT(o.wrote(3), testing::KilledBySignal(SIGABRT), "assertion failed at link/outbox\\.cpp:[0-9]+: n <= size");
}

TEST(outbox, answers_the_position_behind_what_was_appended) {
   outbox o;
   EXPECT_EQ(o.append("abc"), 3u);
   EXPECT_EQ(o.append(""), 3u);
   EXPECT_EQ(o.append("de"), 5u);
   EXPECT_EQ(pending(o), "abcde");
}

TEST(outbox, counts_what_the_kernel_took_and_keeps_the_rest) {
   outbox o;
   o.append("abcde");
   o.wrote(2);
   EXPECT_EQ(o.accepted(), 2u);
   EXPECT_EQ(o.appended(), 5u);
   EXPECT_EQ(pending(o), "cde");
   EXPECT_EQ(o.append("f"), 6u);
   o.wrote(4);
   EXPECT_TRUE(o.empty());
   EXPECT_EQ(o.accepted(), 6u);
   EXPECT_EQ(o.append("gh"), 8u);
   EXPECT_EQ(pending(o), "gh");
}

TEST(outbox, takes_back_what_was_not_accepted_from_anywhere) {
   outbox o;
   const auto a = o.append("aa");
   const auto b = o.append("bbb");
   o.append("c");
   o.wrote(1);
   take_back(o, a, b);
   EXPECT_EQ(pending(o), "ac");
   EXPECT_EQ(o.appended(), 3u);
   take_back(o, 1, 2);
   EXPECT_EQ(pending(o), "c");
   take_back(o, 1, 2);
   EXPECT_TRUE(o.empty());
   EXPECT_EQ(o.accepted(), 1u);
}

TEST(outbox, takes_back_many_ranges_at_once) {
   outbox o;
   o.append("abcdefgh");
   o.wrote(1);
   const outbox::range ranges[] = {{1, 2}, {2, 4}, {5, 5}, {6, 8}};
   o.take_back(ranges);
   EXPECT_EQ(pending(o), "ef");
   EXPECT_EQ(o.appended(), 3u);
}

TEST(outbox, counts_from_zero_again_for_a_new_connection) {
   outbox o;
   o.append("abcde");
   o.wrote(2);
   o.reset();
   EXPECT_TRUE(o.empty());
   EXPECT_EQ(o.accepted(), 0u);
   EXPECT_EQ(o.append("xy"), 2u);
   EXPECT_EQ(pending(o), "xy");
}

TEST(outbox, holds_the_same_as_a_plain_string_whatever_is_done_to_it) {
   std::mt19937 random{3};
   for (int round = 0; round != 200; ++round) {
      outbox o;
      std::string all;  // of the connection, without what was taken back
      std::size_t accepted = 0;
      for (int step = 0; step != 200; ++step) {
         const std::size_t waiting = all.size() - accepted;
         const auto choice = random() % 8;
         if (choice < 4) {
            const std::string more(random() % 300, static_cast<char>('a' + step % 26));
            all += more;
            ASSERT_EQ(o.append(more), all.size());
         } else if (choice < 7) {
            const std::size_t n = waiting == 0 ? 0 : random() % (waiting + 1);
            accepted += n;
            o.wrote(n);
         } else if (waiting != 0) {
            const std::size_t from = accepted + random() % waiting;
            const std::size_t to = from + random() % (all.size() - from + 1);
            all.erase(from, to - from);
            take_back(o, from, to);
         }
         ASSERT_EQ(o.accepted(), accepted);
         ASSERT_EQ(o.appended(), all.size());
         ASSERT_EQ(pending(o), all.substr(accepted));
      }
   }
}

}  // namespace
}  // namespace holdfast::impl::outbox_test
