// Bytes that no Sentinel would send, in any state, in any pieces: nothing crashes, loops, grows, or is believed that
// the rules do not allow.
#include "unit/topology/deployment.hpp"

#include <holdfast/random.hpp>

#include <gtest/gtest.h>

namespace holdfast::impl::tracker_hostile_test {
namespace {

using namespace test;

// Fragments that lead deeper into the parsers than noise does.
std::string fragment(random_source& random) {
   const endpoint any{"10.0.0." + std::to_string(random() % 4), static_cast<std::uint16_t>(random() % 3)};
   switch (random() % 14) {
      case 0: return "+OK\r\n";
      case 1: return "+PONG\r\n";
      case 2: return "-NOAUTH Authentication required.\r\n";
      case 3: return no_such_master;
      case 4: return nil_array;
      case 5: return master_reply{any, random() % 10, "o_down,master", "1000", std::to_string(random() % 5)}.bytes();
      case 6: return address_reply(any);
      case 7: return array({listed(any, "x"), listed({"h" + std::to_string(random()), 1}, std::to_string(random()))});
      case 8: return texts({"message", "+switch-master", "mymaster 10.0.0.1 1 10.0.0.2 2"});
      case 9: return texts({"message", "+sentinel", "sentinel x 10.0.0.1 1 @ mymaster 10.0.0.2 2"});
      case 10: return texts({"message", "+odown", about_master(any)});
      case 11: return array({bulk("subscribe"), bulk("+odown"), ":1\r\n"});
      case 12: {
         std::string noise;
         for (auto n = random() % 20; n != 0; --n) noise += static_cast<char>(random());
         return noise;
      }
      default: return "*1000000\r\n";
   }
}

class hostile : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(hostile, random_bytes_on_every_connection_break_nothing) {
   random_source random(GetParam());
   io_queue pending_io;
   event_queue events(true);
   auto settings = three_sentinels();
   settings.max_sentinels = 6;
   sentinel_tracker w(settings, GetParam(), pending_io, limits{.reply_bytes = 1 << 16, .depth = 8, .elements = 4096},
                      events);
   time_point now = time_point{} + 1h;
   std::vector<any_event> told;
   duration doubted{};
   for (int step = 0; step != 3000; ++step) {
      while (pending_io.take()) {
      }
      events.take(told);
      ASSERT_LE(told.size(), 200u);
      for (const auto& e : told) ASSERT_FALSE(std::holds_alternative<event::new_lineage>(e)) << "no role was verified";
      ASSERT_LE(w.link_count(), 12u);
      if (w.link_count() != 0) {
         auto& l = w.link_at(random() % w.link_count());
         if (l.now() == link::state::dialing && random() % 4 != 0) {
            l.opened(now);
         } else if (l.now() != link::state::closed && random() % 12 == 0) {
            l.lost("reset", now);
         } else if (l.is_open()) {
            ASSERT_LE(l.out.size(), 16u * 1024) << "questions pile up";
            if (random() % 2 == 0) l.out.wrote(l.out.size());
            auto bytes = fragment(random);
            if (random() % 8 == 0) bytes.resize(random() % (bytes.size() + 1));
            put(l.in, bytes);
            l.received(now);
         }
      }
      if (random() % 20 == 0) w.ask(now);
      if (random() % 20 == 0) w.need(random() % 2 == 0, now);
      if (random() % 20 == 0 && w.target()) w.role_refused(w.target()->where, "slave", now);
      const bool in_doubt = w.in_doubt();
      const duration pause = random() % 10 == 0 ? duration(400ms) : duration(1ms);
      const auto next = std::min(now + pause, std::max(now, w.next_deadline()));
      doubted = in_doubt ? doubted + (next - now) : duration{};
      ASSERT_LE(doubted, sentinel_settings::most_patience * settings.timeout + 10ms) << "commands are held for ever";
      now = next;
      w.tick(now);
      ASSERT_GT(w.next_deadline(), now);
   }
}

INSTANTIATE_TEST_SUITE_P(Seeds, hostile, ::testing::Range(std::uint64_t{1}, std::uint64_t{41}));

TEST(hostile_sentinel, flood_of_events_is_read_and_asked_about_sparingly) {
   deployment w;
   w.start();
   const auto asked = w.count(s2, "SENTINEL MASTER");
   for (int i = 0; i != 20000; ++i) w.publish(s1, "+odown", about_master(old_master));
   w.run_for(1s);
   EXPECT_LE(w.count(s2, "SENTINEL MASTER") - asked, 105u);
   EXPECT_EQ(w.told<event::sentinel_said>().size(), 20000u);
   EXPECT_TRUE(w.targets(old_master));
}

TEST(hostile_sentinel, array_of_a_million_is_waited_for_no_longer_than_an_answer) {
   deployment w;
   w.at(s1).tamper = [](std::string& reply, unsigned) { reply = "*1000000\r\n"; };
   w.run_for(1s);
   EXPECT_TRUE(w.targets(old_master));
   EXPECT_EQ(w.told<event::sentinel_down>().size(), 1u);
}

TEST(hostile_sentinel, reply_of_a_megabyte_is_no_reply_of_a_sentinel) {
   deployment w;  // with the limits of a master's replies
   w.at(s1).tamper = [](std::string& reply, unsigned) { reply = bulk(std::string(std::size_t{1} << 20, 'x')); };
   w.run_for(20ms);
   EXPECT_TRUE(w.targets(old_master));
   const auto down = w.told<event::sentinel_down>();
   ASSERT_EQ(down.size(), 1u);
   EXPECT_TRUE(down[0].why.starts_with("broke the protocol")) << down[0].why;
}

TEST(hostile_sentinel, what_a_sentinel_says_is_shown_without_its_control_characters) {
   deployment w;
   for (const auto& s : {s1, s2, s3})
      w.at(s).tamper = [](std::string& reply, unsigned) {
         reply = "-NOAUTH \x1b[2J" + std::string(5000, 'x') + "\r\n";
      };
   w.start();
   const auto t = w.watched.why_none();
   ASSERT_TRUE(t);
   for (const auto& cause : t->causes) {
      EXPECT_EQ(cause.find('\x1b'), std::string::npos);
      EXPECT_LE(cause.size(), 300u);
   }
}

}  // namespace
}  // namespace holdfast::impl::tracker_hostile_test
