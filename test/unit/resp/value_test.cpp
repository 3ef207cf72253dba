#include "unit/resp/feeding.hpp"

#include <holdfast/value.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>
#include <unordered_map>

namespace holdfast::value_test {
namespace {

using namespace std::string_literals;

value text(std::string_view t) { return value::of_string(t); }
value number(std::int64_t n) { return value::of_integer(n); }
value array(const std::vector<value>& v) { return value::of_array(v); }

const std::string long_text(200, 'x');

TEST(value, is_nil_at_first) {
   const value v;
   EXPECT_TRUE(v.is_nil());
   EXPECT_EQ(v.text(), "");
   EXPECT_EQ(v.integer(), 0);
   EXPECT_EQ(v.size(), 0u);
   EXPECT_EQ(v.begin(), v.end());
   EXPECT_EQ(v, value{value_view{}});
}

TEST(value, gives_what_it_holds_and_empty_answers_for_what_it_does_not) {
   EXPECT_EQ(text("a").text(), "a"s);
   EXPECT_EQ(text("7").integer(), 0);
   EXPECT_EQ(number(-7).integer(), -7);
   EXPECT_EQ(value::of_boolean(true).integer(), 1);
   EXPECT_TRUE(value::of_boolean(true).boolean());
   EXPECT_FALSE(number(1).boolean());
   EXPECT_EQ(value::of_real(0.1).real(), 0.1);
   EXPECT_EQ(number(1).real(), 0);
   const value real = value::of_real(2.5);
   EXPECT_EQ(real.text(), "2.5");
   const value n = number(1);
   EXPECT_EQ(n.text(), "");
   EXPECT_TRUE(value::of_error("ERR x").is_error());
}

// Whether moving it, which may not allocate, leaves its text inside of it.
bool lies_inside(const value& v) {
   const auto* const first = reinterpret_cast<const char*>(&v);
   return v.text().data() >= first && v.text().data() < first + sizeof v;
}

TEST(value, holds_up_to_48_bytes_inside_itself) {
   EXPECT_TRUE(lies_inside(text(std::string(48, 'x'))));
   EXPECT_FALSE(lies_inside(text(std::string(49, 'x'))));
   EXPECT_LE(sizeof(value), 64u);
}

TEST(value, can_be_copied_moved_and_assigned_whatever_it_holds) {
   const std::vector<value> all = {value{},
                                   number(5),
                                   text("short"),
                                   text(long_text),
                                   array({}),
                                   array({number(1), text(long_text), array({text("a")})}),
                                   value::of_map({{text("k"), number(1)}})};
   for (const value& from : all) {
      for (const value& over : all) {
         value target = over;
         target = from;
         EXPECT_EQ(target, from);
         value source = from;
         target = over;
         target = std::move(source);
         EXPECT_EQ(target, from);
         value& self = target;
         target = self;
         target = std::move(self);
         EXPECT_EQ(target, from);
      }
      value source = from;
      const value moved = std::move(source);
      EXPECT_EQ(moved, from);
      source = number(9);
      EXPECT_EQ(source.integer(), 9);
   }
}

TEST(value, owns_what_a_view_showed) {
   impl::reader r{impl::limits{}};
   impl::test::put(r, "*3\r\n$2\r\nhi\r\n*2\r\n:1\r\n$100\r\n" + std::string(100, 'z') + "\r\n+OK\r\n");
   ASSERT_EQ(r.next(), impl::reader::status::reply);
   const value whole{r.reply()};
   const value part{r.reply()[1]};
   const value one{r.reply()[0]};
   std::fill(r.prepare().begin(), r.prepare().end(), '?');
   EXPECT_EQ(whole, array({text("hi"), array({number(1), text(std::string(100, 'z'))}), value::of_status("OK")}));
   EXPECT_EQ(part, array({number(1), text(std::string(100, 'z'))}));
   EXPECT_EQ(one, text("hi"));
}

TEST(value, owns_a_part_that_stands_far_behind_in_a_reply) {
   const value whole = array({text(long_text), array({text("a"), number(3), value::of_real(1.5), value{}, array({})})});
   const value part{whole[1]};
   EXPECT_EQ(part, array({text("a"), number(3), value::of_real(1.5), value{}, array({})}));
   const value numbers{array({text(long_text), array({number(1), number(2)})})[1]};
   EXPECT_EQ(numbers, array({number(1), number(2)}));
}

TEST(value, finds_each_element_by_its_index_flat_or_nested) {
   const value flat = array({number(0), text("1"), number(2)});
   EXPECT_EQ(flat.size(), 3u);
   EXPECT_EQ(flat[0].integer(), 0);
   EXPECT_EQ(flat[1].text(), "1");
   EXPECT_EQ(flat[2].integer(), 2);
   const value nested = array({array({number(0), array({number(9), number(9)})}), number(1), array({}), text("3")});
   EXPECT_EQ(nested[0][1][1].integer(), 9);
   EXPECT_EQ(nested[1].integer(), 1);
   EXPECT_TRUE(nested[2].empty());
   EXPECT_EQ(nested[3].text(), "3");
   std::vector<kind> kinds;
   for (const value_view v : nested) kinds.push_back(v.kind());
   EXPECT_EQ(kinds, (std::vector{kind::array, kind::integer, kind::array, kind::string}));
}

TEST(value, shows_a_map_as_pairs_and_as_alternating_elements) {
   const value map = value::of_map({{text("a"), number(1)}, {text("b"), array({number(2), number(3)})}});
   EXPECT_EQ(map.size(), 4u);
   EXPECT_EQ(map.pairs().size(), 2u);
   std::string keys;
   for (const auto [key, mapped] : map.pairs()) keys += key.text();
   EXPECT_EQ(keys, "ab");
   EXPECT_EQ(map[2].text(), "b");
   EXPECT_EQ(map.find("b").size(), 2u);
   EXPECT_TRUE(map.find("c").is_nil());
   const value alternating = array({text("role"), text("master"), text("odd one")});
   EXPECT_EQ(alternating.find("role").text(), "master");
   EXPECT_TRUE(alternating.find("odd one").is_nil());
   EXPECT_TRUE(number(1).find("x").is_nil());
}

TEST(value, can_be_walked_through_step_by_step) {
   const value v = array({text("a"), number(1), text("b"), array({})});
   value_view::iterator at;
   at = v.begin();
   EXPECT_EQ((*at++).text(), "a");
   EXPECT_EQ((*at).integer(), 1);
   EXPECT_EQ(std::distance(v.begin(), v.end()), 4);

   value_view::pair_range::iterator pair;
   pair = v.pairs().begin();
   EXPECT_EQ((*pair++).first.text(), "a");
   EXPECT_EQ((*pair).first.text(), "b");
   EXPECT_TRUE((*pair).second.empty());
   EXPECT_EQ(++pair, v.pairs().end());
   EXPECT_FALSE(v.empty());
   EXPECT_TRUE(array({}).empty());
}

TEST(value, is_equal_only_to_the_same_kind_and_content) {
   EXPECT_EQ(text("a"), text("a"));
   EXPECT_NE(text("a"), text("b"));
   EXPECT_NE(text("a"), value::of_status("a"));
   EXPECT_NE(text("1"), number(1));
   EXPECT_NE(value{}, text(""));
   EXPECT_NE(array({}), value{});
   EXPECT_NE(array({}), value::of_set({}));
   EXPECT_NE(array({number(1)}), array({number(1), number(2)}));
   EXPECT_NE(array({array({number(1)}), number(2)}), array({array({number(1), number(2)})}));
   EXPECT_EQ(value::of_real(std::nan("")), value::of_real(std::nan("")));
   EXPECT_EQ(value::of_real(0.0), value::of_real(-0.0));
}

// ---- as<T>
// -----------------------------------------------------------------------------------------------------------

TEST(as, reads_integers_and_checks_their_range) {
   EXPECT_EQ(number(5).as<long long>(), 5);
   EXPECT_EQ(number(-5).as<int>(), -5);
   EXPECT_EQ(number(255).as<unsigned short>(), 255);
   EXPECT_FALSE(number(70'000).try_as<unsigned short>());
   EXPECT_FALSE(number(-1).try_as<unsigned>());
   EXPECT_FALSE(number(std::numeric_limits<std::int64_t>::min()).try_as<int>());
   EXPECT_EQ(text("42").as<long long>(), 42);  // GET of a counter
   EXPECT_EQ(text("18446744073709551615").as<unsigned long long>(), std::numeric_limits<unsigned long long>::max());
   EXPECT_EQ(value::of_big_number("42").as<int>(), 42);
   EXPECT_EQ(value::of_boolean(true).as<int>(), 1);
   EXPECT_FALSE(text("42x").try_as<int>());
   EXPECT_FALSE(text("").try_as<int>());
   EXPECT_FALSE(value{}.try_as<int>());
   EXPECT_FALSE(value::of_real(1).try_as<int>());
   EXPECT_FALSE(value::of_error("5").try_as<int>());
}

TEST(as, reads_reals_as_either_protocol_sends_them) {
   EXPECT_EQ(value::of_real(1.5).as<double>(), 1.5);
   EXPECT_EQ(text("1.5").as<double>(), 1.5);
   EXPECT_EQ(text("-inf").as<double>(), -std::numeric_limits<double>::infinity());
   EXPECT_EQ(number(3).as<double>(), 3.0);
   EXPECT_EQ(text("1.5").as<float>(), 1.5f);
   EXPECT_FALSE(text("1.5x").try_as<double>());
   EXPECT_FALSE(text("+-1").try_as<double>());
   EXPECT_FALSE(text("+").try_as<double>());
}

TEST(as, reads_booleans_as_either_protocol_sends_them) {
   EXPECT_TRUE(value::of_boolean(true).as<bool>());
   EXPECT_FALSE(number(0).as<bool>());
   EXPECT_TRUE(number(1).as<bool>());
   EXPECT_FALSE(number(2).try_as<bool>());
   EXPECT_FALSE(text("true").try_as<bool>());
}

TEST(as, reads_text) {
   EXPECT_EQ(text("a\0b"s).as<std::string>(), "a\0b"s);
   EXPECT_EQ(value::of_status("OK").as<std::string>(), "OK");
   EXPECT_EQ(value::of_verbatim("v").as<std::string>(), "v");
   EXPECT_EQ(value::of_real(2.5).as<std::string>(), "2.5");
   EXPECT_FALSE(value::of_error("ERR").try_as<std::string>());
   EXPECT_FALSE(number(1).try_as<std::string>());
   EXPECT_FALSE(value{}.try_as<std::string>());
   const value stays = text("stays");
   EXPECT_EQ(stays.as<std::string_view>(), "stays");
}

TEST(as, reads_nil_as_an_empty_optional_only) {
   EXPECT_EQ(value{}.as<std::optional<std::string>>(), std::nullopt);
   EXPECT_EQ(text("a").as<std::optional<std::string>>(), "a");
   EXPECT_EQ(number(4).as<std::optional<long>>(), 4);
   EXPECT_FALSE(text("a").try_as<std::optional<int>>());
   EXPECT_FALSE(value{}.try_as<std::vector<int>>());
}

TEST(as, reads_lists) {
   EXPECT_EQ(array({number(1), text("2")}).as<std::vector<int>>(), (std::vector{1, 2}));
   EXPECT_EQ(value::of_set({text("a"), text("b")}).as<std::set<std::string>>(), (std::set<std::string>{"a", "b"}));
   EXPECT_EQ(array({text("a"), value{}}).as<std::vector<std::optional<std::string>>>(),
             (std::vector<std::optional<std::string>>{"a", std::nullopt}));
   EXPECT_EQ(array({array({number(1)}), array({})}).as<std::vector<std::vector<int>>>(),
             (std::vector<std::vector<int>>{{1}, {}}));
   EXPECT_FALSE(array({text("a")}).try_as<std::vector<int>>());
   EXPECT_FALSE(number(1).try_as<std::vector<int>>());
   EXPECT_EQ(array({number(1), text("a")}).as<std::vector<value>>()[1], text("a"));
   EXPECT_EQ(array({number(0), number(1)}).as<std::vector<bool>>(), (std::vector{false, true}));
}

TEST(as, reads_maps_in_each_of_the_shapes_that_servers_use) {
   using map = std::map<std::string, int>;
   const map expected{{"a", 1}, {"b", 2}};
   EXPECT_EQ(value::of_map({{text("a"), number(1)}, {text("b"), number(2)}}).as<map>(), expected);
   EXPECT_EQ(array({text("a"), text("1"), text("b"), text("2")}).as<map>(), expected);
   EXPECT_EQ(array({array({text("a"), number(1)}), array({text("b"), number(2)})}).as<map>(), expected);
   EXPECT_EQ((array({text("a"), number(1)}).as<std::unordered_map<std::string, int>>().at("a")), 1);
   EXPECT_TRUE(array({}).as<map>().empty());
   EXPECT_FALSE(array({text("a")}).try_as<map>());
   EXPECT_FALSE(array({array({text("a")})}).try_as<map>());
   EXPECT_FALSE(value{}.try_as<map>());
   using scores = std::vector<std::pair<std::string, double>>;
   EXPECT_EQ(array({text("a"), text("1.5")}).as<scores>(), (scores{{"a", 1.5}}));
   EXPECT_EQ(array({array({text("a"), value::of_real(1.5)})}).as<scores>(), (scores{{"a", 1.5}}));
   EXPECT_EQ((array({text("k"), text("v")}).as<std::pair<std::string, std::string>>().second), "v");
}

TEST(as, reads_tuples_and_arrays_of_as_many_elements) {
   const value three = value::of_array({value::of_string("a"), value::of_integer(2), value::of_real(0.5)});
   EXPECT_EQ((three.as<std::tuple<std::string, int, double>>()), std::tuple("a", 2, 0.5));
   EXPECT_FALSE((three.try_as<std::tuple<std::string, int>>()));
   EXPECT_FALSE((three.try_as<std::tuple<std::string, int, double, int>>()));
   EXPECT_FALSE((three.try_as<std::tuple<int, int, double>>()));
   const value two = value::of_array({value::of_integer(1), value::of_integer(2)});
   EXPECT_EQ((two.as<std::array<int, 2>>()), (std::array{1, 2}));
   EXPECT_FALSE((two.try_as<std::array<int, 3>>()));
   EXPECT_EQ((value::of_array({}).as<std::tuple<>>()), std::tuple());
   EXPECT_FALSE((value::of_integer(1).try_as<std::array<int, 1>>()));
}

TEST(as, reads_times_in_their_own_unit) {
   EXPECT_EQ(value::of_integer(90).as<std::chrono::seconds>(), std::chrono::seconds(90));
   EXPECT_EQ(value::of_string("90").as<std::chrono::milliseconds>(), std::chrono::milliseconds(90));
   EXPECT_EQ(value::of_real(1.5).as<std::chrono::duration<double>>(), std::chrono::milliseconds(1500));
   EXPECT_EQ(value::of_integer(-2).as<std::chrono::seconds>().count(), -2);
   EXPECT_FALSE(value::of_string("soon").try_as<std::chrono::seconds>());
}

TEST(as, says_what_was_asked_for_and_what_came_and_that_the_command_ran) {
   const auto r = text("ten").try_as<int>();
   ASSERT_FALSE(r);
   EXPECT_EQ(r.error().code(), errc::type_mismatch);
   EXPECT_EQ(r.error().outcome, outcome::executed);
   EXPECT_NE(r.error().what().find("asked for an integer"), std::string::npos) << r.error().what();
   EXPECT_NE(r.error().what().find("the reply is a string of 3 bytes"), std::string::npos) << r.error().what();
   EXPECT_THROW((void)text("ten").as<int>(), failure);
   const auto pair = text("ten").try_as<std::pair<std::string, int>>();
   ASSERT_FALSE(pair);
   EXPECT_NE(pair.error().what().find("asked for a pair"), std::string::npos) << pair.error().what();
}

template <class T>
concept readable_from_a_temporary = requires { value{}.as<T>(); };
static_assert(readable_from_a_temporary<std::string>);
static_assert(readable_from_a_temporary<std::vector<std::string>>);
static_assert(!readable_from_a_temporary<std::string_view>);
static_assert(!readable_from_a_temporary<std::optional<std::string_view>>);
static_assert(!readable_from_a_temporary<std::vector<std::string_view>>);
static_assert(!readable_from_a_temporary<std::map<std::string, std::string_view>>);
static_assert(!readable_from_a_temporary<value_view>);
static_assert(std::is_nothrow_move_constructible_v<value> && std::is_nothrow_move_assignable_v<value>);

// ---- printing
// --------------------------------------------------------------------------------------------------------

TEST(printing, shows_a_reply_on_one_line) {
   const value v = array({text("a\r\n\x01\"\xff"s), number(-1), value{}, value::of_boolean(true), value::of_real(2.5),
                          value::of_status("OK"), value::of_error("ERR x"), value::of_map({{text("k"), array({})}}),
                          value::of_set({number(1)}), value::of_push({}), value::of_big_number("99")});
   EXPECT_EQ(to_string(v),
             R"(["a\r\n\x01\"\xff", -1, nil, true, 2.5, OK, error "ERR x", {"k": []}, set[1], push[], 99])");
}

TEST(printing, goes_to_a_stream_too) {
   std::ostringstream out;
   const value v = array({number(1)});
   out << v << ' ' << v.view() << ' ' << v.kind();
   EXPECT_EQ(out.str(), "[1] [1] array");
}

TEST(printing, has_a_name_for_each_kind) {
   std::set<std::string_view> names;
   for (auto k = kind::nil; k <= kind::push; k = static_cast<kind>(static_cast<int>(k) + 1)) names.insert(to_string(k));
   EXPECT_EQ(names.size(), 13u);
   EXPECT_EQ(to_string(kind::nil), "nil");
   EXPECT_EQ(to_string(kind::big_number), "big number");
   EXPECT_EQ(to_string(kind::push), "push");
}

TEST(printing, cuts_what_is_long) {
   EXPECT_LT(to_string(text(std::string(10'000, 'x'))).size(), 200u);
   EXPECT_LT(to_string(array(std::vector<value>(10'000, number(7)))).size(), 500u);
   EXPECT_LT(to_string(value::of_status(std::string(10'000, '\x1b'))).size(), 600u);
}

}  // namespace
}  // namespace holdfast::value_test
