// Bytes of a connection between the moment they come and the moment they are used.
#include "resp/receive_buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace holdfast::impl::receive_buffer_test {
namespace {

void receive(receive_buffer& b, std::string_view bytes, std::size_t at_least = 1) {
   const auto space = b.prepare(std::max(at_least, bytes.size()));
   std::memcpy(space.data(), bytes.data(), bytes.size());
   b.commit(bytes.size());
}

std::string_view waiting(const receive_buffer& b) { return {b.begin(), b.size()}; }

TEST(receive_buffer, bytes_wait_in_order_until_they_are_used) {
   receive_buffer b;
   EXPECT_EQ(b.size(), 0U);
   receive(b, "+PO");
   receive(b, "NG\r\n:1");
   EXPECT_EQ(waiting(b), "+PONG\r\n:1");
   b.use(7);
   EXPECT_EQ(waiting(b), ":1");
   EXPECT_EQ(b.end() - b.begin(), 2);
   receive(b, "\r\n");
   EXPECT_EQ(waiting(b), ":1\r\n");
}

TEST(receive_buffer, space_is_at_least_as_large_as_asked_for) {
   receive_buffer b;
   for (const std::size_t n : {1U, 100U, 5000U, 70000U}) {
      EXPECT_GE(b.prepare(n).size(), n);
      receive(b, "kept");
   }
   EXPECT_EQ(waiting(b), "keptkeptkeptkept");
}

TEST(receive_buffer, used_bytes_make_space_without_new_memory) {
   receive_buffer b;
   receive(b, std::string(1000, 'x'), 1024);
   const auto capacity = b.capacity();
   b.use(990);
   for (int i = 0; i < 1000; ++i) {
      receive(b, std::string(500, 'y'));
      b.use(500);
   }
   EXPECT_EQ(b.capacity(), capacity);
   EXPECT_EQ(waiting(b), std::string(10, 'y'));
}

TEST(receive_buffer, waiting_bytes_are_moved_only_if_as_many_were_used) {
   receive_buffer b;
   receive(b, std::string(1000, 'x'), 1024);
   b.use(100);
   (void)b.prepare(100);
   EXPECT_GT(b.capacity(), 1024U) << "900 would be moved to win 100";
   EXPECT_EQ(waiting(b), std::string(900, 'x'));
}

TEST(receive_buffer, memory_is_given_back_if_empty_and_large) {
   constexpr std::size_t large = std::size_t{5} << 20;
   receive_buffer b;
   receive(b, "x", large);
   (void)b.prepare(1);
   EXPECT_GE(b.capacity(), large) << "one byte waits";
   b.use(1);
   (void)b.prepare(1);
   EXPECT_LT(b.capacity(), large);
   receive(b, "x", 1000);
   const auto small = b.capacity();
   b.clear();
   EXPECT_EQ(b.size(), 0U);
   EXPECT_EQ(b.capacity(), small);
}

}  // namespace
}  // namespace holdfast::impl::receive_buffer_test
