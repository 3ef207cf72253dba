// Readers of a Sentinel's answers. Everything here comes from another machine: whatever does not fit is `malformed`,
// and the caller closes that connection.
#pragma once

#include "resp/reader.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl {

enum class sentinel_answer_kind : std::uint8_t {
   good,
   unknown_name,  // the Sentinel works, but knows no master of that name
   forbidden,     // this user may not run that command (NOPERM)
   refused,       // not authenticated, or wrongly
   turned_away,   // at its door, whoever comes: maxclients is reached, or it is in protected mode
   no_sentinel,   // a server, but one that does not know the command
   malformed,     // anything else
};

// SENTINEL MASTER <name>. Its ip and port are *not* the address to connect to: while the leader of a failover waits for
// the replicas, it shows the new epoch with the address of the old master here. They tell which node the flags are of.
struct master_state {
   std::uint64_t epoch = 0;
   endpoint shown = {};  // the node that the flags and the run id describe
   std::string run_id = {};
   bool objectively_down = false;
   bool failover_in_progress = false;
   std::optional<duration> down_after = {};
   std::uint64_t other_sentinels = 0;
   std::uint64_t replicas = 0;
};

inline constexpr std::size_t longest_run_id = 64;  // a longer one counts as none; those of Redis have 40 characters

// One entry of SENTINEL SENTINELS <name>, or of SENTINEL REPLICAS <name>.
struct listed_node {
   endpoint where = {};
   std::string id = {};  // its run id; may be empty

   friend bool operator==(const listed_node&, const listed_node&) = default;
};

sentinel_answer_kind read_master(value_view reply, master_state& into);  // SENTINEL MASTER
sentinel_answer_kind read_address(value_view reply, endpoint& into);     // SENTINEL GET-MASTER-ADDR-BY-NAME
// SENTINEL SENTINELS, or REPLICAS: of these, those that answer that Sentinel. Entries that make no sense (port 0: no
// longer valid) are left out.
sentinel_answer_kind read_nodes(value_view reply, std::size_t at_most, std::vector<listed_node>& into);
sentinel_answer_kind read_error(std::string_view text);  // of any error reply

// Answers of a Sentinel are small, whatever the master may answer: a list of a hundred Sentinels has some 200 KB.
limits limits_of_answers(limits);

// The first hundred or so characters of what a server sent, fit to be shown: control characters become '?'.
std::string shown(std::string_view text);

}  // namespace holdfast::impl
