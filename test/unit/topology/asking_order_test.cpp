#include "topology/sentinel/asking_order.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::asking_order_test {
namespace {

using namespace std::chrono_literals;

class asking_order_test : public testing::Test {
 protected:
   asking_order_test() {
      for (std::size_t i = 0; i != 3; ++i) o.add(i);
   }
   asking_order o;
   time_point now = time_point{} + 1h;
};

TEST_F(asking_order_test, one_is_dialled_after_the_other) {
   EXPECT_EQ(o.deadline(), never);
   EXPECT_EQ(o.take(now, 50ms), 0u);
   EXPECT_EQ(o.deadline(), now + 50ms);
   EXPECT_EQ(o.take(now += 50ms, 50ms), 1u);
   EXPECT_EQ(o.take(now += 50ms, 50ms), 2u);
   EXPECT_EQ(o.deadline(), never) << "none is left";
   EXPECT_TRUE(o.is_done());
   EXPECT_FALSE(o.take(now, 50ms));
}

TEST_F(asking_order_test, one_that_answers_comes_to_the_front) {
   o.move_to_front(2);
   EXPECT_EQ(o.all(), (std::vector<std::size_t>{2, 0, 1}));
   EXPECT_EQ(o.front(), 2u);
}

TEST_F(asking_order_test, removal_keeps_whose_turn_it_is) {
   o.take(now, 50ms);
   o.remove(0);
   EXPECT_EQ(o.take(now, 50ms), 1u);
   o.add(0);
   o.remove(2);
   EXPECT_EQ(o.take(now, 50ms), 0u);
   o.add(3);
   o.finish();
   EXPECT_TRUE(o.is_done());
}

}  // namespace
}  // namespace holdfast::impl::asking_order_test
