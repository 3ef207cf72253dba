// Which earlier connections a handshake ends, and what became of them.
#include "commands/connection_kills.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace holdfast::impl::connection_kills_test {
namespace {

earlier_connection fate_of(bool same_address, std::string run_id, const std::string& run_id_here) {
   connection_kills k({{{"7", "10.0.0.9:4711", std::move(run_id)}, same_address}});
   std::size_t asked = k.first().size();
   asked += k.later(run_id_here).size();
   if (asked != 0) k.answered({});
   k.conclude(run_id_here);
   return k.all().front();
}

TEST(connection_kills, same_process_is_asked_and_another_is_elsewhere) {
   using fate = earlier_connection::fate;
   EXPECT_EQ(fate_of(true, "run-a", "run-a").is, fate::ended);
   EXPECT_EQ(fate_of(false, "run-a", "run-a").is, fate::ended) << "by another name";
   EXPECT_EQ(fate_of(false, "run-a", "run-b").is, fate::elsewhere);
   EXPECT_FALSE(fate_of(false, "run-a", "run-b").asked);
   EXPECT_EQ(fate_of(true, "run-a", "run-b").is, fate::elsewhere);
}

TEST(connection_kills, refusal_leaves_it_alive) {
   connection_kills k({{{"7", "10.0.0.9:4711", "run-a"}, true}});
   ASSERT_EQ(k.first().size(), 1U);
   k.answered("NOPERM");
   k.conclude("run-a");
   EXPECT_EQ(k.all().front().is, earlier_connection::fate::alive);
   EXPECT_EQ(k.all().front().why, "NOPERM");
}

}  // namespace
}  // namespace holdfast::impl::connection_kills_test
