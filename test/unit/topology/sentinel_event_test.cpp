// Payloads as Redis' sentinel.c prints them, and others.
#include "topology/sentinel/sentinel_event.hpp"

#include <holdfast/random.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace holdfast::impl::sentinel_event_test {
namespace {

struct row {
   const char* channel;
   const char* payload;
   std::optional<hint_kind> kind;
   endpoint about = {};
   std::uint64_t epoch = 0;
};

const endpoint old_master{"127.0.0.1", 7000};
const endpoint new_master{"127.0.0.1", 7001};

const std::vector<row> rows{
   {"+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1 7001", hint_kind::switched, new_master},
   {"+promoted-slave", "slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000", hint_kind::switched,
    new_master},
   {"+failover-state-reconf-slaves", "master mymaster 127.0.0.1 7000", hint_kind::configured, old_master},
   {"+config-update-from", "sentinel 5af1 127.0.0.1 27001 @ mymaster 127.0.0.1 7000", hint_kind::configured},
   {"+sdown", "master mymaster 127.0.0.1 7000", hint_kind::down, old_master},
   {"-sdown", "master mymaster 127.0.0.1 7000", hint_kind::up, old_master},
   {"+odown", "master mymaster 127.0.0.1 7000 #quorum 2/2", hint_kind::objectively_down, old_master},
   {"-odown", "master mymaster 127.0.0.1 7000", hint_kind::objectively_up, old_master},
   {"+sdown", "slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000", hint_kind::told},
   {"+sdown", "sentinel 5af1 127.0.0.1 27001 @ mymaster 127.0.0.1 7000", hint_kind::told},
   {"+try-failover", "master mymaster 127.0.0.1 7000", hint_kind::tries, old_master},
   {"+elected-leader", "master mymaster 127.0.0.1 7000", hint_kind::failing_over, old_master},
   {"+selected-slave", "slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000", hint_kind::selected,
    new_master},
   {"+selected-slave", "master mymaster 127.0.0.1 7000", hint_kind::selected},
   {"-failover-abort-not-elected", "master mymaster 127.0.0.1 7000", hint_kind::aborted, old_master},
   {"-failover-abort-no-good-slave", "master mymaster 127.0.0.1 7000", hint_kind::aborted, old_master},
   {"-failover-abort-slave-timeout", "master mymaster 127.0.0.1 7000", hint_kind::aborted, old_master},
   {"+failover-end", "master mymaster 127.0.0.1 7000", hint_kind::finished, old_master},
   {"+reset-master", "master mymaster 127.0.0.1 7000", hint_kind::reset, old_master},
   {"+monitor", "master mymaster 127.0.0.1 7000 quorum 2", hint_kind::reset, old_master},
   {"-monitor", "master mymaster 127.0.0.1 7000", hint_kind::reset, old_master},
   {"+set", "master mymaster 127.0.0.1 7000 quorum 3", hint_kind::configured, old_master},
   {"+reboot", "master mymaster 127.0.0.1 7000", hint_kind::up, old_master},
   {"+reboot", "slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000", hint_kind::replicas},
   {"+sentinel", "sentinel 5af1 127.0.0.1 27001 @ mymaster 127.0.0.1 7000", hint_kind::sentinels, {"127.0.0.1", 27001}},
   {"+sentinel", "sentinel 5af1 @ mymaster 127.0.0.1 7000", hint_kind::sentinels},
   {"+sentinel-address-switch", "master mymaster 127.0.0.1 7000 ip 127.0.0.1 port 27001 for 5af1", hint_kind::sentinels,
    old_master},
   {"+slave", "slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000", hint_kind::replicas},
   {"+tilt", "#tilt mode entered", hint_kind::told},

   {"+new-epoch", "7", hint_kind::new_epoch, {}, 7},

   // Somebody else's affair.
   {"+switch-master", "other 127.0.0.1 7000 127.0.0.1 7001", {}},
   {"+switch-master", "mymaster2 127.0.0.1 7000 127.0.0.1 7001", {}},
   {"+odown", "master mymaster2 127.0.0.1 7000", {}},
   {"+promoted-slave", "slave 127.0.0.1:7001 127.0.0.1 7001 @ other 127.0.0.1 7000", {}},
   {"+unheard-of", "master mymaster 127.0.0.1 7000", {}},

   // What no Sentinel would say.
   {"+switch-master", "", {}},
   {"+switch-master", "mymaster", {}},
   {"+switch-master", "mymaster ", {}},
   {"+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1", {}},
   {"+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1 0", {}},
   {"+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1 99999", {}},
   {"+switch-master", "mymaster 127.0.0.1 7000 127.0.0.1 -1", {}},
   {"+switch-master", "mymaster 127.0.0.1 7000 /etc/passwd 1", {}},
   {"+odown", "master mymaster", {}},
   {"+odown", "master", {}},
   {"+promoted-slave", "slave x @ mymaster 127.0.0.1 7000", hint_kind::switched},
   {"+promoted-slave", "slave @ @ @ @", {}},
   {"+new-epoch", "", {}},
   {"+new-epoch", "-1", {}},
   {"+new-epoch", "7 ", {}},
   {"+new-epoch", "99999999999999999999", {}},
};

TEST(sentinel_event, says_what_it_is_a_hint_of) {
   for (const auto& r : rows) {
      SCOPED_TRACE(std::string(r.channel) + " " + r.payload);
      const auto h = read_hint(r.channel, r.payload, "mymaster");
      ASSERT_EQ(h.has_value(), r.kind.has_value());
      if (!h) continue;
      EXPECT_EQ(h->kind, *r.kind);
      EXPECT_EQ(h->about, r.about);
      EXPECT_EQ(h->epoch, r.epoch);
   }
}

TEST(sentinel_event, selection_tells_which_master_is_replaced) {
   const auto h =
      read_hint("+selected-slave", "slave 127.0.0.1:7001 127.0.0.1 7001 @ mymaster 127.0.0.1 7000", "mymaster");
   ASSERT_TRUE(h);
   EXPECT_EQ(h->of, (endpoint{"127.0.0.1", 7000}));
}

TEST(sentinel_event, sentinel_that_was_met_is_told_by_its_id) {
   const auto h = read_hint("+sentinel", "sentinel 5af1 127.0.0.1 27001 @ mymaster 127.0.0.1 7000", "mymaster");
   ASSERT_TRUE(h);
   EXPECT_EQ(h->id, "5af1");
   const auto endless = read_hint(
      "+sentinel", "sentinel " + std::string(65, 'a') + " 127.0.0.1 27001 @ mymaster 127.0.0.1 7000", "mymaster");
   ASSERT_TRUE(endless);
   EXPECT_EQ(endless->id, "");
}

TEST(sentinel_event, name_with_spaces_is_compared_whole) {
   EXPECT_TRUE(read_hint("+switch-master", "my master 10.0.0.1 1 10.0.0.2 2", "my master"));
   EXPECT_FALSE(read_hint("+switch-master", "my master 10.0.0.1 1 10.0.0.2 2", "my"));
}

TEST(sentinel_event, names_and_ipv6_addresses_are_addresses) {
   EXPECT_EQ(read_hint("+switch-master", "m old.example 6379 new.example 6380", "m")->about,
             (endpoint{"new.example", 6380}));
   EXPECT_EQ(read_hint("+switch-master", "m ::1 6379 fe80::1 6380", "m")->about, (endpoint{"fe80::1", 6380}));
}

TEST(sentinel_event, every_channel_of_the_subscription_is_understood) {
   for (const auto channel : event_channels()) {
      SCOPED_TRACE(channel);
      const bool switches = channel == "+switch-master";
      const bool own = channel == "+tilt" || channel == "-tilt";
      const bool number = channel == "+new-epoch";
      const auto payload = switches ? "m 10.0.0.1 1 10.0.0.2 2" : own ? "#tilt" : number ? "7" : "master m 10.0.0.1 1";
      EXPECT_TRUE(read_hint(channel, payload, "m"));
   }
}

TEST(sentinel_event, random_payloads_are_harmless) {
   random_source random(7);
   const std::string alphabet = "master slave @ mymaster 127.0.0.1 7000 \r\n\0-+#/:";
   for (int i = 0; i != 2000; ++i) {
      std::string payload;
      for (auto n = random() % 60; n != 0; --n) payload += alphabet[random() % alphabet.size()];
      for (const auto channel : event_channels()) {
         const auto h = read_hint(channel, payload, "mymaster");
         if (h && !h->about.empty()) {
            ASSERT_NE(h->about.port, 0);
         }
      }
   }
   EXPECT_FALSE(read_hint("+odown", "master mymaster 10.0.0.1 1 " + std::string(1 << 20, 'x'), "mymaster"));
}

}  // namespace
}  // namespace holdfast::impl::sentinel_event_test
