#include "resp/kind_and_size.hpp"

#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace holdfast::impl::kind_and_size_test {
namespace {

TEST(kind_and_size, shows_no_value) {
   reader in{limits{}};
   const std::pair<std::string, const char*> replies[] = {
      {"_\r\n", "nil"},
      {"$6\r\nsecret\r\n", "a string of 6 bytes"},
      {"+s\r\n", "a status of 1 byte"},
      {"-ERR s\r\n", "an error of 5 bytes"},
      {":17\r\n", "an integer"},
      {",1.5\r\n", "a real number"},
      {"#t\r\n", "a boolean"},
      {"*1\r\n+s\r\n", "an array of 1 element"},
      {"*0\r\n", "an array of 0 elements"},
   };
   for (const auto& [bytes, shown] : replies) {
      test::put(in, bytes);
      ASSERT_EQ(in.next(), reader::status::reply) << bytes;
      EXPECT_EQ(kind_and_size(in.reply()), shown);
   }
}

}  // namespace
}  // namespace holdfast::impl::kind_and_size_test
