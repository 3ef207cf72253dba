#include "view/topology_requests.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace holdfast::impl::topology_requests_test {
namespace {

const endpoint a{"10.0.0.1", 6379};

TEST(topology_requests, keep_the_same_report_once_and_a_bounded_number_of_different_ones) {
   topology_requests r;
   for (int i = 0; i < 1000; ++i) r.report({.where = a, .epoch = 1});
   EXPECT_EQ(r.reports.size(), 1U);
   for (std::uint64_t i = 0; i < 1000; ++i) r.report({.where = a, .epoch = i});
   EXPECT_EQ(r.reports.size(), topology_requests::most_reports);
   EXPECT_EQ(r.reports.back().epoch, 999U) << "the newest stay";
}

}  // namespace
}  // namespace holdfast::impl::topology_requests_test
