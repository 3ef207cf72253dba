#include "runtime/shared/call_mailbox.hpp"

#include "runtime/shared/countdown.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

namespace holdfast::impl::call_mailbox_test {

struct numbered : letter {
   int sender = 0, number = 0;
   countdown* done = nullptr;
};

bool is_readable(const waker& w) {
   pollfd p{w.fd(), POLLIN, 0};
   return ::poll(&p, 1, 0) == 1;
}

TEST(call_mailbox, letters_are_read_in_the_order_in_which_they_were_posted) {
   waker w;
   call_mailbox box(w);
   EXPECT_FALSE(box.read([](letter&) {}));
   numbered letters[5];
   for (int i = 0; i < 5; ++i) {
      letters[i].number = i;
      box.post(letters[i]);
   }
   std::vector<int> read;
   EXPECT_TRUE(box.read([&](letter& l) { read.push_back(static_cast<numbered&>(l).number); }));
   EXPECT_EQ(read, (std::vector<int>{0, 1, 2, 3, 4}));
   EXPECT_FALSE(box.read([](letter&) {}));
   EXPECT_FALSE(is_readable(w)) << "nobody waited";
}

TEST(call_mailbox, sleeper_is_woken_once) {
   waker w;
   call_mailbox box(w);
   numbered first, second;
   EXPECT_TRUE(box.fall_asleep());
   box.post(first);
   EXPECT_TRUE(is_readable(w));
   w.clear();
   box.post(second);
   EXPECT_FALSE(is_readable(w)) << "it is awake by now";
   EXPECT_FALSE(box.fall_asleep()) << "there are letters";
   EXPECT_TRUE(box.read([](letter&) {}));
   EXPECT_TRUE(box.fall_asleep());
}

// Each sender waits for its own letter to be read, and posts the next one.
TEST(call_mailbox, no_letter_of_many_threads_is_lost) {
   waker w;
   call_mailbox box(w);
   constexpr int senders = 8, each = 2000;
   std::atomic<int> left = senders;
   std::deque<std::jthread> all;
   for (int s = 0; s < senders; ++s) {
      all.emplace_back([&, s] {
         for (int n = 0; n < each; ++n) {
            countdown done;
            numbered l;
            l.sender = s, l.number = n, l.done = &done;
            done.add();
            box.post(l);
            done.wait();
         }
         --left;
         w.wake();
      });
   }
   std::vector<int> next(senders, 0);
   while (left != 0) {
      while (box.read([&](letter& l) {
         auto& mine = static_cast<numbered&>(l);
         EXPECT_EQ(mine.number, next[static_cast<std::size_t>(mine.sender)]++);
         mine.done->done();
      })) {
      }
      if (!box.fall_asleep()) continue;
      pollfd p{w.fd(), POLLIN, 0};
      ::poll(&p, 1, -1);
      w.clear();
   }
   EXPECT_EQ(next, std::vector<int>(senders, each));
}

TEST(countdown, waits_for_the_last_of_several) {
   countdown c;
   c.wait();
   for (int i = 0; i < 3; ++i) c.add();
   std::atomic<int> finished = 0;
   std::deque<std::jthread> all;
   for (int i = 0; i < 3; ++i) {
      all.emplace_back([&] {
         ++finished;
         c.done();
      });
   }
   c.wait();
   EXPECT_EQ(finished, 3);
}

}  // namespace holdfast::impl::call_mailbox_test
