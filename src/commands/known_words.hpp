// The words in which a Redis or Valkey server refuses a command before it changes anything. Only these prove that the
// command did not run: whatever else an error says, a proxy, a module or a newer server may have said after the fact.
//
// Sources: the error texts of src/*.c in Redis 6.0.20, 6.2.16, 7.0.15, 7.2.6, 7.4.1 and the branch of 8.0, and Valkey
// 7.2.7, 8.0.1 and the branch of 8.1; each was followed to the place where it is given. Left out on purpose, because
// something may have happened before:
//   "Target instance replied with error"      MIGRATE: other keys of the same command have moved
//   "The 'default' user cannot be removed"    ACL DELUSER: those named before it are gone
//   "INVALIDOBJ", "-INVALIDOBJ ..."           PFADD and PFMERGE: found while they write
//   "Elements are too large to be stored"     XADD: before 7.0 it has created the stream
//   "Errors trying to SHUTDOWN", "There was an error trying to save the ACLs", "Rewriting config file",
//   "CONFIG SET failed" for a reason that shows only when it is applied, all of CLUSTER, DEBUG, SENTINEL and FUNCTION
//   RESTORE.
#pragma once

#include <string_view>

namespace holdfast::impl {

// A text matches if it begins with the pattern; `*` stands for any bytes.
constexpr bool matches_words(std::string_view text, std::string_view pattern) {
   for (bool first = true;; first = false) {
      const auto star = pattern.find('*');
      const std::string_view part = pattern.substr(0, star);
      const auto at = !first ? text.find(part) : text.starts_with(part) ? 0 : std::string_view::npos;
      if (at == std::string_view::npos) return false;
      if (star == std::string_view::npos) return true;
      text.remove_prefix(at + part.size());
      pattern.remove_prefix(star + 1);
   }
}

namespace known_words {

// The whole text, of errors that have a code of their own (and are no gate: those are in reply_class.cpp).
inline constexpr std::string_view coded[] = {
   "WRONGTYPE Operation against a key holding the wrong kind of value",
   "WRONGTYPE Key is not a valid HyperLogLog string value",
   "BUSYGROUP Consumer Group name already exists",
   "BUSYKEY Target key name already exists",
   "NOGROUP No such",
   "NOGROUP the consumer group this client was blocked on no longer exists",
   "UNBLOCKED the stream key no longer exists",
   "NOTBUSY No scripts in execution right now",
   "UNKILLABLE Sorry the script already executed write commands",
   "UNKILLABLE The busy script was sent by a master instance",
   "NOMASTERLINK Can't SYNC while",
   "NOPROTO unsupported protocol version",
   "NOSUB '*' command executed not in subscribed mode",
   "INPROG Failover already in progress",
   "NOGOODSLAVE No suitable replica to promote",
   "NOQUORUM ",
   "IDONTKNOW",
};

// Behind "ERR ".
inline constexpr std::string_view plain[] = {
   // server.c, networking.c: before the command's own code
   "unknown command",
   "unknown subcommand",
   "Unknown subcommand",
   "Unknown sentinel subcommand",
   "No such master with that name",
   "wrong number of arguments",
   "Wrong number of arguments",
   "Command not allowed inside a transaction",
   "Can't execute '",
   "Replica can't inter",  // "interact"; before 7.0 "interract"
   "DEBUG command not allowed. If",
   "MODULE command not allowed. If",
   "This instance has cluster support disabled",
   "Protocol error: invalid ",
   "Protocol error: too big ",
   "Protocol error: unauthenticated ",
   "Protocol error: unbalanced quotes in request",
   "Protocol error: expected '$', got",
   "max number of clients",
   "invalid password",
   "AUTH <password> called without any password configured",
   "Client sent AUTH, but no password is set",
   "Syntax error in HELLO option '",
   "Protocol version is not an integer or out of range",
   // server.c, object.c, db.c, timeout.c, expire.c: what all commands share
   "syntax error",
   "no such key",
   "index out of range",
   "value is not an integer or out of range",
   "value is not a valid float",
   "value is not a float",
   "value is out of range",
   "value is NaN or Infinity",
   "source and destination objects are the same",
   "timeout is negative",
   "timeout is not an integer or out of range",
   "timeout is not a float or out of range",
   "timeout is out of range",
   "invalid expire time",
   "invalid cursor",
   "unknown type name '",
   "unknown type object",
   "DB index is out of range",
   "invalid DB index",
   "invalid first DB index",
   "invalid second DB index",
   "SELECT is not allowed in cluster mode",
   "MOVE is not allowed in cluster mode",
   "SWAPDB is not allowed in cluster mode",
   "Copying to another database is not allowed in cluster mode",
   "NOSCORES option can only be used in ZSCAN",
   "NOVALUES option can only be used in HSCAN",
   "Unsupported option ",
   "NX and XX, GT or LT options at the same time are not compatible",
   "GT and LT options at the same time are not compatible",
   "numkeys should be greater than 0",
   "numkeys can't be non-positive value",
   "Number of keys can't be",
   "invalid numkeys value",
   "count should be greater than",
   "COUNT must be > 0",
   "COUNT can't be negative",
   "MAXLEN can't be negative",
   "LIMIT can't be negative",
   "An LFU maxmemory policy is ",
   // t_string.c
   "increment or decrement would overflow",
   "increment would produce NaN or Infinity",
   "decrement would overflow",
   "offset is out of range",
   "string exceeds maximum allowed size",
   "Key should be of string type if conditions are specified",  // 8.4
   "The specified keys must contain string values",
   "Either use STRINGS or KEYS",
   "Please specify two strings: STRINGS or KEYS options are mandatory",
   "If you want both the length and indexes, please just use IDX",
   // bitops.c, hyperloglog.c
   "bit is not an integer or out of range",
   "bit offset is not an integer or out of range",
   "The bit argument must be 1 or 0",
   "Invalid bitfield type",
   "Invalid OVERFLOW type specified",
   "BITFIELD_RO only supports the GET subcommand",
   "BITOP NOT must be called with a single source key",
   "The specified key does not exist",
   // t_list.c, t_set.c, t_hash.c
   "Element too large",
   "RANK can't be zero",
   "hash value is not a",
   "Mandatory argument FIELDS is missing",
   "Number of fields must be a positive integer",
   "Parameter `numFields` should be greater than 0",
   "The `numfields` parameter must match the number of arguments",
   "The `numFields` parameter must match the number of arguments",
   // t_zset.c, geo.c, sort.c
   "resulting score is not a number (NaN)",
   "min or max is not a float",
   "min or max not valid string range item",
   "weight value is not a float",
   "at least 1 input key is needed for",
   "XX and NX options at the same time are not compatible",
   "GT, LT, and/or NX options at the same time are not compatible",
   "INCR option supports a single increment-element pair",
   "invalid longitude,latitude pair",
   "unsupported unit provided",
   "could not decode requested zset member",
   "radius cannot be negative",
   "height or width cannot be negative",
   "need numeric ",
   "the ANY argument requires COUNT argument",
   "STORE option in GEORADIUS is not compatible with",
   "exactly one of FROMMEMBER or FROMLONLAT can be specified for",
   "exactly one of BYRADIUS and BYBOX can be specified for",
   "One or more scores can't be converted into double",
   "BY option of SORT denied",
   "GET option of SORT denied",
   // t_stream.c
   "Invalid stream ID specified as stream command argument",
   "The ID specified in XADD ",
   "The ID specified in XSETID ",
   "The entries_added specified in XSETID is smaller",
   "entries_added must be positive",
   "value for ENTRIESREAD must be positive or -1",
   "The stream has exhausted the last possible ID",
   "the stream last element ID is 0-0",
   "The XGROUP subcommand requires the key to exist",
   "The MAXLEN argument must be >= 0",
   "The LIMIT argument must be >= 0",
   "XTRIM called without an option to trim the stream",
   "Unbalanced XREAD list of streams",
   "Unbalanced '*' list of streams",
   "The * ID is meaningless in the context of XREADGROUP",
   "The > ID can be specified only when calling XREADGROUP",
   "The GROUP option is only supported by XREADGROUP",
   "The NOACK option is only supported by XREADGROUP",
   "Missing GROUP option for XREADGROUP",
   "Unrecognized XCLAIM option '",
   "Invalid * option argument for XCLAIM",
   "Invalid min-idle-time argument for X",
   "invalid start ID for the interval",
   "invalid end ID for the interval",
   "Number of IDs must be a positive integer",  // 8.2
   // RESTORE, COPY, MIGRATE, DUMP: before the first key is touched
   "DUMP payload version or checksum are wrong",
   "Bad data format",
   "Invalid TTL value, must be >= 0",
   "Invalid IDLETIME value, must be >= 0",
   "Invalid FREQ value, must be >= 0",
   "When using MIGRATE KEYS option, the key argument must be set",
   // multi.c, blocked.c, pubsub.c, networking.c
   "MULTI calls can not be nested",
   "WATCH inside MULTI is not allowed",
   "DISCARD without MULTI",
   "WAIT cannot be used with replica instances",
   "WAITAOF cannot be used ",
   "No such client",
   "No such user '",
   "Invalid client ID",
   "client-id should be greater than 0",
   "Unknown client type '",
   "CLIENT UNBLOCK reason should be TIMEOUT or ERROR",
   "CLIENT PAUSE mode must be WRITE or ALL",
   "Client names cannot contain spaces, newlines or special characters",
   // Scripts and functions as they are loaded (what EVAL and FCALL say is in reply_class.cpp)
   "Error compiling ",
   "Error registering functions",
   "Library '*' already exists",
   "Library not found",
   "Library name",  // "was not given", "can only contain letters", "Library names can ..."
   "library name argument was not given",
   "Function * already exists",
   "Function already exists in the library",
   "Missing library metadata",
   "Invalid library metadata",
   "Invalid metadata value",
   "Engine '*' not found",
   "No functions registered",
   "Unknown option given: ",
   "SCRIPT FLUSH only support SYNC|ASYNC option",
   "FUNCTION FLUSH only supports SYNC|ASYNC option",
   // acl.c, config.c, rdb.c, aof.c, replication.c
   "Error in ACL SETUSER modifier '",  // on a copy of the user, which is then thrown away
   "Usernames can't contain spaces or null characters",
   "User '*' not found",
   "Command '*' not found",
   "Unknown category '",
   "ACL GENPASS argument must be",
   "This Redis instance is not configured to use an ACL file",
   "This instance is not configured to use an ACL file",
   "Unsupported CONFIG parameter",
   "Unknown option or number of arguments for CONFIG SET",
   "Invalid argument '*' for CONFIG SET",
   "CONFIG SET failed (possibly related to argument '*') - can't set ",
   "CONFIG SET failed (possibly related to argument '*') - duplicate parameter",
   "CONFIG SET failed (possibly related to argument '*') - argument",  // all old values are put back
   "Only CONFIG GET is allowed during loading",
   "The server is running without a config file",
   "Background save already in progress",
   "Background append only file rewriting already in progress",
   "Another child process is active",
   "FAILOVER ",  // each is a check before it begins
   "No failover in progress",
   "REPLICAOF not allowed ",
};

}  // namespace known_words

// Whether `text`, an error reply without its '-', is one in which the server refuses a command of its own.
constexpr bool is_known_refusal(std::string_view text) {
   constexpr std::string_view code = "ERR ";
   if (text.starts_with(code)) {
      for (const std::string_view words : known_words::plain) {
         if (matches_words(text.substr(code.size()), words)) return true;
      }
      return false;
   }
   for (const std::string_view words : known_words::coded) {
      if (matches_words(text, words)) return true;
   }
   return false;
}

}  // namespace holdfast::impl
