// What passes between the clients of a deployment and the thread of its watch.
#include "runtime/shared/notice_board.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::poll {
namespace {

using engine::lane_wishes;
using engine::snapshot;

bool rings(const doorbell& b) {
   pollfd f{b.fd(), POLLIN, 0};
   return ::poll(&f, 1, 0) == 1;
}

std::shared_ptr<const snapshot> saying(snapshot s) { return std::make_shared<const snapshot>(std::move(s)); }

class NoticeBoard : public testing::Test {
 protected:
   lane_wishes wishes() {
      lane_wishes w;
      board_.bell().hush();
      board_.take(w);
      return w;
   }
   notice_board board_{saying({})};
};

TEST_F(NoticeBoard, NumbersWhatIsAskedAndRingsForTheWatch) {
   seat one(board_), two(board_);
   one.enter();
   two.enter();
   EXPECT_FALSE(rings(board_.bell()));
   EXPECT_EQ(one.ask(), 1U);
   EXPECT_EQ(two.ask(), 2U);
   EXPECT_TRUE(rings(board_.bell()));
   EXPECT_EQ(wishes().asked, 2U);
}

TEST_F(NoticeBoard, NewsWakeAllWhoAreInACallAndNobodyElse) {
   seat waits(board_), away(board_);
   waits.enter();
   EXPECT_TRUE(waits.moved()) << "it has seen nothing yet";
   waits.take();
   away.take();
   EXPECT_FALSE(waits.moved());
   board_.publish(saying({.in_doubt = true}));
   EXPECT_TRUE(rings(waits.bell()));
   EXPECT_FALSE(rings(away.bell()));
   EXPECT_TRUE(waits.moved() && away.moved()) << "the other finds out when it comes in";
   EXPECT_TRUE(away.take()->in_doubt);
   EXPECT_FALSE(away.moved());
}

TEST_F(NoticeBoard, AnAnswerWakesThoseWhoAskedForIt) {
   seat first(board_), second(board_), third(board_);
   for (seat* s : {&first, &second, &third}) s->enter();
   first.ask();
   second.ask();
   board_.publish(saying({.finished = 1}));
   EXPECT_TRUE(rings(first.bell()));
   EXPECT_FALSE(rings(second.bell()));
   EXPECT_FALSE(rings(third.bell()));
   first.bell().hush();
   board_.publish(saying({.finished = 2}));
   EXPECT_FALSE(rings(first.bell()));
   EXPECT_TRUE(rings(second.bell()));
}

TEST_F(NoticeBoard, TheNeedOfALaneCountsWhileItsCallerIsInside) {
   seat one(board_);
   one.enter();
   one.need(true);
   EXPECT_TRUE(wishes().needed);
   one.leave();
   EXPECT_FALSE(wishes().needed) << "nobody waits any more";
   one.enter();
   EXPECT_TRUE(wishes().needed) << "it is still without a connection";
   one.need(false);
   EXPECT_FALSE(wishes().needed);
}

TEST_F(NoticeBoard, TheNeedOfAClientGoesWithIt) {
   seat other(board_);
   other.enter();
   {
      seat one(board_);
      one.enter();
      one.need(true);
      other.need(true);
      EXPECT_TRUE(wishes().needed);
   }
   EXPECT_TRUE(wishes().needed) << "the other one's";
   other.need(false);
   EXPECT_FALSE(wishes().needed);
}

TEST_F(NoticeBoard, SeatsGoInAnyOrder) {
   std::vector<std::unique_ptr<seat>> seats;
   for (int i = 0; i < 10; ++i) seats.push_back(std::make_unique<seat>(board_));
   for (const int i : {4, 0, 7, 3}) seats.erase(seats.begin() + i);
   for (const auto& s : seats) s->enter();
   board_.publish(saying({.in_doubt = true}));
   for (const auto& s : seats) EXPECT_TRUE(rings(s->bell()));
}

TEST_F(NoticeBoard, TellsTheWatchTheEnd) {
   lane_wishes w;
   EXPECT_TRUE(board_.take(w));
   board_.close();
   EXPECT_TRUE(rings(board_.bell()));
   EXPECT_FALSE(board_.take(w));
}

// A client that looks, and then waits until it is woken, misses no publication.
TEST_F(NoticeBoard, NothingIsMissedBetweenALookAndAWait) {
   constexpr int rounds = 5000;
   std::atomic<int> seen = 0;
   std::jthread client([&] {
      seat mine(board_);
      while (seen < rounds) {
         mine.enter();
         while (!mine.moved()) {
            pollfd f{mine.bell().fd(), POLLIN, 0};
            if (::poll(&f, 1, 10'000) != 1) ADD_FAILURE() << "it was not woken";
            mine.bell().hush();
         }
         seen = static_cast<int>(mine.take()->finished);
         seen.notify_one();
         mine.leave();
      }
   });
   for (int published = 1; published <= rounds; ++published) {
      // Each differs from the one before by more than its answers.
      board_.publish(saying({.finished = static_cast<snapshot::ticket>(published), .in_doubt = published % 2 == 1}));
      for (int now = seen; now < published && published % 7 != 0; now = seen) seen.wait(now);
   }
}

}  // namespace
}  // namespace holdfast::poll
