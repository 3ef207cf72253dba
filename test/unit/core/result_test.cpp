// A value, or the error that came instead: used as std::expected is.
#include <holdfast/result.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>

namespace holdfast::result_test {
namespace {

using text_or_error = result<std::string>;

const error full{errc::queue_full, outcome::not_executed};

text_or_error good() { return std::string("seven"); }
text_or_error bad() { return full; }

template <class Result>
void expect_full(const Result& r) {
   ASSERT_FALSE(r.has_value());
   EXPECT_EQ(r.error().code(), errc::queue_full);
   EXPECT_EQ(r.error().outcome, outcome::not_executed);
}

template <class F>
void expect_throws_full(F&& f) {
   try {
      f();
      ADD_FAILURE() << "nothing was thrown";
   } catch (const failure& e) {
      EXPECT_EQ(e.error().code(), errc::queue_full);
      EXPECT_EQ(e.error().outcome, outcome::not_executed) << "an exception, too, says whether it ran";
      EXPECT_EQ(e.what(), full.what());
   }
}

TEST(Result, HoldsAValueAtFirstWhereItsTypeHasOne) {
   struct without_default {
      explicit without_default(int) {}
   };
   static_assert(!std::is_default_constructible_v<result<without_default>>);
   EXPECT_EQ(*text_or_error(), "");
   EXPECT_TRUE(result<void>());
}

TEST(Result, GivesItsValueHoweverItIsAskedForIt) {
   text_or_error r = good();
   const text_or_error& seen = r;
   EXPECT_TRUE(r);
   EXPECT_EQ(*seen, "seven");
   EXPECT_EQ(seen.value(), "seven");
   EXPECT_EQ(seen->size(), 5U);
   EXPECT_EQ(seen.value_or("none"), "seven");
   r->push_back('!');
   r.value() += "?";
   *r += ".";
   EXPECT_EQ(good().value_or("none"), "seven");
   EXPECT_EQ(std::move(r).value(), "seven!?.");
}

TEST(Result, GivesUpAValueThatCannotBeCopied) {
   result<std::unique_ptr<int>> r = std::make_unique<int>(7);
   const std::unique_ptr<int> taken = std::move(r).value();
   EXPECT_EQ(*taken, 7);
   EXPECT_EQ(**result<std::unique_ptr<int>>(std::make_unique<int>(8)), 8);
}

TEST(Result, ThrowsItsErrorWhereAValueIsDemanded) {
   text_or_error r = bad();
   expect_throws_full([&] { (void)r.value(); });
   expect_throws_full([&] { (void)std::as_const(r).value(); });
   expect_throws_full([] { (void)bad().value(); });
   const result<void> nothing = full;
   expect_throws_full([&] { nothing.value(); });
   EXPECT_EQ(r.value_or("none"), "none");
   EXPECT_EQ(bad().value_or("none"), "none");
}

TEST(Result, LetsItsErrorBeAddedTo) {
   text_or_error r = bad();
   r.error().attempts = 2;
   EXPECT_EQ(std::move(r).error().attempts, 2U);
   result<void> nothing = full;
   nothing.error().attempts = 3;
   EXPECT_EQ(std::as_const(nothing).error().attempts, 3U);
}

TEST(Result, GoesOnWithItsValueOnly) {
   const text_or_error r = good();
   const text_or_error e = bad();
   const auto size = [](const std::string& s) -> result<std::size_t> { return s.size(); };
   EXPECT_EQ(*r.and_then(size), 5U);
   EXPECT_EQ(*good().and_then(size), 5U);
   expect_full(e.and_then(size));
   expect_full(bad().and_then(size));

   const auto twice = [](const std::string& s) { return s + s; };
   EXPECT_EQ(*r.transform(twice), "sevenseven");
   EXPECT_EQ(*good().transform(twice), "sevenseven");
   expect_full(e.transform(twice));
   expect_full(bad().transform(twice));

   unsigned calls = 0;
   const auto count = [&](const std::string&) { ++calls; };
   const result<void> counted = r.transform(count);
   EXPECT_TRUE(counted);
   expect_full(bad().transform(count));
   EXPECT_EQ(calls, 1U);
}

TEST(Result, IsMendedOnlyWhereThereIsAnError) {
   const text_or_error r = good();
   const text_or_error e = bad();
   const auto mend = [](const error& problem) -> text_or_error { return problem.code().message(); };
   EXPECT_EQ(*r.or_else(mend), "seven");
   EXPECT_EQ(*good().or_else(mend), "seven");
   EXPECT_EQ(*e.or_else(mend), "too many commands are waiting");
   EXPECT_EQ(*bad().or_else(mend), "too many commands are waiting");
}

TEST(Result, OfNothingGoesOnAndIsMendedInTheSameWay) {
   const result<void> done;
   const result<void> failed = full;
   const auto seven = [] { return 7; };
   const auto also_full = []() -> result<int> { return full; };
   unsigned calls = 0;
   const auto count = [&] { ++calls; };
   *done;
   done.value();
   expect_full(done.and_then(also_full));
   expect_full(failed.and_then(also_full));
   EXPECT_EQ(*done.transform(seven), 7);
   expect_full(failed.transform(seven));
   const result<void> counted = done.transform(count);
   EXPECT_TRUE(counted);
   expect_full(failed.transform(count));
   EXPECT_EQ(calls, 1U);
   const auto mend = [](const error&) { return result<void>(); };
   EXPECT_TRUE(done.or_else(mend));
   EXPECT_TRUE(failed.or_else(mend));
}

}  // namespace
}  // namespace holdfast::result_test
