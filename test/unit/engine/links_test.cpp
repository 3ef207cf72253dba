// Links that come and go in one engine. The test plays their owner and the runtime.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::impl::test::links_test {
namespace {

using kind = io_request::kind;

struct recording_owner final : link_owner {
   void on_opened(link&, time_point) override { told.emplace_back("opened"); }
   void on_received(link&, time_point) override {
      told.emplace_back("received");
      other.reset();
   }
   void on_lost(link& l, std::string_view, time_point) override {
      told.emplace_back("lost");
      if (dials_again) l.dial(node_b);
   }
   std::vector<std::string> told;
   std::unique_ptr<link> other;  // destroyed inside on_received
   bool dials_again = false;
};

struct engine_links : testing::Test {
   std::unique_ptr<link> make() {
      auto l = std::make_unique<link>(subject.links(), limits{});
      l->set_owner(owner);
      return l;
   }
   std::unique_ptr<link> make_open() {
      auto l = make();
      l->dial(node_a);
      carry_out();
      subject.connected(l->id(), l->serial(), now);
      return l;
   }
   // Resolves, and lists what else is asked for.
   std::vector<io_request> carry_out() {
      std::vector<io_request> all;
      for (io_request a; subject.next_io(a);) {
         if (a.what == kind::resolve)
            subject.resolved(a.link, a.serial, {a.where}, {}, now);
         else
            all.push_back(a);
      }
      return all;
   }
   void report_everything(link_id id, std::uint32_t serial) {
      subject.resolved(id, serial, {node_b}, {}, now);
      subject.connected(id, serial, now);
      EXPECT_TRUE(subject.space(id, serial).empty());
      EXPECT_TRUE(subject.to_write(id, serial).empty());
      subject.received(id, serial, 0, now);
      subject.wrote(id, serial, 0, now);
      subject.measured(id, serial, {}, now);
      subject.lost(id, serial, "reset", now);
   }

   time_point now = time_point{} + 1h;
   engine subject{with_server(), 1};
   recording_owner owner;
};

TEST_F(engine_links, destroyed_inside_received_is_closed_and_reports_find_nobody) {
   const auto calling = make_open();
   owner.other = make_open();
   const auto id = owner.other->id();
   const auto serial = owner.other->serial();
   owner.other->write("PING");
   ASSERT_FALSE(subject.space(calling->id(), calling->serial()).empty());
   subject.received(calling->id(), calling->serial(), 0, now);
   ASSERT_EQ(owner.other, nullptr);
   owner.told.clear();
   report_everything(id, serial);
   const auto asked = carry_out();
   ASSERT_EQ(asked.size(), 1U) << "no write";
   EXPECT_EQ(asked[0].what, kind::close);
   EXPECT_EQ(asked[0].link, id);
   report_everything(id, serial);
   EXPECT_TRUE(owner.told.empty());
   EXPECT_FALSE(subject.has_io());
}

TEST_F(engine_links, next_one_of_an_id_hears_nothing_of_the_last) {
   auto first = make_open();
   const auto id = first->id();
   const auto serial = first->serial();
   first.reset();
   carry_out();
   const auto second = make();
   second->dial(node_b);
   const auto asked = carry_out();
   ASSERT_EQ(second->id(), id);
   ASSERT_EQ(asked.size(), 1U);
   EXPECT_EQ(asked[0].where, node_b);
   EXPECT_EQ(asked[0].name, node_b) << "what was dialled";
   owner.told.clear();
   report_everything(id, serial);
   EXPECT_TRUE(owner.told.empty());
   subject.connected(id, second->serial(), now);
   EXPECT_EQ(owner.told, std::vector<std::string>{"opened"});
}

TEST_F(engine_links, destroyed_while_it_is_resolved_or_dialled_is_not_connected) {
   for (const bool is_resolved : {false, true}) {
      auto l = make();
      l->dial(node_a);
      io_request a;
      ASSERT_TRUE(subject.next_io(a) && a.what == kind::resolve);
      if (is_resolved) subject.resolved(a.link, a.serial, {node_a}, {}, now);
      l.reset();
      if (!is_resolved) subject.resolved(a.link, a.serial, {node_a}, {}, now);
      for (const io_request& next : carry_out()) EXPECT_EQ(next.what, kind::close) << is_resolved;
   }
}

TEST_F(engine_links, owner_dials_again_inside_lost) {
   const auto l = make_open();
   const auto serial = l->serial();
   owner.dials_again = true;
   subject.lost(l->id(), serial, "reset", now);
   const auto asked = carry_out();
   ASSERT_EQ(asked.size(), 1U);
   EXPECT_EQ(asked[0].what, kind::connect);
   EXPECT_EQ(asked[0].where, node_b);
   owner.told.clear();
   report_everything(l->id(), serial);
   EXPECT_TRUE(owner.told.empty()) << "that connection is gone";
}

}  // namespace
}  // namespace holdfast::impl::test::links_test
