// The other Sentinels that one Sentinel lists. SENTINEL RESET empties its list until the others have said hello again,
// and +sentinel announces an entry before the list can be asked for. Such an entry is *passing*: it keeps a Sentinel
// that answers under the same run id in use for as long as a hello may take, and proves nothing against others.
#pragma once

#include "topology/sentinel/sentinel_reply.hpp"

#include <holdfast/time.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl {

struct passing_node : listed_node {
   time_point until = never;
};

class listed_others {
 public:
   const std::vector<listed_node>& told() const { return told_; }
   const std::vector<passing_node>& passing() const { return passing_; }
   time_point deadline() const { return passing_.empty() ? never : passing_.front().until; }

   // The Sentinel with this id lists these; another one may have answered before.
   void tell(const std::string& by, const std::vector<listed_node>& nodes, time_point now) {
      const std::string before = std::exchange(by_, by);
      const std::vector<listed_node> gone = std::exchange(told_, nodes);
      if (!before.empty() && before != by) return passing_.clear();
      for (const auto& node : gone) announce(node, now);
      for (const auto& node : told_) drop(node);
   }
   void announce(const listed_node& node, time_point now) {
      drop(node);
      if (!node.id.empty() && passing_.size() < most) passing_.push_back({node, after(now, hello)});
   }
   bool expire(time_point now) {
      return std::erase_if(passing_, [&](const auto& p) { return p.until <= now; }) != 0;
   }

 private:
   // Sentinels say hello every 2 s; one that was reset has to subscribe first.
   static constexpr duration hello = std::chrono::milliseconds(2500);
   static constexpr std::size_t most = 256;

   void drop(const listed_node& node) {
      std::erase_if(passing_, [&](const auto& p) { return p.id == node.id || p.where == node.where; });
   }

   std::string by_;
   std::vector<listed_node> told_;
   std::vector<passing_node> passing_;  // the oldest first
};

}  // namespace holdfast::impl
