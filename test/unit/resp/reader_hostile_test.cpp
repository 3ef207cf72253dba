// What a broken or hostile server may send: it ends as `broken`, at once, and costs no more memory than it sent.
#include "resp/reader.hpp"
#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>

#include <random>

namespace holdfast::impl::reader_hostile_test {
namespace {

using namespace std::string_literals;
using test::every_byte;
using test::feed;

struct broken_stream {
   std::string bytes = {};
   std::string because = {};  // a part of the problem
};

const std::vector<broken_stream> broken_streams = {
   {"HTTP/1.1 400 Bad Request\r\n", "expected the start of a reply, found \"H"},
   {"\x15\x03\x01"s, "expected the start of a reply, found \"\\x15"},
   {"\r\n", "expected the start of a reply"},
   {"OK\r\n", "expected the start of a reply"},
   {"\0"s, "expected the start of a reply"},
   // streamed replies, which no server sends
   {"$?\r\n", "expected a number"},
   {"*?\r\n", "expected a number"},
   {"%?\r\n", "expected a number"},
   {";4\r\nabcd\r\n", "expected the start of a reply"},
   {".\r\n", "expected the start of a reply"},
   // numbers
   {":\r\n", "expected a number"},
   {":-\r\n", "expected a number"},
   {":+-1\r\n", "expected a number"},
   {":1a\r\n", "expected a number"},
   {": 1\r\n", "expected a number"},
   {":1 \r\n", "expected a number"},
   {":0x10\r\n", "expected a number"},
   {":9223372036854775808\r\n", "too large"},
   {":-9223372036854775809\r\n", "too large"},
   {":99999999999999999999", "too large"},
   {":00000000000000000000", "too large"},
   {":1\n", "expected a number"},
   {":1\r\r", "expected a line feed"},
   // lengths
   {"$-2\r\n", "expected a length"},
   {"$\r\n", "expected a number"},
   {"$5x\r\n", "expected a number"},
   {"$9223372036854775807\r\n", "larger than the limit"},
   {"$536870912\r\n", "larger than the limit"},
   {"$3\r\nabcd\r\n", "longer than announced"},
   {"$3\r\nabc\rx", "longer than announced"},
   {"$0\r\nab", "longer than announced"},
   {"!-1\r\n", "expected a length"},
   {"=-1\r\n", "expected a length"},
   {"=3\r\ntxt\r\n", "verbatim"},
   {"=5\r\nabcde\r\n", "verbatim"},
   // counts
   {"*-2\r\n", "expected a number of elements"},
   {"%-1\r\n", "expected a number of elements"},
   {"~-1\r\n", "expected a number of elements"},
   {">-1\r\n", "expected a number of elements"},
   {"|-1\r\n", "expected a number of elements"},
   {"*9223372036854775807\r\n", "more elements than the limit"},
   {"%9223372036854775807\r\n", "more elements than the limit"},
   {"*4294967297\r\n", "more elements than the limit"},
   {"%8388609\r\n", "more elements than the limit"},
   // lines
   {"+a\rb", "expected a line feed"},
   {"-ERR a\rb", "expected a line feed"},
   {"+" + std::string((1 << 20) + 1, 'x'), "a line that is too long"},
   {"_x\r\n", "a line that is too long"},
   {"#\r\n", "expected a boolean"},
   {"#x\r\n", "expected a boolean"},
   {"#true", "a line that is too long"},
   {",\r\n", "expected a number"},
   {",abc\r\n", "expected a number"},
   {",1.5x\r\n", "expected a number"},
   {",1e999\r\n", "expected a number"},
   {",infinity\r\n", "expected a number"},
   {",nan(1)\r\n", "expected a number"},
   {",--1\r\n", "expected a number"},
   {"," + std::string(200, '1'), "a line that is too long"},
   {"(\r\n", "expected a number"},
   {"(-\r\n", "expected a number"},
   {"(12a\r\n", "expected a number"},
   // a push stands between replies, never in one
   {"*1\r\n>1\r\n+a\r\n", "a push message inside another reply"},
   {"|1\r\n>0\r\n+a\r\n", "a push message inside another reply"},
};

std::size_t problem_length(const std::string& problem) { return problem.find('\n'); }

TEST(hostile_server, is_found_out_and_told_in_one_line) {
   for (const broken_stream& s : broken_streams) {
      const auto result = feed(s.bytes);
      EXPECT_NE(result.problem.find(s.because), std::string::npos)
         << s.bytes.substr(0, 60) << " gave: " << result.problem;
      EXPECT_TRUE(result.replies.empty()) << s.bytes.substr(0, 60);
      EXPECT_LT(result.problem.size(), 300u);
      EXPECT_EQ(problem_length(result.problem), std::string::npos);
   }
}

TEST(hostile_server, is_found_out_byte_by_byte_too) {
   for (const broken_stream& s : broken_streams) {
      if (s.bytes.size() > 1000) continue;
      const auto result = feed(s.bytes, every_byte(s.bytes));
      EXPECT_NE(result.problem.find(s.because.substr(0, s.because.find(", found"))), std::string::npos)
         << s.bytes << " gave: " << result.problem;
   }
}

TEST(hostile_server, does_not_spoil_the_replies_before) {
   const auto result = feed("+OK\r\n:1\r\n?oops\r\n:2\r\n");
   EXPECT_EQ(result.replies, (std::vector<value>{value::of_status("OK"), value::of_integer(1)}));
   EXPECT_EQ(result.problem, "expected the start of a reply, found \"?oops\\r\\n:2\\r\\n\"");
}

TEST(hostile_server, stays_broken_whatever_it_sends_next) {
   reader r{limits{}};
   test::put(r, "?");
   ASSERT_EQ(r.next(), reader::status::broken);
   const std::string problem = r.problem();
   test::put(r, "+OK\r\n");
   EXPECT_EQ(r.next(), reader::status::broken);
   EXPECT_EQ(r.problem(), problem);
}

TEST(limit_of_depth, allows_as_many_levels_as_it_says_and_no_more) {
   const limits l{.depth = 4};
   const auto nested = [](int levels) {
      std::string bytes;
      for (int i = 0; i != levels; ++i) bytes += "*1\r\n";
      return bytes + ":1\r\n";
   };
   EXPECT_EQ(feed(nested(4), {}, l).replies.size(), 1u);
   EXPECT_NE(feed(nested(5), {}, l).problem.find("nested deeper"), std::string::npos);
   EXPECT_NE(feed(nested(1'000'000)).problem.find("nested deeper"), std::string::npos);
}

TEST(limit_of_depth, counts_attributes_inside_attributes) {
   std::string bytes;
   for (int i = 0; i != 100; ++i) bytes += "|1\r\n";
   EXPECT_NE(feed(bytes).problem.find("nested deeper"), std::string::npos);
}

TEST(limit_of_elements, counts_those_of_all_aggregates_together) {
   const limits l{.elements = 10};
   EXPECT_EQ(feed("*2\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n", {}, l).replies.size(), 1u);
   EXPECT_NE(feed("*2\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n*5\r\n", {}, l).problem.find("more elements"),
             std::string::npos);
   EXPECT_NE(feed("%6\r\n", {}, l).problem.find("more elements"), std::string::npos);
   EXPECT_EQ(feed("*10\r\n", {}, l).problem, "");
}

TEST(limit_of_elements, is_new_for_each_reply) {
   const limits l{.elements = 2};
   EXPECT_EQ(feed("*2\r\n:1\r\n:1\r\n*2\r\n:1\r\n:1\r\n", {}, l).replies.size(), 2u);
}

TEST(limit_of_bytes, counts_the_framing_and_all_elements) {
   const limits l{.reply_bytes = 20};
   EXPECT_EQ(feed("$12\r\nabcdefghijkl\r\n", {}, l).replies.size(), 1u);
   EXPECT_NE(feed("$17\r\n", {}, l).problem.find("larger than the limit"), std::string::npos);
   EXPECT_NE(feed("*2\r\n$3\r\nabc\r\n$9\r\n", {}, l).problem.find("larger than the limit"), std::string::npos);
   EXPECT_NE(feed("*7\r\n", {}, l).problem.find("larger than the limit"), std::string::npos);
   EXPECT_NE(feed("*5\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n", {}, l).problem.find("larger than"), std::string::npos);
}

TEST(answer_over_limit, is_told_from_what_is_broken_and_from_what_answers_nothing) {
   const auto tells = [](std::string_view bytes) {
      reader r{limits{.reply_bytes = 20, .depth = 2, .elements = 5}};
      test::put(r, bytes);
      while (r.next() == reader::status::reply) {
      }
      return r.answer_over_limit();
   };
   for (const char* answer :
        {"$17\r\n", "*6\r\n", "%3\r\n", "+OK\r\n$17\r\n", "*1\r\n*1\r\n*1\r\n", "*2\r\n:1\r\n$17\r\n"})
      EXPECT_TRUE(tells(answer)) << answer;
   for (const char* none :
        {"!17\r\n", ">6\r\n", ">2\r\n+a\r\n$17\r\n", "|3\r\n", "HTTP/1.1", "$-2\r\n", "*-2\r\n", "+OK\r\n"})
      EXPECT_FALSE(tells(none)) << none;
}

TEST(limit_of_bytes, ends_a_stream_of_attributes_that_never_comes_to_a_reply) {
   const limits l{.reply_bytes = 1000};
   std::string bytes;
   for (int i = 0; i != 300; ++i) bytes += "|0\r\n";
   EXPECT_NE(feed(bytes, {}, l).problem.find("larger than the limit"), std::string::npos);
}

TEST(announced_length, costs_no_memory_before_the_bytes_are_there) {
   reader r{limits{}};
   test::put(r, "$500000000\r\nabc");
   EXPECT_EQ(r.next(), reader::status::incomplete);
   EXPECT_LT(r.prepare().size(), 1'000'000u);
   reader array{limits{}};
   test::put(array, "*16000000\r\n:1\r\n");
   EXPECT_EQ(array.next(), reader::status::incomplete);
   EXPECT_LT(array.prepare().size(), 1'000'000u);
}

TEST(random_bytes, never_do_worse_than_break_the_stream) {
   std::mt19937 random{11};
   const std::string_view alphabet = "$*:+-_,#(!=%~>|0123456789tf\r\n\r\n\r\nxyz";
   for (int round = 0; round != 20'000; ++round) {
      std::string bytes;
      for (std::size_t n = random() % 60; n != 0; --n) bytes += alphabet[random() % alphabet.size()];
      const auto whole = feed(bytes);
      const auto pieces = feed(bytes, every_byte(bytes));
      ASSERT_EQ(whole.replies, pieces.replies) << bytes;
      ASSERT_EQ(whole.problem.empty(), pieces.problem.empty()) << bytes;
   }
}

}  // namespace
}  // namespace holdfast::impl::reader_hostile_test
