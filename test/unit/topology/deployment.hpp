// The deployment that most tests of the tracker begin with: three Sentinels that know each other, and one master.
#pragma once

#include "unit/topology/scripted_world.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl::test {

inline const endpoint s1{"10.0.1.1", 26379};
inline const endpoint s2{"10.0.1.2", 26379};
inline const endpoint s3{"10.0.1.3", 26379};
inline const endpoint old_master{"10.0.0.1", 6379};
inline const endpoint new_master{"10.0.0.2", 6379};

using condition = scripted_sentinel::condition;

inline sentinel_settings three_sentinels() {
   sentinel_settings s;
   s.sentinels = {s1, s2, s3};
   s.master = "mymaster";
   return s;
}

inline sentinel_settings with_seeds(std::vector<endpoint> seeds, sentinel_settings s = three_sentinels()) {
   s.sentinels = std::move(seeds);
   return s;
}

inline void fill(scripted_world& w, std::uint64_t epoch = 5) {
   const endpoint all[] = {s1, s2, s3};
   for (const auto& self : all) {
      auto& s = w.at(self);
      s.master = old_master;
      s.epoch = epoch;
      s.id = "id-of-" + self.host;
      for (const auto& other : all) {
         if (other != self) s.others.emplace_back(other, "id-of-" + other.host);
      }
   }
}

struct deployment : scripted_world {
   explicit deployment(sentinel_settings s = three_sentinels(), std::uint64_t seed = 1)
      : scripted_world(std::move(s), seed) {
      fill(*this);
   }
   // Started, settled, all subscribed.
   static constexpr duration settled = 20ms;
   void start() { run_for(settled); }

   void name(const endpoint& sentinel, const endpoint& master, std::uint64_t epoch) {
      at(sentinel).master = master;
      at(sentinel).epoch = epoch;
      at(sentinel).shown = {};
      at(sentinel).flags = "master";
   }
   void name_by_all(const endpoint& master, std::uint64_t epoch) {
      for (const auto& s : {s1, s2, s3}) name(s, master, epoch);
   }
   void set_all(condition is) {
      for (const auto& s : {s1, s2, s3}) set(s, is);
   }
   bool targets(const endpoint& where) const { return watched.target() && watched.target()->where == where; }
   bool finds(const endpoint& where, duration within = 60s) {
      return run_till([&] { return targets(where); }, within);
   }
   bool finds_any() {
      return run_till([&] { return watched.target().has_value(); });
   }
   // Asked now, the Sentinels lead there.
   bool asks_and_finds(const endpoint& where) {
      watched.ask(now);
      return finds(where, 1s);
   }
};

// A test that begins with one that has settled.
struct settled : testing::Test {
   settled() { w.start(); }
   deployment w;
};

inline std::string switched(const endpoint& from, const endpoint& to) {
   return "mymaster " + from.host + " " + std::to_string(from.port) + " " + to.host + " " + std::to_string(to.port);
}
inline std::string about_master(const endpoint& m) {
   return "master mymaster " + m.host + " " + std::to_string(m.port);
}
inline std::string about_replica(const endpoint& r, const endpoint& m) {
   return "slave " + to_string(r) + " " + r.host + " " + std::to_string(r.port) + " @ mymaster " + m.host + " " +
          std::to_string(m.port);
}

}  // namespace holdfast::impl::test
