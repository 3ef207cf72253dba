// How the wishes of many lanes become the questions of one watch, and what the lanes are told.
#include "engine/publisher.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>
#include <vector>

namespace holdfast::engine {
namespace {

using namespace std::chrono_literals;

const endpoint a{"10.0.0.1", 6379};
const endpoint b{"10.0.0.2", 6379};

// A watch as its script has it.
class scripted final : public lane::guide {
 public:
   round ask(time_point) override { return ++asked; }
   bool answered(round r) const override { return r <= finished; }
   std::optional<lane::named_node> target() const override { return named; }
   std::optional<lane::trouble> why_none() const override { return why; }
   bool roles_matter() const override { return true; }
   bool in_doubt() const override { return doubt; }
   time_point hold_writes_until() const override { return hold; }
   bool failover_in_progress() const override { return failover; }
   bool objectively_down() const override { return down; }
   void role_verified(const endpoint& e, std::uint64_t, time_point) override { verified.push_back(e); }
   void role_refused(const endpoint& e, std::string_view, time_point) override { refused.push_back(e); }
   void need(bool n, time_point) override { needed = n; }

   round asked = 0;
   round finished = 0;
   std::optional<lane::named_node> named = {};
   std::optional<lane::trouble> why = {};
   time_point hold = time_point::min();
   bool doubt = false, failover = false, down = false, needed = false;
   std::vector<endpoint> verified = {}, refused = {};
};

class Publisher : public testing::Test {
 protected:
   Publisher() { said_ = subject_.changed({}); }

   // The lanes' tickets, up to this one.
   void ask(snapshot::ticket t) {
      wishes_.asked = t;
      take();
   }
   void take() {
      subject_.take(wishes_, now_);
      wishes_.reports.clear();
      if (auto s = subject_.changed(down_after_)) {
         said_ = s;
         ++publications_;
      }
   }

   scripted watch_;
   publisher subject_{watch_};
   lane_wishes wishes_;
   time_point now_ = time_point{} + 1h;
   std::optional<duration> down_after_ = {};
   std::shared_ptr<const snapshot> said_;
   unsigned publications_ = 0;
};

TEST_F(Publisher, AsksForTheFirstWhoAsksAtOnceAndAnswersWhenTheRoundIsOver) {
   take();
   EXPECT_EQ(watch_.asked, 0U) << "nobody wants to know";
   ask(1);
   EXPECT_EQ(watch_.asked, 1U);
   EXPECT_EQ(said_->finished, 0U);
   watch_.finished = 1;
   take();
   EXPECT_EQ(said_->finished, 1U);
}

TEST_F(Publisher, AsksOnceForAllWhoAskWhileAQuestionIsUnderWay) {
   for (snapshot::ticket t = 1; t <= 100; ++t) ask(t);
   EXPECT_EQ(watch_.asked, 1U);
   EXPECT_EQ(subject_.next_deadline(), now_ + publisher::spacing);
   watch_.finished = 1;
   take();
   EXPECT_EQ(said_->finished, 1U) << "the others asked after that question";
   EXPECT_EQ(watch_.asked, 2U) << "and are asked for at once";
   EXPECT_EQ(subject_.next_deadline(), never);
   watch_.finished = 2;
   take();
   EXPECT_EQ(said_->finished, 100U);
}

TEST_F(Publisher, AsksAtASlowerPaceWhileLanesAskInVain) {
   wishes_.needed = true;
   snapshot::ticket t = 0;
   for (const auto end = now_ + 10s; now_ < end; now_ += 1ms) {
      ask(++t);
      watch_.finished = watch_.asked;
   }
   EXPECT_LE(watch_.asked, 10s / publisher::outage_spacing + publisher::patience / 1ms + 2);
   EXPECT_GE(watch_.asked, 10s / publisher::outage_spacing);
   wishes_.needed = false;
   const auto before = watch_.asked;
   ask(++t);
   ask(++t);
   EXPECT_EQ(watch_.asked, before + 1);
}

TEST_F(Publisher, DoesNotWaitForASlowRoundToBeginTheNext) {
   ask(1);
   now_ += 20ms;
   ask(2);
   EXPECT_EQ(watch_.asked, 2U);
   watch_.finished = 1;
   take();
   EXPECT_EQ(said_->finished, 1U);
   watch_.finished = 2;
   take();
   EXPECT_EQ(said_->finished, 2U);
}

TEST_F(Publisher, KeepsABoundedNumberOfQuestionsAndAnswersAllOfThem) {
   for (snapshot::ticket t = 1; t <= 1000; ++t) {
      ask(t);
      now_ += publisher::spacing;
   }
   EXPECT_EQ(watch_.asked, 1000U);
   watch_.finished = 1000;
   take();
   EXPECT_EQ(said_->finished, 1000U);
}

TEST_F(Publisher, TakesAnotherMasterForAnAnswerToAllWhoAsked) {
   ask(1);
   ask(2);
   watch_.named = {b, 2, 1};
   take();
   EXPECT_EQ(said_->finished, 2U);
   EXPECT_EQ(said_->target, watch_.named);
   EXPECT_EQ(subject_.next_deadline(), never);
   now_ += 1s;
   take();
   EXPECT_EQ(watch_.asked, 1U) << "there is nothing left to ask";
}

TEST_F(Publisher, SaysAllThatALaneAsksOfItsGuide) {
   watch_.why = lane::trouble{errc::unknown_master, {"one cause"}, true};
   watch_.doubt = watch_.failover = watch_.down = true;
   watch_.hold = now_ + 1s;
   down_after_ = 3s;
   take();
   EXPECT_EQ(said_->why_none, watch_.why);
   EXPECT_TRUE(said_->in_doubt && said_->failover_in_progress && said_->objectively_down && said_->roles_matter);
   EXPECT_EQ(said_->hold_writes_until, watch_.hold);
   EXPECT_EQ(said_->down_after, 3s);
}

TEST_F(Publisher, SaysNothingTwice) {
   watch_.named = {a, 1, 1};
   take();
   take();
   EXPECT_EQ(publications_, 1U);
   ask(1);
   watch_.finished = 1;
   take();
   EXPECT_EQ(publications_, 2U);
}

TEST(Snapshot, ThatOnlyAnswersIsNoNewsForThoseWhoDidNotAsk) {
   snapshot one{.target = lane::named_node{a, 1, 1}};
   snapshot two = one;
   two.finished = 7;
   EXPECT_FALSE(is_news(one, two));
   two.in_doubt = true;
   EXPECT_TRUE(is_news(one, two));
}

// A lane was refused by a node that was no master yet; by the time we hear of it, it is one and named as such.
TEST_F(Publisher, DoesNotPassOnARefusalOfAnEarlierNaming) {
   watch_.named = {b, 3, 3};
   wishes_.report({b, 1, "slave"});
   take();
   EXPECT_TRUE(watch_.refused.empty());
}

TEST_F(Publisher, PassesOnNeedAndWhatIsSaidOfTheNamedNodeOnly) {
   watch_.named = {b, 2, 1};
   wishes_.needed = true;
   wishes_.report({a, 1, {}});
   wishes_.report({b, 2, {}});
   wishes_.report({a, 1, "slave"});
   wishes_.report({b, 1, "slave"});
   take();
   EXPECT_TRUE(watch_.needed);
   EXPECT_EQ(watch_.verified, std::vector<endpoint>{b});
   EXPECT_EQ(watch_.refused, std::vector<endpoint>{b});
   wishes_.needed = false;
   take();
   EXPECT_FALSE(watch_.needed);
   EXPECT_EQ(watch_.refused.size(), 1U);
}

TEST(LaneWishes, TakeTheSameFromManyLanesOnceAndABoundedNumberOfDifferentOnes) {
   lane_wishes w;
   for (int i = 0; i < 1000; ++i) w.report({a, 1, {}});
   EXPECT_EQ(w.reports.size(), 1U);
   for (std::uint64_t i = 0; i < 1000; ++i) w.report({a, i, {}});
   EXPECT_EQ(w.reports.size(), lane_wishes::most_reports);
   EXPECT_EQ(w.reports.back().number, 999U) << "the newest stay";
}

}  // namespace
}  // namespace holdfast::engine
