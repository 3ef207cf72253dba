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

// Keeps the trouble going for as long as it lives.
class troubled_sentinel {
 public:
   // Returns when it is so.
   troubled_sentinel(trouble, deployment&, const std::stop_token& stop);

 private:
   std::unique_ptr<silent_listener> silence_ = {};
};

// The same fault, with the trouble brought about first.
fault with_trouble(trouble, fault);

}  // namespace holdfast::lab
