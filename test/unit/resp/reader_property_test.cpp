// Any value, written as a server would write it and cut anyhow, is read back as the same value.
#include "resp/reader.hpp"
#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

namespace holdfast::impl::reader_property_test {
namespace {

rc::Gen<std::string> any_bytes() { return rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }

rc::Gen<std::string> one_line() {
   return rc::gen::map(any_bytes(), [](std::string s) {
      std::replace_if(s.begin(), s.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
      return s;
   });
}

value scalar() {
   switch (*rc::gen::inRange(0, 9)) {
      case 0: return value{};
      case 1: return value::of_string(*any_bytes());
      case 2: return value::of_status(*one_line());
      case 3: return value::of_error(*any_bytes());
      case 4: return value::of_integer(*rc::gen::arbitrary<std::int64_t>());
      case 5: return value::of_real(*rc::gen::arbitrary<double>());
      case 6: return value::of_boolean(*rc::gen::arbitrary<bool>());
      case 7: return value::of_verbatim(*any_bytes());
      default: return value::of_big_number(std::to_string(*rc::gen::arbitrary<std::int64_t>()));
   }
}

value any_value(int depth) {
   const int choice = depth == 0 ? 0 : *rc::gen::inRange(0, 8);
   std::vector<value> elements;
   for (int n = choice < 4 ? 0 : *rc::gen::inRange(0, 6); n != 0; --n) elements.push_back(any_value(depth - 1));
   switch (choice) {
      case 4:
      case 5: return value::of_array(elements);
      case 6: return value::of_set(elements);
      case 7: {
         std::vector<std::pair<value, value>> pairs;
         for (value& e : elements) pairs.emplace_back(scalar(), e);
         return value::of_map(pairs);
      }
      default: return scalar();
   }
}

TEST(reader_property, reads_back_what_a_serialiser_wrote_in_any_pieces) {
   EXPECT_TRUE(rc::check([] {
      std::vector<value> sent;
      std::string bytes;
      for (int n = *rc::gen::inRange(1, 5); n != 0; --n) {
         sent.push_back(any_value(4));
         if (*rc::gen::inRange(0, 4) == 0) bytes += "|1\r\n" + test::serialised(scalar()) + test::serialised(scalar());
         bytes += test::serialised(sent.back());
      }
      auto cuts = *rc::gen::container<std::vector<std::size_t>>(
         rc::gen::inRange<std::size_t>(0, std::max<std::size_t>(1, bytes.size())));
      std::sort(cuts.begin(), cuts.end());
      const auto result = test::feed(bytes, cuts);
      RC_ASSERT(result.problem.empty());
      RC_ASSERT(result.at_rest);
      RC_ASSERT(result.replies == sent);
   }));
}

TEST(reader_property, breaks_or_waits_but_never_misreads_a_stream_with_one_byte_changed) {
   EXPECT_TRUE(rc::check([] {
      std::string bytes = test::serialised(any_value(3));
      const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
      bytes[at] = *rc::gen::arbitrary<char>();
      const auto whole = test::feed(bytes);
      const auto pieces = test::feed(bytes, test::every_byte(bytes));
      RC_ASSERT(whole.replies == pieces.replies);
      RC_ASSERT(whole.problem.empty() == pieces.problem.empty());
   }));
}

TEST(reader_property, keeps_a_part_of_a_reply_as_it_stood_in_the_whole) {
   EXPECT_TRUE(rc::check([] {
      const value whole = any_value(4);
      for (const value_view part : whole) RC_ASSERT(value{part}.view() == part);
   }));
}

}  // namespace
}  // namespace holdfast::impl::reader_property_test
