// The whole table of commands that may be sent twice, one line a command, and the arguments that decide.
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

// Commands that stand between semicolons.
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

using enum repeat_class;

TEST(repeating, depends_on_the_arguments_of_strings) {
   expect_all(same,
              "SET k v; SET k v EX 10; SET k v px 10; SET k v EXAT 10; SET k v PXAT 10; SET k v KEEPTTL; "
              "GETEX k; MSETEX 1 k v EX 10; MSETEX 2 a NX b XX; JSON.SET j $ 1");
   expect_all(same_state,
              "SET k v NX; SET k v XX; SET k v EX 10 nx; SET k v IFEQ old; SET k v IFDNE digest; "
              "MSETEX 1 k v NX EX 10; JSON.SET j $ 1 NX");
   expect_all(result_lost, "SET k v GET; SET k v NX GET; GETEX k EX 10; GETEX k PERSIST");
   expect_all(not_repeatable, "SET k v SOMETHING; MSETEX x k v; JSON.SET j $..a 1; JSON.SET j $[?(@<5)] 6");
   expect_all(same_state, "SET k v IFEQ GET");  // GET is the value compared with
   expect_all(same, "SET k v EX GET");          // nonsense, which the server refuses
   expect_all(same, "SET k NX");                // NX is the value
}

TEST(repeating, depends_on_the_arguments_of_bits_and_lists) {
   expect_all(readonly, "BITFIELD b GET u8 0");
   expect_all(same_state, "BITFIELD b SET u8 0 1; BITFIELD b GET u8 0 OVERFLOW SAT SET u8 0 1; LREM l 0 v");
   expect_all(not_repeatable,
              "BITFIELD b SET u8 0 1 INCRBY u8 0 1; BITOP XOR d a d; BITOP NOT d d; LREM l 1 v; LREM l -1 v; "
              "LREM l x v; LTRIM l 1 -1; LTRIM l 0 -2; LTRIM l -5 -2; LTRIM l 1 99");
   expect_all(same,
              "BITOP AND d a b; BITOP XOR d a b; BITOP OR d d b; BITOP and d a d; LTRIM l 0 99; LTRIM l 0 0; "
              "LTRIM l -100 -1; LTRIM l 0 -1");
}

TEST(repeating, depends_on_the_arguments_of_sets_and_sorted_sets) {
   expect_all(same_state, "ZADD z 1 m; ZADD z NX CH 1 m; ZADD z GT 1 m");
   expect_all(not_repeatable,
              "ZADD z INCR 1 m; ZADD z XX incr 1 m; SDIFFSTORE d a d; ZUNIONSTORE d 2 a d; ZUNIONSTORE d x a; "
              "ZINTERSTORE d 2 d b; ZRANGESTORE d d 0 -1");
   expect_all(same,
              "SINTERSTORE d a b; SUNIONSTORE d d b; SINTERSTORE d a d; SDIFFSTORE d a b; SDIFFSTORE d d b; "
              "ZUNIONSTORE d 2 a b; ZUNIONSTORE d 1 a WEIGHTS 2; ZDIFFSTORE d 2 a b; ZRANGESTORE d s 0 -1");
   expect_all(same_state, "ZADD z 1 INCR");  // INCR is the member
}

TEST(repeating, depends_on_the_arguments_of_what_may_store_what_it_found) {
   expect_all(same,
              "GEOSEARCHSTORE d s FROMMEMBER m BYRADIUS 1 m; GEORADIUS g 0 0 1 m STORE d; "
              "GEORADIUSBYMEMBER g m 1 m STORE d; SORT l BY w_* STORE d");
   expect_all(not_repeatable,
              "GEOSEARCHSTORE d d FROMMEMBER m BYRADIUS 1 m; GEORADIUS g 0 0 1 m STOREDIST g; SORT l STORE l");
   expect_all(readonly, "GEORADIUS g 0 0 1 m; SORT l; SORT l BY w_* GET STORE LIMIT 0 1");
   expect_all(readonly, "GEORADIUSBYMEMBER g STORE 1 m");  // STORE is the member
}

// SORT reads, besides its list, the keys that its patterns name: the destination may be one of them.
TEST(repeating, a_sort_that_may_read_its_destination_is_not_repeatable) {
   expect_all(not_repeatable,
              "SORT l BY nosort GET w_* STORE w_a; SORT l STORE w_a GET w_*; SORT l BY w_* STORE w_a; "
              "SORT l GET * STORE d; SORT l GET h_*->f STORE h_1; SORT l GET *_h->f STORE 1_h; "
              "SORT l GET a*->b STORE a1->b; SORT l STORE l GET #; SORT l STORE d STORE w_a GET w_*");
   expect_all(same, "SORT l BY nosort GET # STORE d; SORT l GET w_*_x STORE w_a; SORT l GET ab*ba STORE aba");
   expect_all(readonly, "SORT l GET d");
   expect_all(same, "SORT l STORE w_a STORE d GET w_*");  // the last one counts
   expect_all(same, "SORT l BY w_a GET w_a STORE w_a");   // without a star they name nothing
}

TEST(repeating, of_hash_fields_counts_the_options_wherever_they_stand) {
   expect_all(same, "HGETEX h FIELDS 1 f; HGETEX h FIELDS 9223372036854775807 f; HSETEX h EX 10 FIELDS 1 f v");
   expect_all(result_lost, "HGETEX h EX 10 FIELDS 1 f; HGETEX h FIELDS 1 f EX 10; HGETEX h FIELDS 2 f EX PERSIST");
   expect_all(not_repeatable,
              "HGETEX h FIELDS 1 f NEWER; HGETEX h FIELDS x f; HSETEX h FIELDS 1 f v NEWER; HSETEX h EX 10");
   expect_all(same_state, "HSETEX h FNX FIELDS 1 f v; HSETEX h FIELDS 1 f v FNX; HSETEX h FIELDS 1 f v FXX EX 10");
   expect_all(same, "HGETEX h FIELDS 2 f EX");           // EX is a field
   expect_all(same, "HSETEX h FIELDS 1 f FNX KEEPTTL");  // FNX is the value
}

TEST(repeating, depends_on_the_arguments_of_streams_and_scripts) {
   expect_all(not_repeatable,
              "XADD s * f v; XADD s 5-* f v; XADD s MAXLEN ~ 100 LIMIT 5 * f v; XTRIM s MAXLEN ~ 100 LIMIT 10; "
              "XREADGROUP GROUP g c STREAMS s 0; EVAL script 0");
   expect_all(same_state,
              "XADD s 5-1 f v; XADD s NOMKSTREAM MAXLEN 100 5-1 f *; XADD s MINID = 3 KEEPREF 5-1 f v; "
              "XTRIM s MAXLEN 100; XTRIM s MAXLEN ~ 100; FUNCTION LOAD code");
   expect_all(same, "XADD s IDMP producer 7 * f v; XADD s IDMPAUTO producer * f v; FUNCTION LOAD REPLACE code");
   expect_all(readonly, "XREAD COUNT 1 BLOCK 0 STREAMS s t 0 1-1");
   expect_all(result_lost,
              "XREAD BLOCK 1500 STREAMS s $; xread streams s t 0 +; XREADGROUP GROUP g c COUNT 1 STREAMS s >; "
              "XREADGROUP GROUP g c NOACK STREAMS s >; XREADGROUP GROUP g c STREAMS s t 0 >");
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
