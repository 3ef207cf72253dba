#include "topology/sentinel/sentinel_reply.hpp"

#include "unit/topology/replies.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::sentinel_reply_test {
namespace {

using namespace std::chrono_literals;
using namespace test;

TEST(sentinel_reply, master_tells_epoch_flags_and_down_after) {
   const auto reply = parsed(master_reply{{"10.0.0.1", 6379}, 17, "s_down,o_down,master,failover_in_progress"}.bytes());
   master_state m;
   ASSERT_EQ(read_master(reply, m), sentinel_answer_kind::good);
   EXPECT_EQ(m.epoch, 17u);
   EXPECT_EQ(m.shown, (endpoint{"10.0.0.1", 6379}));
   EXPECT_TRUE(m.objectively_down);
   EXPECT_TRUE(m.failover_in_progress);
   EXPECT_EQ(m.down_after, 1s);
   EXPECT_EQ(m.other_sentinels, 2u);
}

TEST(sentinel_reply, master_is_read_from_a_map_too) {
   master_state m;
   EXPECT_EQ(read_master(parsed("%1\r\n$12\r\nconfig-epoch\r\n:3\r\n"), m), sentinel_answer_kind::good);
   EXPECT_EQ(m.epoch, 3u);
   EXPECT_FALSE(m.down_after);
}

TEST(sentinel_reply, run_id_is_read_if_it_can_be_one) {
   for (const std::size_t length : {0, 40, 64, 65}) {
      const std::string id(length, 'a');
      master_state m;
      const master_reply reply{.shown = {"h", 1}, .epoch = 1, .run_id = id};
      ASSERT_EQ(read_master(parsed(reply.bytes()), m), sentinel_answer_kind::good);
      EXPECT_EQ(m.run_id, length <= 64 ? id : "") << length;
   }
}

TEST(sentinel_reply, flag_is_compared_whole) {
   master_state m;
   ASSERT_EQ(read_master(parsed(master_reply{{"h", 1}, 0, "master,xo_down,o_downx"}.bytes()), m),
             sentinel_answer_kind::good);
   EXPECT_FALSE(m.objectively_down);
   for (const auto* flags : {"", "master,"}) {
      ASSERT_EQ(read_master(parsed(master_reply{{"h", 1}, 0, flags}.bytes()), m), sentinel_answer_kind::good);
      EXPECT_FALSE(m.objectively_down || m.failover_in_progress) << flags;
   }
}

TEST(sentinel_reply, what_is_no_answer_is_sorted_by_what_it_means) {
   struct row {
      const char* bytes;
      sentinel_answer_kind expected;
   };
   const row rows[] = {
      {"-ERR No such master with that name\r\n", sentinel_answer_kind::unknown_name},
      {"-IDONTKNOW\r\n", sentinel_answer_kind::unknown_name},
      {"*-1\r\n", sentinel_answer_kind::unknown_name},
      {"$-1\r\n", sentinel_answer_kind::unknown_name},
      {"_\r\n", sentinel_answer_kind::unknown_name},
      {"-NOAUTH Authentication required.\r\n", sentinel_answer_kind::refused},
      {"-WRONGPASS invalid username-password pair or user is disabled.\r\n", sentinel_answer_kind::refused},
      {"-NOPERM this user has no permissions to run the 'sentinel|master' command\r\n",
       sentinel_answer_kind::forbidden},
      {"-ERR unknown command 'SENTINEL', with args beginning with: 'MASTER'\r\n", sentinel_answer_kind::no_sentinel},
      {"-ERR whatever\r\n", sentinel_answer_kind::malformed},
      {"+OK\r\n", sentinel_answer_kind::malformed},
      {":7\r\n", sentinel_answer_kind::malformed},
      {"*0\r\n", sentinel_answer_kind::malformed},
      {"*1\r\n$1\r\nx\r\n", sentinel_answer_kind::malformed},
      {"*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n", sentinel_answer_kind::malformed},
   };
   for (const auto& r : rows) {
      SCOPED_TRACE(r.bytes);
      const auto reply = parsed(r.bytes);
      master_state m;
      endpoint e;
      EXPECT_EQ(read_master(reply, m), r.expected);
      EXPECT_EQ(read_address(reply, e), r.expected);
   }
}

TEST(sentinel_reply, address_must_be_one) {
   const auto read = [](const std::string& host, const std::string& port) {
      endpoint e;
      return read_address(parsed(texts({host, port})), e);
   };
   EXPECT_EQ(read("10.0.0.1", "6379"), sentinel_answer_kind::good);
   EXPECT_EQ(read("redis-1.example.com", "65535"), sentinel_answer_kind::good);
   EXPECT_EQ(read("2001:db8::1", "1"), sentinel_answer_kind::good);
   for (const auto* port : {"", "0", "65536", "-1", "+1", " 1", "1 ", "0x1", "one", "99999999999999999999"})
      EXPECT_EQ(read("10.0.0.1", port), sentinel_answer_kind::malformed) << port;
   for (const std::string host : {"", " ", "a b", "a\nb", "/tmp/socket", "caf\xc3\xa9"})
      EXPECT_EQ(read(host, "6379"), sentinel_answer_kind::malformed) << host;
   EXPECT_EQ(read(std::string(256, 'x'), "6379"), sentinel_answer_kind::malformed);
   EXPECT_EQ(read(std::string("a\0b", 3), "6379"), sentinel_answer_kind::malformed);
}

TEST(sentinel_reply, master_without_an_epoch_is_no_answer) {
   master_state m;
   for (const auto* epoch : {"", "-1", "1.5", "x", "99999999999999999999999"}) {
      EXPECT_EQ(read_master(parsed(texts({"ip", "h", "port", "1", "config-epoch", epoch})), m),
                sentinel_answer_kind::malformed)
         << epoch;
   }
   EXPECT_EQ(read_master(parsed(texts({"ip", "h", "port", "1"})), m), sentinel_answer_kind::malformed);
}

TEST(sentinel_reply, count_of_sentinels_that_is_no_number_is_no_answer) {
   master_state m;
   for (const auto* others : {"", "-1", "many"}) {
      master_reply reply{{"h", 1}, 3};
      reply.others = others;
      EXPECT_EQ(read_master(parsed(reply.bytes()), m), sentinel_answer_kind::malformed) << others;
   }
}

TEST(sentinel_reply, list_is_bounded_and_leaves_out_what_is_no_address) {
   std::vector<listed_node> list;
   const auto reply =
      parsed(array({listed({"10.0.0.1", 26379}, "aa"), listed({"10.0.0.2", 0}, "bb"), listed({"10.0.0.3", 1}, "cc")}));
   ASSERT_EQ(read_nodes(reply, 10, list), sentinel_answer_kind::good);
   EXPECT_EQ(list, (std::vector<listed_node>{{{"10.0.0.1", 26379}, "aa"}, {{"10.0.0.3", 1}, "cc"}}));
   ASSERT_EQ(read_nodes(reply, 1, list), sentinel_answer_kind::good);
   EXPECT_EQ(list.size(), 1u);
   EXPECT_EQ(read_nodes(parsed("*1\r\n:1\r\n"), 10, list), sentinel_answer_kind::malformed);
   EXPECT_EQ(read_nodes(parsed("*0\r\n"), 10, list), sentinel_answer_kind::good);
   EXPECT_TRUE(list.empty());
}

TEST(sentinel_reply, what_is_shown_of_a_servers_text_is_short_and_printable) {
   EXPECT_EQ(shown("plain"), "plain");
   EXPECT_EQ(shown("a\x1b[31m\r\nb \xc3\xa4"), "a\\x1b[31m\\x0d\\x0ab \xc3\xa4");
   EXPECT_LE(shown(std::string(5000, 'x')).size(), 130u);
}

}  // namespace
}  // namespace holdfast::impl::sentinel_reply_test
