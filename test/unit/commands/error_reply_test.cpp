// What an error reply proves: each that a server, a Sentinel or a script is known to give, one line each.
#include "commands/error_reply.hpp"

#include "commands/known_words.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace holdfast::impl::error_reply_test {
namespace {

using enum reply_class;

constexpr auto ne = outcome::not_executed;
constexpr auto ex = outcome::executed;
constexpr auto me = outcome::unknown;

struct row {
   std::string text = {};
   reply_class cls = deterministic;
   outcome ran = outcome::not_executed;
};

void expect_rows(const std::vector<row>& rows, bool script, bool exec, bool native) {
   for (const row& r : rows) {
      const reply_proof expected{r.cls, r.ran};
      EXPECT_EQ(classify_error(r.text, script, exec, native), expected) << r.text;
   }
}

const std::vector<row> gates = {
   {"READONLY You can't write against a read only replica.", readonly, ne},
   {"LOADING Redis is loading the dataset in memory", loading, ne},
   {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", master_down, ne},
   {"NOREPLICAS Not enough good replicas to write.", no_replicas, ne},
   {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", misconf, ne},
   {"MISCONF Errors writing to the AOF file: No space left on device", misconf, ne},
   {"OOM command not allowed when used memory > 'maxmemory'.", out_of_memory, ne},
   {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", busy, ne},
   {"BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.", busy, ne},
   {"BUSY Redis is busy running a module command.", busy, ne},
   {"NOAUTH Authentication required.", not_authenticated, ne},
   {"NOPERM this user has no permissions to run the 'get' command", no_permission, ne},
   {"NOPERM User u has no permissions to run the 'get' command", no_permission, ne},
   {"NOPERM No permissions to access a key", no_permission, ne},
   {"CROSSSLOT Keys in request don't hash to the same slot", moved, ne},
   {"MOVED 3999 127.0.0.1:6381", moved, ne},
   {"ASK 3999 127.0.0.1:6381", moved, ne},
   {"REDIRECT 127.0.0.1:6381", moved, ne},
   {"TRYAGAIN Multiple keys request during rehashing of slot", try_again, ne},
   {"CLUSTERDOWN The cluster is down", try_again, ne},
   {"CLUSTERDOWN Hash slot not served", try_again, ne},
};

const std::vector<row> refusals = {
   {"ERR unknown command 'FOO', with args beginning with: ", unknown_command, ne},
   {"ERR unknown command `HELLO`, with args beginning with: `3`, ", unknown_command, ne},
   {"ERR unknown subcommand 'FOO'. Try CLIENT HELP.", unknown_command, ne},
   {"ERR Unknown subcommand or wrong number of arguments for 'FOO'. Try CLIENT HELP.", unknown_command, ne},
   {"ERR wrong number of arguments for 'get' command", deterministic, ne},
   {"ERR max number of clients reached", refused, ne},
   {"ERR max number of clients + cluster connections reached", refused, ne},
   {"DENIED Redis is running in protected mode because protected mode is enabled", refused, ne},
   {"WRONGPASS invalid username-password pair or user is disabled.", wrong_password, ne},
   {"ERR invalid password", wrong_password, ne},
   {"ERR AUTH <password> called without any password configured for the default user. Are you sure?", wrong_password,
    ne},
   {"ERR Client sent AUTH, but no password is set", wrong_password, ne},
   {"NOAUTH HELLO must be called with the client already authenticated, otherwise", not_authenticated, ne},
   {"NOPROTO unsupported protocol version", no_protocol, ne},
   {"ERR Protocol error: invalid bulk length", protocol, ne},
};

const std::vector<row> the_commands_own = {
   {"ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", ...", deterministic, ne},
   {"ERR Command not allowed inside a transaction", deterministic, ne},
   {"ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed", deterministic,
    ne},
   {"ERR Replica can't interact with the keyspace", deterministic, ne},
   {"ERR DB index is out of range", deterministic, ne},
   {"WRONGTYPE Operation against a key holding the wrong kind of value", deterministic, ne},
   {"ERR syntax error", deterministic, ne},
   {"ERR value is not an integer or out of range", deterministic, ne},
   {"ERR index out of range", deterministic, ne},
   {"NOGROUP No such consumer group 'g' for key name 's'", deterministic, ne},
   {"NOTBUSY No scripts in execution right now.", deterministic, ne},
   {"UNKILLABLE Sorry the script already executed write commands against the dataset.", deterministic, ne},
   {"NOMASTERLINK Can't SYNC while not connected with my master", deterministic, ne},
   {"ERR FAILOVER requires connected replicas.", deterministic, ne},
   {"ERR REPLICAOF not allowed while failing over.", deterministic, ne},
   {"INPROG Failover already in progress", deterministic, ne},
   {"NOGOODSLAVE No suitable replica to promote", deterministic, ne},
   {"NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum", deterministic, ne},
   {"UNBLOCKED the stream key no longer exists", deterministic, ne},
   {"BUSYGROUP Consumer Group name already exists", already_there, ne},
   {"BUSYKEY Target key name already exists.", already_there, ne},
   {"ERR no such key", already_there, ne},
   {"ERR The ID specified in XADD is equal or smaller than the target stream top item", already_there, ne},
};

const std::vector<row> others = {
   {"NOSCRIPT No matching script. Please use EVAL.", no_script, ne},
   {"UNBLOCKED client unblocked via CLIENT UNBLOCK", unblocked, ne},
   {"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)", demoted, ne},
   {"ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 ...", demoted, ne},
   {"ERR No such master with that name", no_such_master, ne},
   {"IDONTKNOW", no_such_master, ne},
   {"IOERR error or timeout reading to target instance", io_error, me},
   {"EXECABORT Transaction discarded because of previous errors.", aborted, ne},
};

TEST(error_reply, proves_that_a_command_of_the_server_did_not_run) {
   for (const auto* rows : {&gates, &refusals, &the_commands_own, &others}) expect_rows(*rows, false, false, true);
}

// What commands answer to wrong arguments and the like: common, and the same on every server.
TEST(error_reply, of_wrong_arguments_proves_that_nothing_ran) {
   for (const char* words : {
           "syntax error",
           "syntax error, WITHSCORES not supported in combination with BYLEX",
           "value is not an integer or out of range",
           "value is not a valid float",
           "value is out of range, must be positive",
           "wrong number of arguments for 'get' command",
           "wrong number of arguments for MSET",
           "index out of range",
           "timeout is not a float or out of range",
           "timeout is negative",
           "invalid expire time in 'set' command",
           "invalid expire time in SETEX",
           "increment or decrement would overflow",
           "string exceeds maximum allowed size (proto-max-bulk-len)",
           "min or max is not a float",
           "hash value is not an integer",
           "resulting score is not a number (NaN)",
           "The $ ID is meaningless in the context of XREADGROUP: you want to read",
           "Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
           "Library 'mylib' already exists",
           "Error in ACL SETUSER modifier '+x': Unknown command or category name in ACL",
           "CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
           "Invalid IDLE option argument for XCLAIM",
           "Mandatory argument FIELDS is missing or not at the right position",
        }) {
      const std::string text = std::string("ERR ") + words;
      EXPECT_EQ(classify_error(text, false, false, true), (reply_proof{deterministic, ne})) << text;
   }
}

// Each line of the table, with something in place of what varies.
TEST(error_reply, in_known_words_proves_that_nothing_ran) {
   const auto spelled = [](std::string_view pattern) {
      std::string text;
      for (const char c : pattern) c == '*' ? void(text += "any*thing") : text.push_back(c);
      return text + "?";
   };
   for (const std::string_view words : known_words::plain) {
      EXPECT_EQ(classify_error("ERR " + spelled(words), false, false, true).ran, ne) << words;
      EXPECT_EQ(classify_error("ERR x" + spelled(words), false, false, true).ran, me) << words;
      EXPECT_EQ(classify_error(spelled(words), false, false, true).ran, me) << words;
   }
   for (const std::string_view words : known_words::coded) {
      EXPECT_EQ(classify_error(spelled(words), false, false, true).ran, ne) << words;
      EXPECT_EQ(classify_error("ERR " + spelled(words), false, false, true).ran, me) << words;
   }
}

// What a proxy (twemproxy, Envoy, Predixy, Codis, HAProxy, Redis Enterprise's) says when the server's reply did not
// come, or nobody knows who; and what a server says after it has changed something.
TEST(error_reply, in_other_words_proves_nothing) {
   for (const char* text : {
           "ERR Connection timed out",
           "ERR Connection reset by peer",
           "ERR Connection refused",
           "ERR Invalid argument",
           "upstream failure",
           "upstream protocol error",
           "no upstream host",
           "ERR server connection close",
           "ERR request timeout",
           "ERR handle response, backend conn reset",
           "ERR Protocol error",
           "ERR timeout",
           "ERR internal error",
           "ERR",
           "",
           "Error: Server closed the connection",
           "BUSY proxy has too many requests",
           "LOADING",
           "NOAUTH",
           "ERR Target instance replied with error: BUSYKEY Target key name already exists.",
           "IOERR error or timeout reading to target instance",
           "ERR The 'default' user cannot be removed",
           "INVALIDOBJ Corrupted HLL object detected",
           "ERR Elements are too large to be stored",
           "ERR Errors trying to SHUTDOWN. Check logs.",
           "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port.",
           "wrongtype Operation against a key holding the wrong kind of value",
           "WRONGTYPE of mine",
        }) {
      EXPECT_EQ(classify_error(text, false, false, true).ran, me) << text;
   }
}

TEST(error_reply, of_a_module_proves_less) {
   expect_rows(gates, false, false, false);
   expect_rows(refusals, false, false, false);
   auto own = the_commands_own;
   for (row& r : own) r.ran = me;
   expect_rows(own, false, false, false);
}

TEST(error_reply, of_exec_shows_its_reason_inside) {
   expect_rows(gates, false, true, true);  // MOVED and its like come as they are
   auto inside = gates;
   for (row& r : inside) r.text = "EXECABORT Transaction discarded because of: " + r.text;
   expect_rows(inside, false, true, true);
   expect_rows(
      {
         {"EXECABORT Transaction discarded because of previous errors.", aborted, ne},
         {"EXECABORT Transaction discarded because of: ERR unknown command 'x'", aborted, ne},
         {"EXECABORT Transaction discarded because of: ", aborted, ne},
         {"ERR unknown command 'EXEC'", unknown_command, ne},
         // The members may be queued elsewhere, or have been run one by one.
         {"ERR EXEC without MULTI", deterministic, me},
         {"EXECABORT of a proxy", aborted, me},
         {"upstream failure", deterministic, me},
         {"READONLY Transaction contains write commands but instance is now a read-only replica. EXEC aborted.",
          readonly, ne},
      },
      false, true, true);
}

const std::string sha = "script: 3a460c77f1654fc2ed4131c423bc14870a891b2d, on @user_script:1.";

TEST(error_reply, of_a_script_proves_that_it_ran_when_it_ended_inside) {
   expect_rows(
      {
         {"WRONGTYPE Operation against a key holding the wrong kind of value " + sha, script_failed, ex},
         {"ERR value is not an integer or out of range " + sha, script_failed, ex},
         {"ERR user_script:1: boom " + sha, script_failed, ex},
         {"ERR Unknown Redis command called from script " + sha, script_failed, ex},
         {"ERR The user executing the script can't run this command or subcommand " + sha, script_failed, ex},
         {"NOPERM this user has no permissions " + sha, script_failed, ex},
         {"MASTERDOWN Link with MASTER is down " + sha, script_failed, ex},
         {"ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -WRONGTYPE Operation",
          script_failed, ex},
         {"ERR boom script: myfunction, on @user_function:7.", script_failed, ex},
      },
      true, false, true);
}

TEST(error_reply, of_a_script_that_could_not_write_proves_that_nothing_was_written) {
   expect_rows(
      {
         {"READONLY You can't write against a read only replica. " + sha, readonly, ne},
         {"OOM command not allowed when used memory > 'maxmemory'. " + sha, out_of_memory, ne},
         {"MISCONF Redis is configured to save RDB snapshots, " + sha, misconf, ne},
         {"NOREPLICAS Not enough good replicas to write. " + sha, no_replicas, ne},
         {"ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -READONLY You can't write",
          readonly, ne},
         {"ERR Script killed by user with SCRIPT KILL... " + sha, script_killed, ne},
         {"ERR Error running script (call to f_1): @user_script:1: Script killed by user with SCRIPT KILL...",
          script_killed, ne},
         {"ERR Script killed by user with FUNCTION KILL... " + sha, script_killed, ne},
         {"READONLY Can not run script with write flag on readonly replica", readonly, ne},
      },
      true, false, true);
}

TEST(error_reply, of_a_script_before_it_ran_proves_that_it_did_not) {
   auto rows = gates;
   std::erase_if(rows, [](const row& r) { return r.cls == out_of_memory || r.cls == no_permission; });
   expect_rows(rows, true, false, true);
   expect_rows(
      {
         {"NOSCRIPT No matching script. Please use EVAL.", no_script, ne},
         {"NOPERM this user has no permissions to run the 'eval' command", no_permission, ne},
         {"NOPERM User u has no permissions to run the 'fcall' command", no_permission, ne},
         {"ERR unknown command 'fcall', with args beginning with: ", unknown_command, ne},
         {"ERR wrong number of arguments for 'evalsha' command", deterministic, ne},
         {"ERR Error compiling script (new function): user_script:1: '=' expected near 'error'", deterministic, ne},
         {"ERR Number of keys can't be greater than number of args", deterministic, ne},
         {"ERR Function not found", deterministic, ne},
         {"ERR Bad number of keys provided", deterministic, ne},
         {"ERR Unexpected flag in script shebang: bad", deterministic, ne},
         {"ERR Can not execute a script with write flag using *_ro command.", deterministic, ne},
      },
      true, false, true);
}

// A script can hand on, as its own reply, an error that it caught; whatever it wrote before stays.
TEST(error_reply, of_a_script_that_may_have_caught_it_proves_nothing) {
   expect_rows(
      {
         {"ERR value is not an integer or out of range", script_failed, me},
         {"ERR no such key", script_failed, me},
         {"ERR whatever", script_failed, me},
         {"OOM command not allowed when used memory > 'maxmemory'.", out_of_memory, me},
         {"NOPERM No permissions to access a key", no_permission, me},
         {"ERR", script_failed, me},
         // A code that is a gate's, in words that are not.
         {"BUSY resource locked", script_failed, me},
         {"TRYAGAIN later", script_failed, me},
         {"LOADING my data", script_failed, me},
         {"READONLY this list", script_failed, me},
         {"MISCONF of mine", script_failed, me},
         {"NOREPLICAS", script_failed, me},
         {"MASTERDOWN x", script_failed, me},
         {"OOM in the attic", script_failed, me},
         {"NOAUTH you", script_failed, me},
         {"MOVED house", script_failed, me},
      },
      true, false, true);
   expect_rows(
      {
         {"WRONGTYPE Operation against a key holding the wrong kind of value", script_failed, ex},
         {"BUSYKEY Target key name already exists.", script_failed, ex},
         // A script's own, or a proxy's that never sent it on.
         {"MY own error", script_failed, me},
         {"upstream failure", script_failed, me},
         {"EXECABORT Transaction discarded because of previous errors.", script_failed, me},
         {"ERR Unknown subcommand or wrong number of arguments for 'X'. Try CLIENT HELP.", script_failed, me},
         {"", script_failed, me},
      },
      true, false, true);
}

TEST(error_reply, prints_what_it_proves) {
   std::ostringstream out;
   out << reply_proof{readonly, ne} << "; " << reply_proof{script_failed, me};
   EXPECT_EQ(out.str(), "readonly, not_executed; script_failed, unknown");
}

TEST(error_reply, is_a_gate_only_if_the_same_command_may_run_later_or_elsewhere) {
   for (const row& r : gates) EXPECT_TRUE(is_gate(r.cls)) << r.text;
   for (const auto cls : {wrong_password, refused, unblocked, demoted, script_killed}) EXPECT_TRUE(is_gate(cls));
   for (const auto cls : {no_script, unknown_command, no_protocol, no_such_master, deterministic, already_there,
                          aborted, protocol, io_error, script_failed})
      EXPECT_FALSE(is_gate(cls)) << to_string(cls);
}

TEST(error_reply, may_be_any_bytes) {
   for (const bool script : {false, true}) {
      for (const std::string_view text : {"", " ", "ERR", "ERR ", "EXECABORT", "READONLY", "UNBLOCKED", "\xff\x00"}) {
         (void)classify_error(text, script, false, true);
         (void)classify_error(text, script, true, false);
      }
   }
   EXPECT_EQ(classify_error("READONLY", false, false, true), (reply_proof{readonly, me}));
   EXPECT_EQ(classify_error("READONLYX", false, false, true), (reply_proof{deterministic, me}));
}

}  // namespace
}  // namespace holdfast::impl::error_reply_test
