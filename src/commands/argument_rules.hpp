// The commands whose arguments decide: whether a second run changes anything, and how long the server may wait.
#pragma once

#include "commands/command_table.hpp"

namespace holdfast::impl::argument_rules {

using repeat_rule = repeat_class(const command&);

repeat_rule set, getex, msetex, json_set;                   // strings
repeat_rule bitfield, bitop;                                // bits
repeat_rule lrem, ltrim;                                    // lists
repeat_rule zadd, numbered_sources_store, sdiffstore;       // sets and sorted sets
repeat_rule ranged_store, georadius, sort, hgetex, hsetex;  // what may store what it found
repeat_rule xadd, xtrim, xread, xreadgroup;                 // streams
repeat_rule eval, function_load, acl_log;                   // scripts, administration

using block_rule = std::optional<duration>(const command&);

block_rule last_is_seconds;   // BLPOP key... timeout
block_rule first_is_seconds;  // BLMPOP timeout ...
block_rule block_option;      // XREAD ... BLOCK milliseconds ... STREAMS ...
block_rule wait, wait_aof;    // WAIT replicas milliseconds

}  // namespace holdfast::impl::argument_rules
