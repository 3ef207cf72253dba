#include "engine/address_book.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::address_book_test {
namespace {

const endpoint name{"redis.test", 6379};
const endpoint a{"10.0.0.1", 6379}, b{"10.0.0.2", 6379}, c{"10.0.0.3", 6379};

std::vector<endpoint> arranged(const address_book& book, std::vector<endpoint> addresses) {
   book.arrange(name, addresses);
   return addresses;
}

using order = std::vector<endpoint>;

TEST(address_book, unknown_addresses_keep_their_order) {
   const address_book book;
   EXPECT_EQ(arranged(book, {b, a, c}), (order{b, a, c}));
}

TEST(address_book, last_good_one_is_first_and_failed_ones_are_last) {
   address_book book;
   book.failed(name, b);
   book.failed(name, a);
   EXPECT_EQ(arranged(book, {a, b, c}), (order{c, b, a}));
   book.answered(name, a);
   EXPECT_EQ(arranged(book, {b, c, a}), (order{a, c, b}));
   book.failed(name, a);
   EXPECT_EQ(arranged(book, {a, b, c}), (order{c, b, a}));
   book.failed(name, c);
   book.failed(name, b);
   EXPECT_EQ(arranged(book, {b, c, a}), (order{a, c, b})) << "the longest ago first";
}

TEST(address_book, name_that_is_an_address_is_not_noted) {
   address_book book;
   book.failed(a, a);
   book.answered(a, a);
   order addresses{a, b};
   book.arrange(a, addresses);
   EXPECT_EQ(addresses, (order{a, b}));
}

TEST(address_book, memory_is_bounded) {
   address_book book;
   for (std::uint16_t i = 1; i <= 1000; ++i) book.failed({"n" + std::to_string(i), 1}, a);
   for (std::uint16_t i = 1; i <= 1000; ++i) book.failed(name, {"10.0.0.1", i});
   const endpoint oldest{"10.0.0.1", 1}, newest{"10.0.0.1", 1000};
   EXPECT_EQ(arranged(book, {newest, oldest}), (order{oldest, newest})) << "of which nothing is known any more";
}

}  // namespace
}  // namespace holdfast::impl::address_book_test
