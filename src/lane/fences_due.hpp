// Connections that were given up while something that was written on them may still run, and what later handshakes
// found out about them. ("The fence" in docs/architecture.md)
#pragma once

#include "commands/connection_kills.hpp"

#include <holdfast/endpoint.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::impl {

class fences_due {
 public:
   // Destination of a connection: as it was dialled, and the address of that name.
   struct place {
      endpoint where;
      endpoint address;
      std::uint64_t epoch = 0;  // that the node is the master under

      bool is_same(const place& p) const { return where == p.where && address == p.address; }
   };

   // `others_wait`: for what was lost on connections before, too, commands wait to be sent again.
   void remember(place, const identity&, bool others_wait);
   bool empty() const { return lost_.empty() && forgotten_.empty(); }
   // For a handshake at `here`.
   std::vector<earlier_connection> earlier(const place& here) const;
   // The handshake at `here`, a process of this run id, is over, and found this.
   void take_fates(const std::vector<earlier_connection>& found, const place& here, const std::string& run_id);
   void forget_result() {
      result_ = result::not_needed;
      problem_.clear();
   }

   // Whether such a connection led to the lane's present address, or may have led to the node that is named: where its
   // run id is not known, it may be any process by another name. `named`: null where the lane does not move.
   bool is_due(const endpoint* present, const std::string* named_run_id) const;

   // Unproven: the lane came to another address, and can't know whether to another process.
   enum class result : std::uint8_t { not_needed, holds, unproven, impossible };
   result of_present() const { return result_; }
   const std::string& problem() const { return problem_; }

 private:
   struct lost_connection {
      place at;  // nowhere once another process was found there
      identity who;
      bool passed = false;     // the lane was connected to another node since
      bool waited_for = true;  // what was lost there may wait to be sent again
   };
   static bool may_be_same(const lost_connection&, const place& here);
   void forget_one();
   bool may_be_forgotten(std::string_view run_id) const;
   static constexpr std::size_t most = 8;
   static constexpr std::size_t most_forgotten = 64;

   std::vector<lost_connection> lost_;
   // Of those that are too many to be fenced the run ids; one that is empty stands for any process.
   std::vector<std::string> forgotten_;
   result result_ = result::not_needed;
   std::string problem_;
};

}  // namespace holdfast::impl
