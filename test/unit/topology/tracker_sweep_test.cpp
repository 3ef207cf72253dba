// The start-up script, replayed with each fault injected at each step of each Sentinel. Whatever one Sentinel does, the
// two others make up for it, nothing but its own status changes, and in the end it is up again.
#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <set>

namespace holdfast::impl::tracker_sweep_test {
namespace {

using namespace test;

struct fault {
   const char* name;
   // Applied to the victim's reply at the step.
   std::function<void(deployment&, const endpoint& victim, std::string& reply)> apply;
};

const std::vector<fault>& faults() {
   static const std::vector<fault> all{
      {"the connection is lost", [](deployment& w, const endpoint& v, std::string& r) { r.clear(), w.cut(v); }},
      {"the connection is lost in the middle of the reply",
       [](deployment& w, const endpoint& v, std::string& r) { r.resize(r.size() / 2), w.cut(v); }},
      {"the Sentinel stops",
       [](deployment& w, const endpoint& v, std::string& r) { r.clear(), w.set(v, condition::stopped); }},
      {"the Sentinel dies",
       [](deployment& w, const endpoint& v, std::string& r) { r.clear(), w.set(v, condition::refusing); }},
      {"the reply is swallowed", [](deployment&, const endpoint&, std::string& r) { r.clear(); }},
      {"garbage", [](deployment&, const endpoint&, std::string& r) { r = "HTTP/1.1 400 Bad Request\r\n\r\n"; }},
      {"an answer to nothing", [](deployment&, const endpoint&, std::string& r) { r += ":1\r\n"; }},
      {"nil", [](deployment&, const endpoint&, std::string& r) { r = nil_array; }},
      {"a bulk string", [](deployment&, const endpoint&, std::string& r) { r = "$2\r\nhi\r\n"; }},
      {"an empty array", [](deployment&, const endpoint&, std::string& r) { r = "*0\r\n"; }},
      {"NOAUTH", [](deployment&, const endpoint&, std::string& r) { r = "-NOAUTH Authentication required.\r\n"; }},
      {"an unknown error", [](deployment&, const endpoint&, std::string& r) { r = "-ERR what?\r\n"; }},
      {"an older epoch",
       [](deployment&, const endpoint&, std::string& r) {
          const auto at = r.find("config-epoch\r\n$1\r\n5");
          if (at != std::string::npos) r[at + 18] = '3';
       }},
      {"another address under the same epoch",
       [](deployment&, const endpoint&, std::string& r) {
          if (r == address_reply(old_master)) r = address_reply(new_master);
       }},
   };
   return all;
}

// The replies of one Sentinel at a start without faults: its id, master, address, list, subscription, and one more
// question when the subscription stands.
constexpr unsigned steps = 7;

class sweep : public ::testing::TestWithParam<std::size_t> {};

TEST_P(sweep, fault_of_one_sentinel_changes_nothing_for_the_others) {
   const auto& f = faults()[GetParam()];
   for (const auto& victim : {s1, s2, s3}) {
      for (unsigned step = 0; step != steps; ++step) {
         SCOPED_TRACE(std::string(f.name) + ", " + to_string(victim) + ", step " + std::to_string(step));
         deployment w;
         bool injected = false;
         w.at(victim).tamper = [&](std::string& reply, unsigned at) {
            if (at != step || std::exchange(injected, true)) return;
            f.apply(w, victim, reply);
         };
         const auto r = w.watched.ask(w.now);
         ASSERT_TRUE(w.run_till([&] { return w.watched.answered(r); }, 2s));
         // Half a second: the connect and the answer of a silent first one, or the first belief's wait for it.
         EXPECT_LE(w.since_start(), 605ms);
         ASSERT_TRUE(w.targets(old_master));
         EXPECT_EQ(w.watched.target()->epoch, 5u);
         w.run_for(1s);
         EXPECT_TRUE(injected);
         EXPECT_FALSE(w.watched.in_doubt());

         w.at(victim).is = condition::working;
         w.run_for(60s);
         EXPECT_EQ(*w.watched.target(), (master_node{old_master, 5, 1}));
         EXPECT_EQ(w.told<event::master_named>().size(), 1u);
         EXPECT_TRUE(w.told<event::master_lost>().empty());
         EXPECT_TRUE(w.told<event::new_lineage>().empty());
         EXPECT_LE(w.told<event::sentinel_down>().size(), 1u);
         for (const auto& e : w.told<event::sentinel_down>()) EXPECT_EQ(e.sentinel, victim) << e.why;
         for (const auto& s : {s1, s2, s3}) EXPECT_EQ(w.subscriptions(s), 1u) << to_string(s);
         std::set<endpoint> up;
         for (const auto& e : w.told<event::sentinel_up>()) up.insert(e.sentinel);
         EXPECT_EQ(up.size(), 3u);
      }
   }
}

TEST_P(sweep, same_fault_of_all_sentinels_at_once_is_waited_out) {
   const auto& f = faults()[GetParam()];
   for (unsigned step = 0; step != steps; ++step) {
      SCOPED_TRACE(std::string(f.name) + ", step " + std::to_string(step));
      deployment w;
      for (const auto& victim : {s1, s2, s3}) {
         w.at(victim).tamper = [&, victim](std::string& reply, unsigned at) {
            if (at == step) f.apply(w, victim, reply);
         };
      }
      const auto r = w.watched.ask(w.now);
      ASSERT_TRUE(w.run_till([&] { return w.watched.answered(r); }, 2s));
      w.run_for(1s);
      for (const auto& s : {s1, s2, s3}) w.at(s).is = condition::working;
      w.run_for(60s);
      ASSERT_TRUE(w.watched.target());
      EXPECT_FALSE(w.watched.why_none());
      for (const auto& s : {s1, s2, s3}) EXPECT_EQ(w.subscriptions(s), 1u) << to_string(s);
   }
}

INSTANTIATE_TEST_SUITE_P(EachFault, sweep, ::testing::Range(std::size_t{0}, faults().size()), [](const auto& instance) {
   std::string name = faults()[instance.param].name;
   for (auto& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
   return name;
});

}  // namespace
}  // namespace holdfast::impl::tracker_sweep_test
