// A failover that a Sentinel announces step by step: s1 leads, and selects new_master.
#pragma once

#include "unit/topology/deployment.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::test {

inline const endpoint third{"10.0.0.3", 6379};

inline sentinel_settings eager() {
   auto s = three_sentinels();
   s.eager = true;
   return s;
}

// Of its three Sentinels each lists one replica.
inline void with_one_replica(deployment& w) {
   for (const auto& s : {s1, s2, s3}) w.at(s).replicas = {new_master};
   w.at(old_master).role = "master";
   w.at(new_master).role = "slave";
}
inline void try_failover(deployment& w, const endpoint& leader, std::uint64_t epoch) {
   w.publish(leader, "+new-epoch", std::to_string(epoch));
   w.publish(leader, "+try-failover", about_master(old_master));
}
inline void select(deployment& w, const endpoint& leader, const endpoint& node) {
   w.publish(leader, "+selected-slave", about_replica(node, old_master));
}

class promotion_world : public ::testing::Test {
 protected:
   void SetUp() override { set_up(w); }
   static void set_up(deployment& d) {
      for (const auto& s : {s1, s2, s3}) d.at(s).replicas = {new_master, third};
      d.at(old_master).role = "master";
      for (const auto& r : {new_master, third}) {
         d.at(r).role = "slave";
         d.at(r).follows = old_master;
      }
      d.start();
      d.run_for(3s);
   }
   void tries(const endpoint& sentinel, std::uint64_t epoch) { try_failover(w, sentinel, epoch); }
   void selects(const endpoint& sentinel, const endpoint& node) {
      select(w, sentinel, node);
      w.run_for(1ms);
   }
   void selected(std::uint64_t epoch = 6, const endpoint& sentinel = s1, const endpoint& node = new_master) {
      tries(sentinel, epoch);
      selects(sentinel, node);
   }
   void aborted(const endpoint& sentinel) {
      w.publish(sentinel, "-failover-abort-slave-timeout", about_master(old_master));
      w.run_for(2ms);
   }
   // REPLICAOF NO ONE, and the end of its clients' connections.
   void promoted(const endpoint& node) {
      w.at(node).role = "master";
      w.cut(node);
   }
   void expect_believed(const endpoint& node) {
      promoted(node);
      ASSERT_TRUE(w.finds(node, 100ms));
   }
   void expect_not_believed(const endpoint& node) {
      promoted(node);
      w.run_for(500ms);
      EXPECT_TRUE(w.targets(old_master));
   }
   void promoted_and_believed() {
      selected();
      w.run_for(70ms);
      expect_believed(new_master);
      w.carry_out();
   }
   bool holds() const { return w.now < w.watched.hold_writes_until(); }

   deployment w{eager()};
};

}  // namespace holdfast::impl::test
