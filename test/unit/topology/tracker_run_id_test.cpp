// The run id of the master: as the Sentinels that name it show it, if it is of the address that they name.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::tracker_run_id_test {
namespace {

using namespace test;

const std::string run_1(40, '1');
const std::string run_2(40, '2');

std::string told(deployment& w) {
   const auto r = w.watched.ask(w.now);
   EXPECT_TRUE(w.run_till([&] { return w.watched.answered(r) && w.watched.target(); }));
   w.run_for(20ms);
   return w.watched.target()->run_id;
}

TEST(tracker_run_id, is_what_the_sentinels_agree_on) {
   deployment w;
   EXPECT_EQ(told(w), "");
   for (const auto& s : {s1, s2, s3}) w.at(s).run_id = run_1;
   EXPECT_EQ(told(w), run_1);
   w.at(s1).run_id = {};  // it has not heard an INFO yet
   EXPECT_EQ(told(w), run_1);
   w.at(s2).run_id = run_2;
   EXPECT_EQ(told(w), "") << "two of them saw different processes";
   EXPECT_EQ(w.watched.target()->generation, 1U) << "the master is the same to the lane";
}

// While the leader of a failover waits for the replicas it shows the old master with the new one's address.
TEST(tracker_run_id, of_another_address_is_not_the_masters) {
   deployment w;
   for (const auto& s : {s1, s2, s3}) {
      w.at(s).run_id = run_1;
      w.at(s).shown = new_master;
   }
   EXPECT_EQ(told(w), "");
}

}  // namespace
}  // namespace holdfast::impl::tracker_run_id_test
