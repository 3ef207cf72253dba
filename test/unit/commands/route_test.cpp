#include "commands/route.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace holdfast::impl::route_test {
namespace {

TEST(route, everything_goes_to_the_one_shard) {
   for (const command& c : {command{"GET", "a"}, command{"SET", "b", "1"}, command{"PING"}}) EXPECT_EQ(route(c), 0U);
}

// The check value of the specification; slots as CLUSTER KEYSLOT of Redis 7.0.15 gives them.
TEST(key_slot, is_crc16_modulo_16384) {
   EXPECT_EQ(key_slot("123456789"), 0x31C3);
   EXPECT_EQ(key_slot(""), 0);
   EXPECT_EQ(key_slot("foo"), 12182);
   EXPECT_EQ(key_slot("bar"), 5061);
   EXPECT_EQ(key_slot("somekey"), 11058);
}

TEST(key_slot, of_keys_with_one_tag_is_one) {
   EXPECT_EQ(key_slot("{user1000}.following"), key_slot("{user1000}.followers"));
   EXPECT_EQ(key_slot("{user1000}.following"), key_slot("user1000"));
   EXPECT_EQ(key_slot("foo{hash_tag}"), 2515);
}

TEST(key_slot, hashes_the_first_tag_up_to_the_next_brace) {
   EXPECT_EQ(key_slot("foo{{bar}}zap"), key_slot("{bar"));
   EXPECT_EQ(key_slot("foo{bar}{zap}"), key_slot("bar"));
   EXPECT_EQ(key_slot("}foo{bar}"), key_slot("bar"));
}

TEST(key_slot, without_a_tag_hashes_the_whole_key) {
   EXPECT_EQ(key_slot("foo{}{bar}"), 8363);
   EXPECT_EQ(key_slot("foo{bar"), 15278);
   EXPECT_EQ(key_slot("{}"), 15257);
}

TEST(key_slot, takes_bytes_as_they_are) { EXPECT_EQ(key_slot(std::string_view("\xff\0", 2)), 1023); }

}  // namespace
}  // namespace holdfast::impl::route_test
