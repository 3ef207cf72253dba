// What can be the matter with the first Sentinel of a client's list, besides any fault of the servers.
#pragma once

#include "lab/fault.hpp"
#include "lab/silent_listener.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace holdfast::lab {

enum class trouble {
   none,
   stopped,  // it hangs: its connections stay, nothing answers
   deaf,     // it has ended, and what listens at its place never answers
   stale,    // it is cut off from all servers and Sentinels, but not from clients, and goes on naming what is gone
};

std::string_view to_string(trouble);
// What it is, in words: "the first Sentinel hangs". Empty for none.
std::string_view words_of(trouble);
std::optional<trouble> trouble_named(std::string_view);

// The deployment that it needs: others must be left to fail over.
deployment_options shape_for(trouble, deployment_options wanted);

// Keeps the trouble going for as long as it lives.
class troubled_sentinel {
 public:
   // Returns when it is so.
   troubled_sentinel(trouble, deployment&, const std::stop_token& stop);

 private:
   std::unique_ptr<silent_listener> silence_ = {};
};

// `inner`, with the trouble brought about first. All else is as `inner` has it.
std::unique_ptr<fault> with_trouble(trouble, std::unique_ptr<fault> inner);

}  // namespace holdfast::lab
