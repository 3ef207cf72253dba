#include "topology/sentinel/published_target.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace holdfast::impl::published_target_test {
namespace {

const master_node first{{"10.0.0.1", 6379}, 5};
const master_node second{{"10.0.0.2", 6379}, 6};

class published_target_test : public testing::Test {
 protected:
   published_target p;
   event_queue events{true};

   void name(const master_node& m, const std::string& run_id = {}) { p.name(m, run_id, false, events); }
   // From whom to whom, of each that was told since.
   std::vector<std::pair<endpoint, endpoint>> told() {
      std::vector<std::pair<endpoint, endpoint>> all;
      std::vector<any_event> taken;
      events.take(taken);
      for (const auto& e : taken)
         all.emplace_back(std::get<event::master_named>(e).from, std::get<event::master_named>(e).to);
      return all;
   }
};

TEST_F(published_target_test, each_change_has_a_generation_and_a_new_address_is_told) {
   EXPECT_FALSE(p.now());
   name(first);
   EXPECT_EQ(p.now()->generation, 1u);
   name(first, "run-id");
   EXPECT_EQ(p.now()->generation, 1u);
   EXPECT_EQ(p.now()->run_id, "run-id");
   EXPECT_EQ(told().size(), 1u);
   name({first.where, 6});
   EXPECT_EQ(p.now()->generation, 2u);
   EXPECT_TRUE(told().empty()) << "the same node, under another epoch";
   name(second);
   EXPECT_EQ(p.now()->generation, 3u);
   EXPECT_EQ(told(), (std::vector<std::pair<endpoint, endpoint>>{{first.where, second.where}}));
}

TEST_F(published_target_test, loss_is_told_once_and_so_is_the_return) {
   name(first);
   told();
   p.withhold();
   EXPECT_FALSE(p.now());
   EXPECT_TRUE(p.lose());
   p.withhold();
   EXPECT_FALSE(p.lose());
   name(first);
   EXPECT_EQ(p.now()->generation, 1u) << "the same one";
   EXPECT_EQ(told().size(), 1u);
   p.withhold();
   EXPECT_TRUE(p.lose());
}

}  // namespace
}  // namespace holdfast::impl::published_target_test
