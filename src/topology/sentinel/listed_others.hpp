// The other Sentinels that the Sentinel at one place lists. SENTINEL RESET empties its list until the others have said
// hello again, and +sentinel announces an entry before the list can be asked for. Such an entry is *passing*: it keeps
// a Sentinel that answers under the same run id in use for as long as a hello may take, and proves nothing against
// others. An entry is *inherited* once another Sentinel answers at the place: one that was built anew has an empty
// list, too. Or it is of another deployment: so the entry does not make the two related.
#pragma once

#include "topology/sentinel/sentinel_reply.hpp"

#include <holdfast/time.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl {

struct passing_node : listed_node {
   time_point until = never;
   bool inherited = false;
};

class listed_others {
 public:
   const std::vector<listed_node>& told() const { return told_; }
   const std::vector<passing_node>& passing() const { return passing_; }
   time_point deadline() const { return passing_.empty() ? never : passing_.front().until; }

   // The Sentinel with this id lists these. Another one may have answered before.
   void tell(const std::string& by, const std::vector<listed_node>& nodes, time_point now) {
      const auto before = std::exchange(by_, by);
      const std::vector<listed_node> gone = std::exchange(told_, nodes);
      const bool is_another = before && *before != by;
      for (auto& p : passing_) p.inherited = p.inherited || is_another;
      for (const auto& node : gone) add(node, is_another, now);
      for (const auto& node : told_) drop(node);
   }
   void announce(const listed_node& node, time_point now) { add(node, false, now); }
   bool expire(time_point now) {
      return std::erase_if(passing_, [&](const auto& p) { return p.until <= now; }) != 0;
   }

 private:
   // Sentinels say hello every 2 s; one that was reset has to subscribe first.
   static constexpr duration hello = std::chrono::milliseconds(2500);
   static constexpr std::size_t most = 256;

   void add(const listed_node& node, bool inherited, time_point now) {
      drop(node);
      if (!node.id.empty() && passing_.size() < most) passing_.push_back({node, after(now, hello), inherited});
   }
   void drop(const listed_node& node) {
      std::erase_if(passing_, [&](const auto& p) { return p.id == node.id || p.where == node.where; });
   }

   std::optional<std::string> by_;  // its id, which may be unproven: empty
   std::vector<listed_node> told_;
   std::vector<passing_node> passing_;  // the oldest first
};

}  // namespace holdfast::impl
