#include "lab/fault.hpp"

#include "lab/faults/all.hpp"

namespace holdfast::lab {

std::vector<std::unique_ptr<fault>> every_fault() {
   std::vector<std::unique_ptr<fault>> all;
   for (const auto make :
        {make_kill, make_stop, make_shutdown, make_failover, make_reply_loss, make_connection_kill, make_restart})
      all.push_back(make());
   return all;
}

std::unique_ptr<fault> fault_named(std::string_view name) {
   for (auto& candidate : every_fault())
      if (candidate->name() == name) return std::move(candidate);
   return nullptr;
}

}  // namespace holdfast::lab
