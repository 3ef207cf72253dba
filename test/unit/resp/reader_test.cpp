#include "resp/reader.hpp"

#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace holdfast::impl::reader_test {
namespace {

using namespace std::string_literals;
using test::every_byte;
using test::feed;

struct example {
   std::string bytes = {};
   value meaning = {};
};

value text(std::string_view t) { return value::of_string(t); }
value number(std::int64_t n) { return value::of_integer(n); }

const std::vector<example>& corpus() {
   static const std::vector<example> all = {
      // RESP2
      {"+OK\r\n", value::of_status("OK")},
      {"+\r\n", value::of_status("")},
      {"-ERR unknown command\r\n", value::of_error("ERR unknown command")},
      {":0\r\n", number(0)},
      {":1000\r\n", number(1000)},
      {":-1\r\n", number(-1)},
      {":+7\r\n", number(7)},
      {":9223372036854775807\r\n", number(std::numeric_limits<std::int64_t>::max())},
      {":-9223372036854775808\r\n", number(std::numeric_limits<std::int64_t>::min())},
      {"$5\r\nhello\r\n", text("hello")},
      {"$0\r\n\r\n", text("")},
      {"$-1\r\n", value{}},
      {"$4\r\n\r\n\r\n\r\n", text("\r\n\r\n")},
      {"$6\r\na\0\r\n$\xff\r\n"s, text("a\0\r\n$\xff"s)},
      {"$60\r\n" + std::string(60, 'x') + "\r\n", text(std::string(60, 'x'))},
      {"*0\r\n", value::of_array({})},
      {"*-1\r\n", value{}},
      {"*2\r\n$3\r\nfoo\r\n$3\r\nbar\r\n", value::of_array({text("foo"), text("bar")})},
      {"*3\r\n:1\r\n$-1\r\n*-1\r\n", value::of_array({number(1), value{}, value{}})},
      {"*2\r\n*1\r\n:1\r\n*2\r\n+a\r\n-b\r\n",
       value::of_array({value::of_array({number(1)}), value::of_array({value::of_status("a"), value::of_error("b")})})},
      {"*1\r\n*1\r\n*0\r\n", value::of_array({value::of_array({value::of_array({})})})},
      {"*3\r\n*0\r\n*0\r\n:1\r\n", value::of_array({value::of_array({}), value::of_array({}), number(1)})},
      // RESP3
      {"_\r\n", value{}},
      {"#t\r\n", value::of_boolean(true)},
      {"#f\r\n", value::of_boolean(false)},
      {",3.25\r\n", value::of_real(3.25)},
      {",10\r\n", value::of_real(10)},
      {",-1.5e-7\r\n", value::of_real(-1.5e-7)},
      {",+2.5\r\n", value::of_real(2.5)},
      {",inf\r\n", value::of_real(std::numeric_limits<double>::infinity())},
      {",-inf\r\n", value::of_real(-std::numeric_limits<double>::infinity())},
      {",nan\r\n", value::of_real(std::numeric_limits<double>::quiet_NaN())},
      {",-nan\r\n", value::of_real(std::numeric_limits<double>::quiet_NaN())},
      {"(3492890328409238509324850943850943825024385\r\n",
       value::of_big_number("3492890328409238509324850943850943825024385")},
      {"(-12\r\n", value::of_big_number("-12")},
      {"!21\r\nSYNTAX invalid syntax\r\n", value::of_error("SYNTAX invalid syntax")},
      {"=15\r\ntxt:Some string\r\n", value::of_verbatim("Some string")},
      {"=4\r\nmkd:\r\n", value::of_verbatim("")},
      {"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
       value::of_map({{value::of_status("a"), number(1)}, {value::of_status("b"), value::of_array({number(2)})}})},
      {"%0\r\n", value::of_map({})},
      {"~2\r\n+a\r\n#t\r\n", value::of_set({value::of_status("a"), value::of_boolean(true)})},
      {">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n", value::of_push({text("message"), text("c"), text("hi")})},
      // Attributes are dropped, wherever they stand.
      {"|1\r\n+ttl\r\n:3600\r\n:1\r\n", number(1)},
      {"|0\r\n:1\r\n", number(1)},
      {"|1\r\n+a\r\n%1\r\n+b\r\n*2\r\n:1\r\n:2\r\n*2\r\n:3\r\n|1\r\n+ttl\r\n:9\r\n:4\r\n",
       value::of_array({number(3), number(4)})},
      {"*1\r\n|1\r\n|1\r\n+x\r\n+y\r\n+a\r\n+b\r\n*1\r\n:7\r\n", value::of_array({value::of_array({number(7)})})},
      {"|1\r\n+a\r\n+b\r\n|1\r\n+c\r\n+d\r\n>1\r\n+p\r\n", value::of_push({value::of_status("p")})},
   };
   return all;
}

std::string whole_corpus() {
   std::string all;
   for (const example& e : corpus()) all += e.bytes;
   return all;
}

std::vector<value> meanings() {
   std::vector<value> all;
   for (const example& e : corpus()) all.push_back(e.meaning);
   return all;
}

TEST(reader, understands_each_kind_of_reply_of_both_protocols) {
   for (const example& e : corpus()) {
      const auto result = feed(e.bytes);
      EXPECT_EQ(result.problem, "") << e.bytes;
      EXPECT_TRUE(result.at_rest) << e.bytes;
      ASSERT_EQ(result.replies.size(), 1u) << e.bytes;
      EXPECT_EQ(result.replies[0], e.meaning) << e.bytes;
   }
}

TEST(reader, finds_the_same_replies_however_a_single_one_is_cut_in_two) {
   for (const example& e : corpus()) {
      const auto whole = feed(e.bytes);
      for (std::size_t cut = 1; cut < e.bytes.size(); ++cut) {
         EXPECT_EQ(feed(e.bytes, {cut}), whole) << e.bytes << " cut at " << cut;
      }
   }
}

TEST(reader, finds_the_same_replies_byte_by_byte) {
   const std::string all = whole_corpus();
   const auto result = feed(all, every_byte(all));
   EXPECT_EQ(result.problem, "");
   EXPECT_EQ(result.replies, meanings());
}

TEST(reader, finds_the_same_replies_of_a_stream_in_random_pieces) {
   std::string all;
   for (int i = 0; i != 5; ++i) all += whole_corpus();
   std::vector<value> expected;
   for (int i = 0; i != 5; ++i) {
      for (const value& v : meanings()) expected.push_back(v);
   }
   std::mt19937 random{7};
   for (int round = 0; round != 300; ++round) {
      std::vector<std::size_t> cuts;
      const std::size_t longest = 1 + random() % (round % 2 == 0 ? 9 : 400);
      for (std::size_t at = 1 + random() % longest; at < all.size(); at += 1 + random() % longest) cuts.push_back(at);
      const auto result = feed(all, cuts);
      ASSERT_EQ(result.problem, "") << "round " << round;
      ASSERT_EQ(result.replies, expected) << "round " << round;
   }
}

TEST(reader, says_at_rest_only_between_replies) {
   reader r{limits{}};
   EXPECT_EQ(r.buffered(), 0U);
   EXPECT_EQ(r.next(), reader::status::incomplete);
   test::put(r, "*1\r\n");
   EXPECT_EQ(r.next(), reader::status::incomplete);
   EXPECT_NE(r.buffered(), 0U);
   EXPECT_EQ(r.buffered(), 4u);
   test::put(r, ":1\r\n:2");
   EXPECT_EQ(r.next(), reader::status::reply);
   EXPECT_NE(r.buffered(), 0U);
   EXPECT_EQ(r.buffered(), 2u);
   EXPECT_EQ(r.next(), reader::status::incomplete);
   test::put(r, "\r\n");
   EXPECT_EQ(r.next(), reader::status::reply);
   EXPECT_EQ(r.buffered(), 0U);
   EXPECT_EQ(r.next(), reader::status::incomplete);
   EXPECT_EQ(r.buffered(), 0U);
}

TEST(reader, is_at_rest_no_more_after_an_attribute_alone) {
   reader r{limits{}};
   test::put(r, "|0\r\n");
   EXPECT_EQ(r.next(), reader::status::incomplete);
   EXPECT_NE(r.buffered(), 0U);
}

TEST(reader, keeps_a_reply_in_place_until_asked_for_the_next) {
   reader r{limits{}};
   test::put(r, "$3\r\nfoo\r\n$3\r\nbar\r\n");
   ASSERT_EQ(r.next(), reader::status::reply);
   const value_view foo = r.reply();
   EXPECT_EQ(foo.text(), "foo");
   EXPECT_EQ(r.reply().text(), "foo");
   ASSERT_EQ(r.next(), reader::status::reply);
   EXPECT_EQ(r.reply().text(), "bar");
}

TEST(reader, starts_anew_after_a_reset_in_the_middle_of_a_reply) {
   for (const std::string_view half : {"*2\r\n$3\r\nfo", "$100\r\nabc", "+O", "|1\r\n+a\r\n", ":1\r\n", "?"}) {
      reader r{limits{}};
      test::put(r, half);
      (void)r.next();
      r.reset();
      EXPECT_EQ(r.buffered(), 0U);
      EXPECT_EQ(r.problem(), "");
      test::put(r, "+PONG\r\n");
      ASSERT_EQ(r.next(), reader::status::reply) << half;
      EXPECT_EQ(r.reply(), value::of_status("PONG"));
   }
}

TEST(reader, keeps_its_storage_small_over_many_replies) {
   reader r{limits{}};
   const std::string reply = "$1000\r\n" + std::string(1000, 'x') + "\r\n";
   test::put(r, reply.substr(0, 10));  // never at rest: a part of the next reply is always there
   std::size_t space = 0;
   for (int i = 0; i != 10'000; ++i) {
      test::put(r, reply.substr(10) + reply.substr(0, 10));
      ASSERT_EQ(r.next(), reader::status::reply);
      ASSERT_EQ(r.next(), reader::status::incomplete);
      space = std::max(space, r.prepare(1).size());
   }
   EXPECT_LT(space, 64u * 1024);
}

TEST(reader, gives_back_what_a_large_reply_took) {
   reader r{limits{}};
   const std::string body(9'000'000, 'y');
   std::string many = "*200000\r\n";
   for (int i = 0; i != 200'000; ++i) many += ":7\r\n";
   for (const std::string& large : {"$" + std::to_string(body.size()) + "\r\n" + body + "\r\n", many}) {
      test::put(r, large);
      ASSERT_EQ(r.next(), reader::status::reply);
      ASSERT_EQ(r.next(), reader::status::incomplete);
      EXPECT_LE(r.prepare(1).size(), 4u * 1024 * 1024);
      test::put(r, "*2\r\n:1\r\n$1\r\na\r\n");
      ASSERT_EQ(r.next(), reader::status::reply);
      EXPECT_EQ(r.reply(), value::of_array({value::of_integer(1), value::of_string("a")}));
      ASSERT_EQ(r.next(), reader::status::incomplete);
   }
}

TEST(reader, offers_the_space_that_is_asked_for) {
   reader r{limits{}};
   EXPECT_GE(r.prepare().size(), 64u * 1024);
   EXPECT_GE(r.prepare(1'000'000).size(), 1'000'000u);
   test::put(r, "$3\r\nab");
   EXPECT_GE(r.prepare(2'000'000).size(), 2'000'000u);
   test::put(r, "c\r\n");
   ASSERT_EQ(r.next(), reader::status::reply);
   EXPECT_EQ(r.reply().text(), "abc");
}

TEST(reader, takes_a_reply_of_many_megabytes_in_pieces) {
   const std::string body(9'000'000, 'y');
   const std::string bytes = "*2\r\n$" + std::to_string(body.size()) + "\r\n" + body + "\r\n:1\r\n";
   std::vector<std::size_t> cuts;
   for (std::size_t at = 65'536; at < bytes.size(); at += 65'536) cuts.push_back(at);
   const auto result = feed(bytes, cuts);
   ASSERT_EQ(result.replies.size(), 1u);
   EXPECT_EQ(result.replies[0][0].text(), body);
   EXPECT_EQ(result.replies[0][1].integer(), 1);
}

}  // namespace
}  // namespace holdfast::impl::reader_test
