// A server, or a Sentinel, that repeats the password it was sent: nothing that is told shows it.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::impl::test::engine_secrets_test {
namespace {

constexpr const char* password = "hunter22";

void expect_hidden(const deployment& d, const call& c) {
   ASSERT_TRUE(c.done() && !c.ok());
   EXPECT_EQ(c.error().what().find("hunter"), std::string::npos) << c.error().what();
   for (const auto& e : d.history) EXPECT_EQ(to_string(e).find("hunter"), std::string::npos) << to_string(e);
}

TEST(engine_secrets, are_not_shown_where_a_commands_error_repeats_them) {
   for (const char* said :
        {"ERR you said hunter22", "ERR 'hunter22'", "NOAUTH hunter2", "ERR \"hunter22\" twice hunter22"}) {
      config c = with_server();
      c.password = password;
      deployment d(c);
      d.at(node_a).refusal = said;
      auto& get = d.submit("GET n", 200ms);
      EXPECT_TRUE(d.finish(get));
      expect_hidden(d, get);
   }
}

TEST(engine_secrets, of_a_lost_connection_are_not_told_by_events) {
   config c = with_server();
   c.password = password;
   deployment d(c);
   auto& first = d.submit("GET n");
   EXPECT_TRUE(d.finish(first));
   d.at(node_a).refusal = "LOADING Redis is loading the dataset in memory for hunter22";
   auto& get = d.submit("GET n", 500ms);
   EXPECT_TRUE(d.finish(get));
   EXPECT_FALSE(d.told<event::resent>().empty());
   expect_hidden(d, get);
}

TEST(engine_secrets, given_by_a_command_are_not_shown_either) {
   for (const char* line : {"AUTH hunter22", "AUTH ann hunter22", "HELLO 3 AUTH ann hunter22"}) {
      deployment d(with_server());
      auto& auth = d.submit(line);
      EXPECT_TRUE(d.finish(auth));
      d.at(node_a).refusal = "LOADING it was sent hunter22";
      auto& get = d.submit("GET n", 500ms);
      EXPECT_TRUE(d.finish(get));
      expect_hidden(d, get);
   }
}

}  // namespace
}  // namespace holdfast::impl::test::engine_secrets_test
