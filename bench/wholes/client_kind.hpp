// A client library, used in one way: what a worker measures.
#pragma once

#include "bench/wholes/workload.hpp"

#include <holdfast/endpoint.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::bench {

// One who calls; used by one thread at a time.
class caller {
 public:
   virtual ~caller() = default;
   // Builds what is built before the clock runs.
   virtual void prepare(const workload&) = 0;
   // So many rounds of what was prepared. Throws std::runtime_error for a reply that is not what it must be.
   virtual void run(std::size_t rounds) = 0;
};

// Callers of one kind of client, all against one server. Destroyed after them.
class caller_source {
 public:
   virtual ~caller_source() = default;
   // Another one: with a connection of its own, or on the one that all share, as this client has it.
   virtual std::unique_ptr<caller> another() = 0;
};

struct server_addresses {
   endpoint node;    // the master's, or that of the canned server
   std::string uri;  // redis+sentinel://...; empty: no Sentinel names that server
};

struct client_kind {
   std::string_view name;   // a word, for JSON and the worker's command line
   std::string_view title;  // for people
   bool by_sentinel = false;
   bool grows = true;  // takes part in the series with many callers
   std::unique_ptr<caller_source> (*make)(const server_addresses&) = nullptr;

   bool takes_part_in(const workload& w) const {
      return !(by_sentinel && w.server == server_kind::canned) && (grows || !w.is_growth);
   }
};

// The raw limit comes first: all others are shown as a ratio to it. A new client is a file in clients/, a line in
// clients/all.hpp and one here.
std::span<const client_kind> all_clients();
// Throws std::runtime_error if there is none of that name.
const client_kind& client_named(std::string_view name);

}  // namespace holdfast::bench
