// By hand: what a second run of a command changes, and what a command does to the connection. A name that is not here
// has the class that its flags give it: `readonly` where the server flags it so (or it is a HELP), else not repeatable.
//
// Names are set apart by spaces; a subcommand is "container|name".
#pragma once

#include "commands/argument_rules.hpp"
#include "commands/command_table.hpp"

#include <string_view>

namespace holdfast::impl::repeat_rules {

template <class Given>
struct rule {
   Given given;
   std::string_view names;
};

inline constexpr rule<repeat_class> classes[] = {
   // They read, though the server does not flag them so (it keeps `readonly` for commands that have keys).
   {repeat_class::readonly, "ping echo time info lastsave role lolwut config|get command command|count command|docs"},
   {repeat_class::readonly, "command|getkeys command|getkeysandflags command|info command|list"},
   {repeat_class::readonly, "client|list client|id client|info client|getname client|getredir client|trackinginfo"},
   {repeat_class::readonly, "acl|cat acl|dryrun acl|genpass acl|getuser acl|list acl|users acl|whoami"},
   {repeat_class::readonly, "memory|doctor memory|stats memory|malloc-stats slowlog|get slowlog|len module|list"},
   {repeat_class::readonly, "latency|doctor latency|graph latency|histogram latency|history latency|latest"},
   {repeat_class::readonly, "script|exists function|list function|dump function|stats"},
   {repeat_class::readonly, "pubsub|channels pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub"},
   {repeat_class::readonly, "cluster|info cluster|nodes cluster|slots cluster|shards cluster|links cluster|myid"},
   {repeat_class::readonly, "cluster|myshardid cluster|keyslot cluster|countkeysinslot cluster|getkeysinslot"},
   {repeat_class::readonly, "cluster|count-failure-reports cluster|replicas cluster|slaves cluster|slot-stats"},
   // Neither the state nor the reply is another.
   {repeat_class::same, "mset setex psetex hmset setrange lset pfmerge script|load xsetid"},
   // With the destination among the sources, too.
   {repeat_class::same, "sinterstore sunionstore"},
   // The connection's own state. Of a transaction the worst member counts; its brackets add nothing.
   {repeat_class::same, "select auth hello readonly readwrite asking client|setname client|setinfo client|no-evict"},
   {repeat_class::same, "client|no-touch client|tracking client|caching client|capa unwatch multi exec discard"},
   // The state is the same, the reply may differ.
   {repeat_class::same_state, "del unlink smove copy restore restore-asking delex delifeq renamenx move setbit pfadd"},
   {repeat_class::same_state, "hset hdel sadd srem geoadd zrem zremrangebyscore zremrangebylex setnx msetnx hsetnx"},
   {repeat_class::same_state, "expire pexpire expireat pexpireat persist hexpire hpexpire hexpireat hpexpireat"},
   {repeat_class::same_state, "hpersist xack xdel xdelex xackdel xgroup|create xgroup|createconsumer xgroup|setid"},
   {repeat_class::same_state, "xgroup|destroy bf.add"},
   // The state is the same, but the first reply was what mattered.
   {repeat_class::result_lost, "getdel getset hgetdel xclaim xautoclaim xgroup|delconsumer"},
   // Counted twice, appended twice, taken twice; or no one can tell.
   {repeat_class::not_repeatable, "incr incrby decr decrby incrbyfloat hincrby hincrbyfloat zincrby increx append"},
   {repeat_class::not_repeatable, "lpush rpush lpushx rpushx linsert lpop rpop lmpop blpop brpop blmpop spop zpopmin"},
   {repeat_class::not_repeatable, "zpopmax zmpop bzpopmin bzpopmax bzmpop lmove rpoplpush blmove brpoplpush lmovem"},
   {repeat_class::not_repeatable, "zremrangebyrank publish spublish evalsha fcall migrate swapdb arinsert watch"},
   {repeat_class::not_repeatable, "ts.incrby ts.decrby cms.incrby cf.add json.numincrby json.arrappend"},
   // A second "no such key"; but if the source was created anew meanwhile, the second overwrites the destination.
   {repeat_class::not_repeatable, "rename"},
   // Never right to send again: meant for the node that it was given to, which after a failover is another one; or it
   // belongs to its connection.
   {repeat_class::never, "flushall flushdb sflush shutdown failover replicaof slaveof debug save bgsave bgrewriteaof"},
   {repeat_class::never, "client|kill client|pause client|unpause client|unblock client|reply pfdebug memory|purge"},
   {repeat_class::never, "acl|setuser acl|deluser acl|load acl|save config|set config|rewrite config|resetstat"},
   {repeat_class::never, "function|flush function|kill function|restore script|flush script|kill script|debug"},
   {repeat_class::never, "module|load module|loadex module|unload slowlog|reset latency|reset cluster|failover"},
   {repeat_class::never, "cluster|reset cluster|flushslots cluster|addslots cluster|addslotsrange cluster|bumpepoch"},
   {repeat_class::never, "cluster|delslots cluster|delslotsrange cluster|forget cluster|meet cluster|replicate"},
   {repeat_class::never, "cluster|saveconfig cluster|set-config-epoch cluster|setslot wait waitaof monitor sync"},
   {repeat_class::never, "psync replconf reset quit subscribe psubscribe ssubscribe unsubscribe punsubscribe"},
   {repeat_class::never, "sunsubscribe"},
};

// The arguments decide.
inline constexpr rule<argument_rules::repeat_rule*> conditional[] = {
   {argument_rules::set, "set"},
   {argument_rules::getex, "getex"},
   {argument_rules::msetex, "msetex"},
   {argument_rules::json_set, "json.set"},
   {argument_rules::bitfield, "bitfield"},
   {argument_rules::bitop, "bitop"},
   {argument_rules::lrem, "lrem"},
   {argument_rules::ltrim, "ltrim"},
   {argument_rules::zadd, "zadd"},
   {argument_rules::numbered_sources_store, "zunionstore zinterstore zdiffstore"},
   {argument_rules::sdiffstore, "sdiffstore"},
   {argument_rules::ranged_store, "zrangestore geosearchstore"},
   {argument_rules::georadius, "georadius georadiusbymember"},
   {argument_rules::sort, "sort"},
   {argument_rules::hgetex, "hgetex"},
   {argument_rules::hsetex, "hsetex"},
   {argument_rules::xadd, "xadd"},
   {argument_rules::xtrim, "xtrim"},
   {argument_rules::xread, "xread"},
   {argument_rules::xreadgroup, "xreadgroup"},
   {argument_rules::eval, "eval"},
   {argument_rules::function_load, "function|load"},
   {argument_rules::acl_log, "acl|log"},
};

inline constexpr rule<argument_rules::block_rule*> blocking[] = {
   {argument_rules::last_is_seconds, "blpop brpop blmove brpoplpush bzpopmin bzpopmax"},
   {argument_rules::first_is_seconds, "blmpop bzmpop"},
   {argument_rules::block_option, "xread xreadgroup"},
   {argument_rules::wait, "wait"},
   {argument_rules::wait_aof, "waitaof"},
};

inline constexpr rule<command_role> roles[] = {
   {command_role::multi, "multi"},
   {command_role::exec, "exec"},
   {command_role::discard, "discard"},
   {command_role::watch, "watch"},
   {command_role::unwatch, "unwatch"},
   {command_role::select, "select"},
   {command_role::auth, "auth"},
   {command_role::hello, "hello"},
   {command_role::set_name, "client|setname"},
   {command_role::connection, "client|setinfo client|no-evict client|no-touch client|tracking client|caching"},
   {command_role::connection, "client|capa readonly readwrite asking script|debug"},
   {command_role::subscribe, "subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe"},
   {command_role::monitor, "monitor"},
   {command_role::client_reply, "client|reply"},
   {command_role::reset, "reset"},
   {command_role::quit, "quit"},
   {command_role::wait, "wait waitaof"},
   {command_role::replication, "sync psync replconf"},
};

inline constexpr std::string_view scans = "scan sscan hscan zscan";
inline constexpr std::string_view scripts = "eval eval_ro evalsha evalsha_ro fcall fcall_ro";

}  // namespace holdfast::impl::repeat_rules
