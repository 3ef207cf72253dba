// Which commands may be sent twice: the whole table, one line a command, and the arguments that decide.
#include "commands/command_table.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace holdfast::impl::command_repeat_test {
namespace {

command parsed(const std::string& line) {
   std::istringstream words{line};
   std::vector<std::string> all;
   for (std::string word; words >> word;) all.push_back(word);
   return command::from(all);
}

repeat_class class_of(const std::string& line) {
   const command c = parsed(line);
   return repeats(find_command(c), c);
}

// Of commands that stand between semicolons.
void expect_all(repeat_class expected, const std::string& commands) {
   std::istringstream all{commands};
   for (std::string line; std::getline(all >> std::ws, line, ';');) {
      EXPECT_NE(find_command(parsed(line)), nullptr) << line;
      EXPECT_EQ(class_of(line), expected) << line;
   }
}

TEST(repeating, a_reading_command_changes_nothing) {
   expect_all(repeat_class::readonly,
              "GET k; MGET a b; STRLEN k; EXISTS k; TTL k; HGETALL h; HTTL h FIELDS 1 f; LRANGE l 0 -1; SMEMBERS s; "
              "ZRANGE z 0 -1; ZRANGEBYSCORE z 0 1; SCAN 0; HSCAN h 0; RANDOMKEY; SRANDMEMBER s; "
              "XREAD COUNT 1 STREAMS s 1-1; XREAD BLOCK 0 STREAMS s 0; XRANGE s - +; XINFO STREAM s; PFCOUNT p; "
              "BITFIELD_RO b GET u8 0; BITCOUNT b; GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 1 m; GEORADIUS_RO g 0 0 1 m; "
              "SORT_RO l; EVAL_RO script 0; EVALSHA_RO sha 0; FCALL_RO f 0; OBJECT ENCODING k; MEMORY USAGE k; DUMP k; "
              "TOUCH k; DBSIZE; DIGEST k; "
              // without keys, and so without the server's flag
              "PING; ECHO x; TIME; INFO; ROLE; LASTSAVE; COMMAND; COMMAND COUNT; COMMAND DOCS get; CONFIG GET *; "
              "CLIENT LIST; CLIENT ID; CLIENT INFO; CLIENT GETNAME; CLIENT HELP; ACL WHOAMI; ACL LOG; SLOWLOG GET; "
              "LATENCY HISTORY x; PUBSUB CHANNELS; PUBSUB NUMSUB c; SCRIPT EXISTS sha; FUNCTION LIST; FUNCTION DUMP; "
              "CLUSTER SLOTS; XGROUP HELP; MODULE LIST");
}

TEST(repeating, what_writes_a_fixed_result_changes_neither_state_nor_reply) {
   expect_all(
      repeat_class::same,
      "MSET a 1 b 2; SETEX k 10 v; PSETEX k 10 v; HMSET h f v; SETRANGE k 0 v; LSET l 0 v; PFMERGE d a b; "
      "SCRIPT LOAD script; XSETID s 1-1; SELECT 1; AUTH p; HELLO 3; CLIENT SETNAME n; CLIENT SETINFO lib-name x; "
      "CLIENT TRACKING on; READONLY; UNWATCH; MULTI; EXEC; DISCARD");
}

TEST(repeating, what_counts_as_done_already_changes_only_the_reply) {
   expect_all(
      repeat_class::same_state,
      "DEL k; UNLINK k; HSET h f v; HDEL h f; SADD s m; SREM s m; GEOADD g 0 0 m; ZREM z m; "
      "ZREMRANGEBYSCORE z 0 1; ZREMRANGEBYLEX z - +; SETBIT b 7 1; PFADD p m; EXPIRE k 10; EXPIRE k 10 NX; "
      "PEXPIRE k 10; EXPIREAT k 10; PEXPIREAT k 10; PERSIST k; HEXPIRE h 10 FIELDS 1 f; HPERSIST h FIELDS 1 f; "
      "SETNX k v; MSETNX a 1; HSETNX h f v; XACK s g 1-1; XDEL s 1-1; XDELEX s IDS 1 1-1; XACKDEL s g IDS 1 1-1; "
      "XGROUP CREATE s g 0; XGROUP CREATECONSUMER s g c; XGROUP SETID s g 0; XGROUP DESTROY s g; SMOVE a b m; "
      "COPY a b; RESTORE k 0 x REPLACE; DELEX k IFEQ v; RENAMENX a b; MOVE k 1; BF.ADD b m");
}

TEST(repeating, what_hands_something_out_loses_it) {
   expect_all(repeat_class::result_lost,
              "GETDEL k; GETSET k v; HGETDEL h FIELDS 1 f; XCLAIM s g c 0 1-1; XAUTOCLAIM s g c 0 0; "
              "XGROUP DELCONSUMER s g c");
}

TEST(repeating, what_counts_appends_or_takes_does_it_twice) {
   expect_all(
      repeat_class::not_repeatable,
      "INCR n; INCRBY n 2; DECR n; DECRBY n 2; INCRBYFLOAT n 0.5; HINCRBY h f 1; HINCRBYFLOAT h f 1; "
      "ZINCRBY z 1 m; INCREX n; APPEND k v; LPUSH l v; RPUSH l v; LPUSHX l v; RPUSHX l v; LINSERT l BEFORE p v; "
      "LPOP l; RPOP l; LMPOP 1 l LEFT; BLPOP l 0; BRPOP l 0; BLMPOP 0 1 l LEFT; SPOP s; ZPOPMIN z; ZPOPMAX z; "
      "ZMPOP 1 z MIN; BZPOPMIN z 0; BZPOPMAX z 0; BZMPOP 0 1 z MIN; LMOVE a b LEFT LEFT; RPOPLPUSH a b; "
      "BLMOVE a b LEFT LEFT 0; BRPOPLPUSH a b 0; LMOVEM a b LEFT LEFT; ZREMRANGEBYRANK z 0 1; PUBLISH c m; "
      "SPUBLISH c m; EVALSHA sha 0; FCALL f 0; MIGRATE h 1 k 0 1; SWAPDB 0 1; ARINSERT a 0 v; RENAME a b; "
      "TS.INCRBY t 1; CMS.INCRBY c m 1; CF.ADD c m; JSON.NUMINCRBY j $ 1; JSON.ARRAPPEND j $ 1; WATCH k");
}

TEST(repeating, what_destroys_or_changes_the_connection_is_never_done_on_our_own_account) {
   expect_all(
      repeat_class::never,
      "FLUSHALL; FLUSHDB ASYNC; SHUTDOWN; FAILOVER; REPLICAOF NO ONE; SLAVEOF NO ONE; DEBUG SLEEP 1; "
      "CLIENT KILL ID 1; CLIENT PAUSE 1; CLIENT REPLY OFF; ACL SETUSER u; ACL DELUSER u; ACL LOAD; ACL SAVE; "
      "ACL LOG RESET; CONFIG REWRITE; CONFIG SET maxmemory 0; CLIENT UNBLOCK 1; CLIENT UNPAUSE; SCRIPT KILL; "
      "SCRIPT DEBUG YES; FUNCTION KILL; MODULE LOAD m; MODULE LOADEX m; MODULE UNLOAD m; CLUSTER MEET h 1; "
      "CLUSTER SETSLOT 1 STABLE; CLUSTER FORGET x; SLOWLOG RESET; LATENCY RESET; MEMORY PURGE; SAVE; BGSAVE; "
      "BGREWRITEAOF; FUNCTION FLUSH; FUNCTION RESTORE x; SCRIPT FLUSH; WAIT 1 0; WAITAOF 1 1 0; SUBSCRIBE c; "
      "PSUBSCRIBE c; SSUBSCRIBE c; UNSUBSCRIBE; PUNSUBSCRIBE; SUNSUBSCRIBE; MONITOR; SYNC; PSYNC ? -1; RESET; QUIT");
}

struct by_arguments {
   std::string line = {};
   repeat_class expected = repeat_class::never;
};

using enum repeat_class;

void expect_rows(const std::vector<by_arguments>& table) {
   for (const auto& [line, expected] : table) expect_all(expected, line);
}

TEST(repeating, depends_on_the_arguments_of_strings) {
   expect_rows({
      {"SET k v", same},
      {"SET k v EX 10", same},
      {"SET k v px 10", same},
      {"SET k v EXAT 10", same},
      {"SET k v PXAT 10", same},
      {"SET k v KEEPTTL", same},
      {"SET k v NX", same_state},
      {"SET k v XX", same_state},
      {"SET k v EX 10 nx", same_state},
      {"SET k v IFEQ old", same_state},
      {"SET k v IFDNE digest", same_state},
      {"SET k v GET", result_lost},
      {"SET k v NX GET", result_lost},
      {"SET k v IFEQ GET", same_state},  // GET is the value compared with
      {"SET k v EX GET", same},          // nonsense, which the server refuses
      {"SET k NX", same},                // NX is the value
      {"SET k v SOMETHING", not_repeatable},
      {"GETEX k", same},
      {"GETEX k EX 10", result_lost},
      {"GETEX k PERSIST", result_lost},
      {"MSETEX 1 k v EX 10", same},
      {"MSETEX 1 k v NX EX 10", same_state},
      {"MSETEX 2 a NX b XX", same},
      {"MSETEX x k v", not_repeatable},
      {"JSON.SET j $ 1", same},
      {"JSON.SET j $ 1 NX", same_state},
      {"JSON.SET j $..a 1", not_repeatable},
      {"JSON.SET j $[?(@<5)] 6", not_repeatable},
   });
}

TEST(repeating, depends_on_the_arguments_of_bits_and_lists) {
   expect_rows({
      {"BITFIELD b GET u8 0", readonly},
      {"BITFIELD b SET u8 0 1", same_state},
      {"BITFIELD b GET u8 0 OVERFLOW SAT SET u8 0 1", same_state},
      {"BITFIELD b SET u8 0 1 INCRBY u8 0 1", not_repeatable},
      {"BITOP AND d a b", same},
      {"BITOP XOR d a b", same},
      {"BITOP OR d d b", same},
      {"BITOP and d a d", same},
      {"BITOP XOR d a d", not_repeatable},
      {"BITOP NOT d d", not_repeatable},
      {"LREM l 0 v", same_state},
      {"LREM l 1 v", not_repeatable},
      {"LREM l -1 v", not_repeatable},
      {"LREM l x v", not_repeatable},
      {"LTRIM l 0 99", same},
      {"LTRIM l 0 0", same},
      {"LTRIM l -100 -1", same},
      {"LTRIM l 0 -1", same},
      {"LTRIM l 1 -1", not_repeatable},
      {"LTRIM l 0 -2", not_repeatable},
      {"LTRIM l -5 -2", not_repeatable},
      {"LTRIM l 1 99", not_repeatable},
   });
}

TEST(repeating, depends_on_the_arguments_of_sets_and_sorted_sets) {
   expect_rows({
      {"ZADD z 1 m", same_state},
      {"ZADD z NX CH 1 m", same_state},
      {"ZADD z GT 1 m", same_state},
      {"ZADD z INCR 1 m", not_repeatable},
      {"ZADD z XX incr 1 m", not_repeatable},
      {"ZADD z 1 INCR", same_state},  // INCR is the member
      {"SINTERSTORE d a b", same},
      {"SUNIONSTORE d d b", same},
      {"SINTERSTORE d a d", same},
      {"SDIFFSTORE d a b", same},
      {"SDIFFSTORE d d b", same},
      {"SDIFFSTORE d a d", not_repeatable},
      {"ZUNIONSTORE d 2 a b", same},
      {"ZUNIONSTORE d 2 a d", not_repeatable},
      {"ZUNIONSTORE d 1 a WEIGHTS 2", same},
      {"ZUNIONSTORE d x a", not_repeatable},
      {"ZINTERSTORE d 2 d b", not_repeatable},
      {"ZDIFFSTORE d 2 a b", same},
      {"ZRANGESTORE d s 0 -1", same},
      {"ZRANGESTORE d d 0 -1", not_repeatable},
   });
}

TEST(repeating, depends_on_the_arguments_of_what_may_store_what_it_found) {
   expect_rows({
      {"GEOSEARCHSTORE d s FROMMEMBER m BYRADIUS 1 m", same},
      {"GEOSEARCHSTORE d d FROMMEMBER m BYRADIUS 1 m", not_repeatable},
      {"GEORADIUS g 0 0 1 m", readonly},
      {"GEORADIUS g 0 0 1 m STORE d", same},
      {"GEORADIUS g 0 0 1 m STOREDIST g", not_repeatable},
      {"GEORADIUSBYMEMBER g m 1 m STORE d", same},
      {"GEORADIUSBYMEMBER g STORE 1 m", readonly},  // STORE is the member
      {"SORT l", readonly},
      {"SORT l BY w_* GET STORE LIMIT 0 1", readonly},
      {"SORT l BY w_* STORE d", same},
      {"SORT l STORE l", not_repeatable},
   });
}

// SORT reads, besides its list, the keys that its patterns name: the destination may be one of them.
TEST(repeating, a_sort_that_may_read_its_destination_is_not_repeatable) {
   expect_rows({
      {"SORT l BY nosort GET w_* STORE w_a", not_repeatable},
      {"SORT l STORE w_a GET w_*", not_repeatable},
      {"SORT l BY w_* STORE w_a", not_repeatable},
      {"SORT l GET * STORE d", not_repeatable},
      {"SORT l GET h_*->f STORE h_1", not_repeatable},
      {"SORT l GET *_h->f STORE 1_h", not_repeatable},
      {"SORT l GET a*->b STORE a1->b", not_repeatable},
      {"SORT l STORE l GET #", not_repeatable},
      {"SORT l STORE w_a STORE d GET w_*", same},  // the last one counts
      {"SORT l STORE d STORE w_a GET w_*", not_repeatable},
      {"SORT l BY nosort GET # STORE d", same},
      {"SORT l BY w_a GET w_a STORE w_a", same},  // without a star they name nothing
      {"SORT l GET w_*_x STORE w_a", same},
      {"SORT l GET ab*ba STORE aba", same},
      {"SORT l GET d", readonly},
   });
}

TEST(repeating, of_hash_fields_counts_the_options_wherever_they_stand) {
   expect_rows({
      {"HGETEX h FIELDS 1 f", same},
      {"HGETEX h EX 10 FIELDS 1 f", result_lost},
      {"HGETEX h FIELDS 1 f EX 10", result_lost},
      {"HGETEX h FIELDS 2 f EX PERSIST", result_lost},
      {"HGETEX h FIELDS 2 f EX", same},  // EX is a field
      {"HGETEX h FIELDS 1 f NEWER", not_repeatable},
      {"HGETEX h FIELDS x f", not_repeatable},
      {"HGETEX h FIELDS 9223372036854775807 f", same},
      {"HSETEX h EX 10 FIELDS 1 f v", same},
      {"HSETEX h FNX FIELDS 1 f v", same_state},
      {"HSETEX h FIELDS 1 f v FNX", same_state},
      {"HSETEX h FIELDS 1 f v FXX EX 10", same_state},
      {"HSETEX h FIELDS 1 f FNX KEEPTTL", same},  // FNX is the value
      {"HSETEX h FIELDS 1 f v NEWER", not_repeatable},
      {"HSETEX h EX 10", not_repeatable},
   });
}

TEST(repeating, depends_on_the_arguments_of_streams_and_scripts) {
   expect_rows({
      {"XADD s * f v", not_repeatable},
      {"XADD s 5-* f v", not_repeatable},
      {"XADD s 5-1 f v", same_state},
      {"XADD s MAXLEN ~ 100 LIMIT 5 * f v", not_repeatable},
      {"XADD s NOMKSTREAM MAXLEN 100 5-1 f *", same_state},
      {"XADD s MINID = 3 KEEPREF 5-1 f v", same_state},
      {"XADD s IDMP producer 7 * f v", same},
      {"XADD s IDMPAUTO producer * f v", same},
      {"XTRIM s MAXLEN 100", same_state},
      {"XTRIM s MAXLEN ~ 100", same_state},
      {"XTRIM s MAXLEN ~ 100 LIMIT 10", not_repeatable},
      {"XREAD COUNT 1 BLOCK 0 STREAMS s t 0 1-1", readonly},
      {"XREAD BLOCK 1500 STREAMS s $", result_lost},
      {"xread streams s t 0 +", result_lost},
      {"XREADGROUP GROUP g c COUNT 1 STREAMS s >", result_lost},
      {"XREADGROUP GROUP g c NOACK STREAMS s >", result_lost},
      {"XREADGROUP GROUP g c STREAMS s 0", not_repeatable},
      {"XREADGROUP GROUP g c STREAMS s t 0 >", result_lost},
      {"EVAL script 0", not_repeatable},
      {"FUNCTION LOAD code", same_state},
      {"FUNCTION LOAD REPLACE code", same},
   });
}

TEST(repeating, trusts_a_script_that_declares_that_it_does_not_write) {
   const auto script = [](std::string_view text) {
      const command c{"EVAL", text, 0};
      return repeats(find_command(c), c);
   };
   EXPECT_EQ(script("#!lua flags=no-writes\nreturn 1"), repeat_class::readonly);
   EXPECT_EQ(script("#!lua flags=allow-stale,no-writes\nreturn 1"), repeat_class::readonly);
   EXPECT_EQ(script("#!lua name=x flags=no-writes"), repeat_class::readonly);
   EXPECT_EQ(script("#!lua flags=allow-stale\nreturn 1 -- flags=no-writes"), repeat_class::not_repeatable);
   EXPECT_EQ(script("#!lua\n-- flags=no-writes"), repeat_class::not_repeatable);
   EXPECT_EQ(script("#!lua flags=no-writes-at-all\nreturn 1"), repeat_class::not_repeatable);
   EXPECT_EQ(script("-- #!lua flags=no-writes\nreturn 1"), repeat_class::not_repeatable);
}

TEST(repeating, a_command_that_is_not_known_counts_as_not_repeatable) {
   EXPECT_EQ(class_of("FROBNICATE k"), repeat_class::not_repeatable);
   EXPECT_EQ(class_of("FT.SEARCH i q"), repeat_class::not_repeatable);
   EXPECT_EQ(class_of("CLIENT FROBNICATE"), repeat_class::not_repeatable);
}

TEST(repeating, believes_the_caller_unless_the_command_is_never_repeated) {
   const auto declared = [](command c) {
      c.idempotent(true);
      return repeats(find_command(c), c);
   };
   EXPECT_EQ(declared({"EVALSHA", "sha", 0}), repeat_class::same);
   EXPECT_EQ(declared({"FROBNICATE"}), repeat_class::same);
   EXPECT_EQ(declared({"HSET", "h", "f", "v"}), repeat_class::same);
   EXPECT_EQ(declared({"GET", "k"}), repeat_class::readonly);
   EXPECT_EQ(declared({"FLUSHALL"}), repeat_class::never);
   EXPECT_EQ(declared({"WAIT", 1, 0}), repeat_class::never);
}

TEST(repeating, cannot_be_fooled_by_missing_arguments) {
   for (const command_entry& e : all_commands()) {
      std::string words{e.name};
      const auto bar = words.find('|');
      if (bar != std::string::npos) words[bar] = ' ';
      for (int i = 0; i != 8; ++i) {
         const command c = parsed(words);
         (void)repeats(&e, c);
         (void)block_time(&e, c);
         words += i % 2 == 0 ? " STORE" : " 1";
      }
   }
}

}  // namespace
}  // namespace holdfast::impl::command_repeat_test
