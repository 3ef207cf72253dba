// The buckets of the latency histogram, one by one.
#include <holdfast/stats.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using histogram = latency_histogram;

constexpr std::size_t last = histogram::size - 1;

duration before(duration d) { return d - 1ns; }

// The first time that belongs to it.
duration begin_of(std::size_t bucket) { return bucket == 0 ? 0ns : histogram::upper_bound(bucket - 1); }

TEST(latency_histogram, each_bucket_begins_where_the_one_before_ends) {
   for (std::size_t i = 0; i < histogram::size; ++i) {
      const duration begin = begin_of(i);
      const duration end = histogram::upper_bound(i);
      ASSERT_LT(begin, end) << i;
      EXPECT_EQ(histogram::bucket_of(begin), i);
      EXPECT_EQ(histogram::bucket_of(before(end)), i);
      EXPECT_EQ(histogram::bucket_of(begin + (end - begin) / 2), i);
      if (i != last) {
         EXPECT_EQ(histogram::bucket_of(end), i + 1);
      }
   }
   EXPECT_EQ(histogram::bucket_of(duration::max()), last);
}

TEST(latency_histogram, bucket_is_at_most_a_quarter_wide) {
   for (std::size_t i = 1; i < last; ++i) {
      const duration width = histogram::upper_bound(i) - begin_of(i);
      EXPECT_LE(width * 4, begin_of(i)) << i;
      EXPECT_GE(width * 7, begin_of(i)) << i;
   }
}

TEST(latency_histogram, reaches_from_a_microsecond_to_an_hour) {
   EXPECT_LE(histogram::upper_bound(0), 1100ns);
   EXPECT_GE(histogram::upper_bound(last - 1), 1h);
   EXPECT_EQ(histogram::upper_bound(last), duration::max());
}

TEST(latency_histogram, takes_less_than_nothing_for_nothing) {
   EXPECT_EQ(histogram::bucket_of(-1ns), 0U);
   EXPECT_EQ(histogram::bucket_of(duration::min()), 0U);
}

histogram of(std::initializer_list<duration> times) {
   histogram h;
   for (const duration d : times) ++h.counts[histogram::bucket_of(d)];
   return h;
}

TEST(latency_histogram, percentile_is_never_too_short_and_at_most_a_quarter_too_long) {
   for (duration d = 2us; d < 30min; d += d / 3 + 1ns) {
      const duration p = of({d}).percentile(50);
      EXPECT_GT(p, d);
      EXPECT_LE(p, d + d / 4) << d.count();
   }
}

TEST(latency_histogram, percentile_counts_from_the_shortest) {
   const histogram h = of({10us, 100us, 1ms, 10ms});
   const auto bound = [](duration d) { return histogram::upper_bound(histogram::bucket_of(d)); };
   EXPECT_EQ(h.percentile(0), bound(10us));
   EXPECT_EQ(h.percentile(25), bound(10us));
   EXPECT_EQ(h.percentile(25.1), bound(100us));
   EXPECT_EQ(h.percentile(50), bound(100us));
   EXPECT_EQ(h.percentile(99), bound(10ms));
   EXPECT_EQ(h.percentile(100), bound(10ms));
   EXPECT_EQ(h.percentile(-5), bound(10us));
   EXPECT_EQ(h.percentile(200), bound(10ms));
   EXPECT_EQ(h.percentile(std::numeric_limits<double>::quiet_NaN()), bound(10ms));
}

TEST(latency_histogram, percentile_of_nothing_is_nothing) { EXPECT_EQ(histogram{}.percentile(99), 0ns); }

TEST(latency_histogram, percentile_beyond_the_last_bound_has_no_end) {
   EXPECT_EQ(of({3h}).percentile(99), duration::max());
}

TEST(latency_histogram, difference_has_what_came_between) {
   const histogram earlier = of({10us, 10us});
   histogram later = of({10us, 10us, 10us, 5ms});
   later.sum = 2s;
   const histogram between = later.since(earlier);
   EXPECT_EQ(between.count(), 2U);
   EXPECT_EQ(between.percentile(1), histogram::upper_bound(histogram::bucket_of(10us)));
   EXPECT_EQ(between.percentile(100), histogram::upper_bound(histogram::bucket_of(5ms)));
   EXPECT_EQ(between.sum, 2s);
}

}  // namespace
}  // namespace holdfast
