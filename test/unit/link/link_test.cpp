// A link, its owner, and what becomes of the links that an owner destroys. The test plays the engine.
#include "link/link.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::impl::link_test {
namespace {

const endpoint here{"10.0.0.1", 6379};
const time_point now = time_point{} + std::chrono::hours(1);

struct recording_owner final : link_owner {
   void on_opened(link&, time_point) override { note("opened"); }
   void on_received(link&, time_point) override { note("received"); }
   void on_lost(link&, std::string_view why, time_point) override { note("lost: " + std::string(why)); }

   void note(std::string what) {
      told.push_back(std::move(what));
      if (inside) inside();
   }
   std::vector<std::string> told;
   std::function<void()> inside;  // done inside each call
};

struct owned_links : testing::Test {
   std::unique_ptr<link> make() {
      auto l = std::make_unique<link>(io, limits{});
      l->set_owner(owner);
      return l;
   }
   std::unique_ptr<link> make_open() {
      auto l = make();
      l->dial(here);
      take_all();
      l->opened(now);
      return l;
   }
   std::vector<io_queue::entry> take_all() {
      std::vector<io_queue::entry> all;
      while (const auto next = io.take()) all.push_back(next);
      return all;
   }

   io_queue io;
   recording_owner owner;
};

TEST_F(owned_links, owner_is_told_each_event) {
   const auto l = make_open();
   l->received(now);
   l->write("PING");
   l->wrote(2, now);
   l->lost("reset", now);
   EXPECT_EQ(owner.told, (std::vector<std::string>{"opened", "received", "lost: reset"}));
   EXPECT_EQ(l->now(), link::state::closed);
}

TEST_F(owned_links, link_is_live_until_lost) {
   const auto l = make_open();
   const auto serial = l->serial();
   EXPECT_EQ(io.live(l->id(), serial), l.get());
   EXPECT_EQ(io.live(l->id(), serial - 1), nullptr);
   l->lost("reset", now);
   EXPECT_EQ(io.live(l->id(), serial), nullptr);
   EXPECT_EQ(io.live(l->id(), l->serial()), nullptr);
}

TEST_F(owned_links, owner_destroys_another_inside_received) {
   const auto calling = make_open();
   auto other = make_open();
   const auto id = other->id();
   const auto serial = other->serial();
   other->write("PING");
   owner.inside = [&] { other.reset(); };
   calling->received(now);
   EXPECT_EQ(io.live(id, serial), nullptr);
   const auto taken = take_all();
   ASSERT_EQ(taken.size(), 1U);
   EXPECT_EQ(taken[0].id, id);
   EXPECT_EQ(taken[0].holder, nullptr);
   EXPECT_EQ(taken[0].pending_io.close, link::ending::orderly);
   EXPECT_FALSE(taken[0].pending_io.write || taken[0].pending_io.dial);
   EXPECT_EQ(io.live(calling->id(), calling->serial()), calling.get());
}

TEST_F(owned_links, owner_closes_the_calling_one_by_a_request) {
   const auto l = make_open();
   owner.inside = [&] { l->abort(); };
   l->received(now);
   const auto taken = take_all();
   ASSERT_EQ(taken.size(), 1U);
   EXPECT_EQ(taken[0].pending_io.close, link::ending::abortive);
   EXPECT_EQ(owner.told.back(), "received") << "who closes is not told of the end";
}

TEST_F(owned_links, owner_dials_in_lost) {
   const auto l = make_open();
   const auto serial = l->serial();
   owner.inside = [&] { l->dial(here); };
   l->lost("reset", now);
   owner.inside = nullptr;
   EXPECT_EQ(io.live(l->id(), serial), nullptr);
   EXPECT_EQ(io.live(l->id(), l->serial()), l.get());
   const auto taken = take_all();
   ASSERT_EQ(taken.size(), 1U);
   EXPECT_TRUE(taken[0].pending_io.dial);
   EXPECT_EQ(taken[0].pending_io.close, link::ending::none) << "that connection is gone";
}

TEST_F(owned_links, late_reports_of_a_destroyed_one_find_nobody) {
   auto first = make_open();
   const auto id = first->id();
   const auto serial = first->serial();
   first.reset();
   EXPECT_EQ(io.live(id, serial), nullptr);
   for (int i = 0; i != 3; ++i) {
      take_all();
      const auto next = make_open();
      ASSERT_EQ(next->id(), id) << "the id is free";
      ASSERT_GT(next->serial(), serial);
      for (auto old = serial; old != next->serial(); ++old) EXPECT_EQ(io.live(id, old), nullptr);
      EXPECT_EQ(io.live(id, next->serial()), next.get());
   }
}

TEST_F(owned_links, id_is_free_when_the_last_wish_was_taken) {
   auto first = make_open();
   const auto id = first->id();
   first.reset();
   const auto second = make();
   second->dial(here);
   EXPECT_NE(second->id(), id) << "the connection before is not closed yet";
   EXPECT_EQ(take_all().size(), 2U);
}

TEST_F(owned_links, destroyed_before_any_dial_leaves_nothing) {
   make().reset();
   EXPECT_TRUE(io.empty());
   EXPECT_EQ(make_open()->id(), 1U);
}

TEST_F(owned_links, destroyed_with_an_untold_dial_wishes_nothing) {
   auto l = make();
   l->dial(here);
   l.reset();
   for (const auto& e : take_all()) {
      EXPECT_EQ(e.pending_io.close, link::ending::none);
      EXPECT_FALSE(e.pending_io.dial || e.pending_io.write);
   }
}

}  // namespace
}  // namespace holdfast::impl::link_test
