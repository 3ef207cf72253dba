// Replies that are read into the caller's own types, one at a time and in lists.
#include "failed_as.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace holdfast {
namespace typed_redis_test {

using namespace std::chrono_literals;

struct customer {
   std::string name;
   int visits = 0;
};
bool from_value(value_view from, customer& to) {
   return from.find("name").read(to.name) && from.find("visits").read(to.visits);
}

struct throwing {};
bool from_value(value_view, throwing&) { throw std::runtime_error("from_value"); }

struct typed : testing::Test {
   lab::deployment d{{.replicas = 0, .sentinels = 0}};
   client redis{d.uri()};
};

TEST_F(typed, reply_is_read_as_each_type) {
   redis.run<void>({"SET", "k", 17}).value();
   EXPECT_EQ(redis.run<long long>({"INCR", "k"}).value(), 18);
   EXPECT_EQ(redis.run<std::string>({"GET", "k"}).value(), "18");
   EXPECT_EQ(redis.run<std::optional<int>>({"GET", "nothing"}).value(), std::nullopt);
   redis.run<void>({"RPUSH", "l", "a", "b", "c"}).value();
   const command range{"LRANGE", "l", 0, -1};
   EXPECT_EQ(redis.run<std::vector<std::string>>(range).value(), (std::vector<std::string>{"a", "b", "c"}));
   EXPECT_EQ((redis.run<std::array<std::string, 3>>(range).value()), (std::array<std::string, 3>{"a", "b", "c"}));
   EXPECT_EQ(redis.run<std::set<std::string>>(range).value().size(), 3u);
   redis.run<void>({"HSET", "h", "name", "Ann", "visits", 3}).value();
   using text_map = std::unordered_map<std::string, std::string>;
   EXPECT_EQ(redis.run<text_map>({"HGETALL", "h"}).value().at("name"), "Ann");
   const auto [name, visits] = redis.run<std::tuple<std::string, int>>({"HMGET", "h", "name", "visits"}).value();
   EXPECT_EQ(name, "Ann");
   EXPECT_EQ(visits, 3);
   const auto known = redis.run<customer>({"HGETALL", "h"}).value();
   EXPECT_EQ(known.name, "Ann");
   EXPECT_EQ(known.visits, 3);
   redis.run<void>({"PEXPIRE", "k", 90'000}).value();
   EXPECT_LE(redis.run<std::chrono::seconds>({"TTL", "k"}).value(), 90s);
   EXPECT_GT(redis.run<std::chrono::milliseconds>({"PTTL", "k"}).value(), 80s);
   EXPECT_EQ(redis.run<std::string>({"SCAN", 0, "MATCH", "none"}).error().code(), errc::type_mismatch);
}

TEST_F(typed, longer_texts_are_read_whole) {
   const std::string text(100'000, 'x');
   redis.run<void>({"SET", "k", text}).value();
   EXPECT_EQ(redis.run<std::string>({"GET", "k"}).value(), text);
}

TEST_F(typed, scan_goes_on_from_its_cursor) {
   std::vector<command> sets;
   for (int i = 0; i < 500; ++i) sets.push_back({"SET", "key:" + std::to_string(i), i});
   for (const auto& r : redis.run<void>(sets)) r.value();
   std::set<std::string> found;
   std::string cursor = "0";
   do {
      auto page = redis.run<std::pair<std::string, std::vector<std::string>>>({"SCAN", cursor, "COUNT", 50}).value();
      cursor = page.first;
      found.insert(page.second.begin(), page.second.end());
   } while (cursor != "0");
   EXPECT_EQ(found.size(), 500u);
}

TEST_F(typed, reply_of_another_type_says_that_the_command_ran) {
   const auto r = redis.run<std::vector<int>>({"INCR", "n"});
   EXPECT_TRUE(failed_as(r, outcome::executed, errc::type_mismatch));
   EXPECT_EQ(redis.get("n").value(), "1");
   EXPECT_TRUE(failed_as(redis.run<customer>({"HGETALL", "nobody"}), outcome::executed, errc::type_mismatch));
   EXPECT_TRUE(failed_as(redis.run<int>({"LPUSH", "n", "x"}), outcome::not_executed, errc::server_error));
}

TEST_F(typed, exception_of_a_type_is_thrown_by_the_call) {
   EXPECT_THROW((void)redis.run<throwing>({"INCR", "n"}), std::runtime_error);
   EXPECT_EQ(redis.get("n").value(), "1") << "the client goes on";
   const std::vector<command> list{{"INCR", "n"}, {"LPUSH", "n", "x"}};
   const auto replies = redis.run<throwing>(list);
   EXPECT_TRUE(failed_as(replies[0], outcome::executed, errc::type_mismatch));
   EXPECT_NE(replies[0].error().what().find("from_value threw: from_value"), std::string::npos);
   EXPECT_TRUE(failed_as(replies[1], outcome::not_executed, errc::server_error)) << "each has an outcome of its own";
   const auto [thrown, n] = redis.run<throwing, int>({"INCR", "n"}, {"GET", "n"});
   EXPECT_TRUE(failed_as(thrown, outcome::executed, errc::type_mismatch));
   EXPECT_EQ(n.value(), 3);
}

TEST_F(typed, list_has_one_type_for_all_or_one_for_each) {
   std::vector<command> list;
   for (int i = 0; i < 3000; ++i) list.push_back({"INCR", "n"});
   list.push_back({"LPUSH", "n", "x"});
   list.push_back({"GET", "n"});
   const auto numbers = redis.run<int>(list);
   ASSERT_EQ(numbers.size(), 3002u);
   for (int i = 0; i < 3000; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i)].value(), i + 1);
   EXPECT_TRUE(failed_as(numbers[3000], outcome::not_executed, errc::server_error));
   EXPECT_EQ(numbers[3001].value(), 3000);

   const auto [hits, user] = redis.run<long long, std::string>({"INCR", "hits"}, {"GET", "n"});
   EXPECT_EQ(hits.value(), 1);
   EXPECT_EQ(user.value(), "3000");
   const auto [again, none, set] = redis.run<int, std::optional<std::string>, void>(
      {.deadline = 2s}, {"INCR", "hits"}, {"GET", "nothing"}, {"SET", "a", 1});
   EXPECT_EQ(again.value(), 2);
   EXPECT_EQ(none.value(), std::nullopt);
   EXPECT_TRUE(set.has_value());
}

TEST_F(typed, transaction_in_a_list_is_read_once_it_has_run) {
   const std::vector<command> list{{"SET", "k", 5}, {"MULTI"}, {"INCR", "k"}, {"GET", "k"}, {"EXEC"}, {"GET", "k"}};
   const auto raw = redis.run(list);
   const auto texts = redis.run<std::string>(list);
   ASSERT_EQ(texts.size(), raw.size());
   for (std::size_t i = 0; i < raw.size(); ++i) {
      ASSERT_TRUE(raw[i]) << i;
      if (i == 4) {
         EXPECT_TRUE(failed_as(texts[i], outcome::executed, errc::type_mismatch)) << "EXEC's is an array";
      } else if (raw[i]->kind() != kind::integer) {
         EXPECT_EQ(texts[i].value(), raw[i]->text()) << i;
      }
   }
   const auto refused = redis.run<int>(std::vector<command>{{"MULTI"}, {"INCR", "k"}});
   EXPECT_TRUE(failed_as(refused[0], outcome::not_executed, errc::invalid_argument));
   EXPECT_TRUE(failed_as(refused[1], outcome::not_executed, errc::invalid_argument));
}

TEST_F(typed, reply_that_is_taken_from_a_temporary_stays) {
   redis.run<void>({"RPUSH", "l", "a", "b"}).value();
   std::string all;
   for (const auto& text : redis.run<std::vector<std::string>>({"LRANGE", "l", 0, -1}).value()) all += text;
   EXPECT_EQ(all, "ab");
}

}  // namespace typed_redis_test
}  // namespace holdfast
