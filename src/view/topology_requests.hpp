// Requests of a lane, or of many lanes together, to a topology source. A plain value; the answers are in the views
// (topology_view.hpp).
#pragma once

#include <holdfast/endpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl {

// A lane's report about the node that it dialled.
struct role_report {
   endpoint where = {};
   bool verified = false;  // it is a master
   std::string role = {};  // else that it is refused for
   std::uint64_t epoch = 0;
   // Generation under which the node was dialled. Where another one is named meanwhile, a refusal is dropped: the same
   // node may be named anew.
   std::uint64_t generation = 0;

   friend bool operator==(const role_report&, const role_report&) = default;
};

struct topology_requests {
   std::uint64_t asked = 0;     // how many questions, ever: who is the master? `answered` of an update answers
   bool commands_wait = false;  // and there is no connection
   std::vector<role_report> reports = {};  // since the last time; the same from many lanes is one

   // Bounded: it has room for all that lanes of one deployment can honestly differ in.
   static constexpr std::size_t most_reports = 64;
   void report(role_report r) {
      if (std::find(reports.begin(), reports.end(), r) != reports.end()) return;
      if (reports.size() == most_reports) reports.erase(reports.begin());
      reports.push_back(std::move(r));
   }
};

}  // namespace holdfast::impl
