// Replies of a Sentinel, as bytes, for the tests of the topology layer.
#pragma once

#include "unit/resp/feeding.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl::test {

inline std::string bulk(std::string_view text) {
   return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}
inline std::string array(const std::vector<std::string>& elements) {
   std::string out = "*" + std::to_string(elements.size()) + "\r\n";
   for (const auto& e : elements) out += e;
   return out;
}
inline std::string texts(const std::vector<std::string>& elements) {
   std::vector<std::string> bulks;
   for (const auto& e : elements) bulks.push_back(bulk(e));
   return array(bulks);
}

inline const std::string nil_array = "*-1\r\n";
inline const std::string no_such_master = "-ERR No such master with that name\r\n";

struct master_reply {
   endpoint shown = {};
   std::uint64_t epoch = 0;
   std::string flags = "master";
   std::string down_after = "1000";
   std::string others = "2";
   std::string replicas = "2";
   std::string run_id = {};

   std::string bytes() const {
      return texts({"name",
                    "mymaster",
                    "ip",
                    shown.host,
                    "port",
                    std::to_string(shown.port),
                    "runid",
                    run_id,
                    "flags",
                    flags,
                    "link-pending-commands",
                    "0",
                    "down-after-milliseconds",
                    down_after,
                    "role-reported",
                    "master",
                    "config-epoch",
                    std::to_string(epoch),
                    "num-slaves",
                    replicas,
                    "num-other-sentinels",
                    others,
                    "quorum",
                    "2",
                    "failover-timeout",
                    "5000",
                    "parallel-syncs",
                    "1"});
   }
};

inline std::string address_reply(const endpoint& e) { return texts({e.host, std::to_string(e.port)}); }

inline std::string listed(const endpoint& e, std::string_view id) {
   return texts({"name", std::string(id), "ip", e.host, "port", std::to_string(e.port), "runid", std::string(id),
                 "flags", "sentinel", "voted-leader", "?", "voted-leader-epoch", "0"});
}

// The one reply that `bytes` are.
inline value parsed(std::string_view bytes) {
   reader in{limits{}};
   put(in, bytes);
   return in.next() == reader::status::reply ? value(in.reply()) : value();
}

}  // namespace holdfast::impl::test
