// The simulator's model of a server against a real one: the same script to both, and the same answers from both.
#include "simulated.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

namespace holdfast::sim {
namespace {

// Of an answer that has numbers of the very process in it: what comes before the first of them.
std::string comparable(const std::string& command, const std::string& answer) {
   if (command == "ROLE") return answer.substr(0, answer.find("[:")).substr(0, answer.find("[1"));
   if (command.starts_with("HELLO")) return answer.substr(0, answer.find("[id]"));
   if (command == "CLIENT INFO") return answer.substr(0, answer.find('='));
   if (command.starts_with("CLIENT ID")) return answer.substr(0, 1);
   return answer;
}

const std::vector<std::string> on_a_master{
   "PING", "PING hello", "ECHO x", "ECHO", "PING a b", "NOSUCH", "NOSUCH a b", "GET", "GET a b", "get missing",
   // strings and counters
   "SET k v", "GET k", "SET k w NX", "SET n 1 NX", "SET missing v XX", "SET k z XX", "SET k y GET", "SET fresh y GET",
   "SET k v NX XX", "SET k v WHAT", "SETNX k v", "SETNX k2 v", "GETSET k q", "GETSET none q", "STRLEN k", "STRLEN gone",
   "APPEND k tail", "APPEND blank tail", "INCR n", "DECR n", "INCRBY n 41", "DECRBY n 2", "INCRBY n x", "INCRBY n 1.5",
   "INCR k", "SET big 9223372036854775807", "INCR big", "DECRBY n -9223372036854775808", "INCRBY n 007", "GETDEL k2",
   "GETDEL k2", "EXISTS k n n gone", "DEL k n gone", "DEL gone", "SET empty ''", "INCR empty", "GET empty",
   // lists
   "RPUSH l a b", "LPUSH l z y", "LRANGE l 0 -1", "LRANGE l -2 -1", "LRANGE l 5 9", "LRANGE l x 1", "LRANGE gone 0 -1",
   "LLEN l", "LLEN gone", "LPOP l", "RPOP l", "LPOP gone", "GET l", "INCR l", "APPEND l x", "SET l2 x", "LLEN l2",
   "RPUSH l2 x", "LPOP l2", "LRANGE l2 0 1", "STRLEN l", "GETSET l x", "GETDEL l", "SET l x GET", "SETNX l x", "LPOP l",
   "LPOP l", "EXISTS l",
   // transactions
   "EXEC", "DISCARD", "MULTI", "MULTI", "INCR t", "RPUSH tl 1", "GET t", "EXEC", "MULTI", "INCR t", "DISCARD", "GET t",
   "MULTI", "NOSUCH", "INCR t", "EXEC", "GET t", "MULTI", "INCR t", "LPUSH t 1", "INCR t", "EXEC", "GET t", "MULTI",
   "EXEC", "MULTI", "GET", "EXEC", "MULTI", "ECHO in", "PING", "SELECT 1", "EXEC", "SELECT 0",
   // the connection
   "SELECT 16", "SELECT -1", "SELECT x", "SELECT 0", "ROLE", "CLIENT INFO", "CLIENT ID", "CLIENT SETNAME joe",
   "CLIENT GETNAME", "CLIENT NOSUCH", "CLIENT KILL ID 999999 ADDR 1.2.3.4:5", "CLIENT KILL ID x", "CLIENT KILL ID 0",
   "HELLO", "HELLO 2", "HELLO 4", "HELLO x", "HELLO 2 SETNAME ann", "CLIENT GETNAME", "HELLO 2 NOSUCH", "AUTH",
   "AUTH a", "AUTH default a", "AUTH nobody a", "CLIENT PAUSE x", "CLIENT PAUSE -1", "CLIENT PAUSE 1 SOME",
   "CLIENT UNPAUSE", "CLIENT KILL 1.2.3.4:5", "CLIENT KILL TYPE odd", "CLIENT KILL TYPE pubsub",
   "CLIENT KILL ID 9999 SKIPME maybe", "CLIENT KILL ID", "CLIENT UNBLOCK 99999", "CLIENT UNBLOCK x",
   "CLIENT UNBLOCK 1 NOW", "CLIENT LIST ID x", "CLIENT LIST a", "CLIENT LIST ID 99999", "CLIENT LIST TYPE pubsub",
   // what waits
   "WAIT 0 10", "WAIT x 1", "WAIT 1 x", "WAIT 1 -1", "WAIT 1 20", "BLPOP gone 0.02", "BLPOP b -1", "BLPOP b x",
   "RPUSH b 1 2 3", "BLPOP gone b 1", "BRPOP b 0", "MULTI", "BLPOP gone 0", "BLPOP b 0", "WAIT 3 0", "EXEC", "SET b x",
   "BLPOP gone b 0", "BRPOP b gone 0",
   // its state
   "FAILOVER", "FAILOVER ABORT", "FAILOVER ABORT TIMEOUT 1", "FAILOVER TIMEOUT 0", "FAILOVER TIMEOUT x",
   "FAILOVER TO 10.0.0.9 6379", "FAILOVER FORCE", "FAILOVER TO 10.0.0.9", "FAILOVER WHAT", "REPLICAOF NO ONE",
   "REPLICAOF 10.0.0.9 99999", "CLIENT SETNAME joe", "SELECT 3", "MULTI", "RESET", "CLIENT GETNAME", "EXEC", "QUIT",
   "PING"};

const std::vector<std::string> on_a_replica{
   "PING", "ROLE",  "GET gone", "SET k v", "INCR n", "HELLO 2",  "MULTI", "GET x",    "EXEC",  "MULTI",       "INCR n",
   "EXEC", "MULTI", "SET k v",  "GET k",   "EXEC",   "WAIT 1 1", "DEL k", "FAILOVER", "HELLO", "INFO nothing"};

void compare(model_deployment& model, host_id host, real_line& real, const std::vector<std::string>& script) {
   const connection_id c = model.connect(host);
   for (const std::string& line : script) {
      const std::string expected = real.ask(words_of(line));
      EXPECT_EQ(comparable(line, model.ask(c, words_of(line))), comparable(line, expected)) << line;
   }
}

TEST(SimulatedServer, AnswersAsARealMasterDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   model_deployment model({}, 0);
   real_line real(servers.node(0).own_address());
   compare(model, 0, real, on_a_master);
}

TEST(SimulatedServer, AnswersAsARealReplicaDoes) {
   lab::deployment servers({.replicas = 1, .sentinels = 0});
   model_deployment model({});
   real_line real(servers.node(1).own_address());
   compare(model, 1, real, on_a_replica);
}

// The fields of INFO that the model has, in their order: with the values of those that are the same everywhere.
std::string replication_of(const std::string& info, const std::string& fields) {
   static const auto names = words_of(
      "role master_link_status master_sync_in_progress slave_priority slave_read_only replica_announced "
      "connected_slaves master_failover_state");
   static const std::set<std::string> same(names.begin(), names.end());
   std::set<std::string> wanted;
   std::istringstream described(fields);
   for (std::string line; std::getline(described, line);) wanted.insert(line.substr(0, line.find(':')));
   std::string text;
   std::istringstream lines(info);
   for (std::string line; std::getline(lines, line);) {
      const std::string name = line.substr(0, line.find(':'));
      if (!wanted.contains(name)) continue;
      if (name == "slave0")
         line = std::regex_replace(line, std::regex("(ip|port|offset|lag)=[0-9.]+"), "$1=N");
      else if (!same.contains(name))
         line = name;
      text += line.substr(0, line.find('\r')) + "\n";
   }
   return text;
}

TEST(SimulatedServer, DescribesItsReplicationAsARealOneDoes) {
   lab::deployment servers({.replicas = 1, .sentinels = 0});
   model_deployment model({});
   for (const host_id h : {0U, 1U}) {
      real_line real(servers.node(h).own_address());
      const connection_id c = model.connect(h);
      const std::string modelled = model.ask(c, {"INFO", "replication"});
      EXPECT_EQ(replication_of(modelled, modelled), replication_of(real.ask({"INFO", "replication"}), modelled));
   }
   servers.node(0).kill();
   model.kill(0);
   model.pass(2s);
   real_line real(servers.node(1).own_address());
   const connection_id c = model.connect(1);
   lab::await(
      "the link is down",
      [&] { return real.ask({"INFO", "replication"}).find("master_link_status:down") != std::string::npos; },
      std::chrono::seconds(3));
   const std::string modelled = model.ask(c, {"INFO", "replication"});
   EXPECT_EQ(replication_of(modelled, modelled), replication_of(real.ask({"INFO", "replication"}), modelled));
}

// Connections stay as they are, and are told that they are at a replica now.
TEST(SimulatedServer, HandsItsRoleOverAsARealOneDoes) {
   lab::deployment servers({.replicas = 1, .sentinels = 0});
   model_deployment model({});
   std::vector<std::unique_ptr<real_line>> real;
   std::vector<connection_id> modelled;
   for (const host_id h : {0U, 0U, 1U}) {
      real.push_back(std::make_unique<real_line>(servers.node(h).own_address()));
      modelled.push_back(model.connect(h));
   }
   const auto both_say = [&](std::size_t line, const std::string& text) {
      EXPECT_EQ(model.ask(modelled[line], words_of(text)), real[line]->ask(words_of(text))) << text;
   };
   both_say(0, "SET k v");
   both_say(0, "WAIT 1 1000");
   both_say(0, "FAILOVER TO 10.0.0.9 1");
   both_say(0, "FAILOVER FORCE");
   both_say(2, "FAILOVER");
   real[1]->send(bytes_of({"BLPOP", "q", "0"}));
   model.exchange(modelled[1], bytes_of({"BLPOP", "q", "0"}));
   both_say(0, "FAILOVER TIMEOUT 5000");
   both_say(0, "SET k w");
   lab::await(
      "it has taken over", [&] { return real[2]->ask({"ROLE"}).starts_with("(3)[master]"); }, std::chrono::seconds(5));
   EXPECT_EQ(model.take(modelled[1], 100ms), real[1]->exchange("", 2));
   EXPECT_EQ(model.ask(modelled[2], {"ROLE"}).substr(0, 11), "(3)[master]");
   EXPECT_EQ(real[0]->ask({"ROLE"}).substr(0, 10), model.ask(modelled[0], {"ROLE"}).substr(0, 10));
   both_say(2, "SET k w");
   both_say(2, "GET k");
   both_say(0, "FAILOVER");
}

TEST(SimulatedServer, RefusesWritesWithoutReplicasAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0, .node_config = {"min-replicas-to-write 2"}});
   model_deployment model({.min_replicas_to_write = 2}, 0);
   real_line real(servers.node(0).own_address());
   compare(model, 0, real,
           {"SET k v", "GET k", "MULTI", "INCR n", "GET n", "EXEC", "MULTI", "GET n", "EXEC", "PING", "DEL k"});
}

TEST(SimulatedServer, AsksForThePasswordAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0, .node_login = {.password = "secret"}});
   model_deployment model({.password = "secret"}, 0);
   real_line real(servers.node(0).own_address());
   compare(
      model, 0, real,
      {"GET k", "PING", "NOSUCH", "HELLO 2", "AUTH wrong", "HELLO 2 AUTH default wrong", "MULTI", "EXEC",
       "HELLO 2 AUTH default secret SETNAME ann", "CLIENT GETNAME", "GET k", "AUTH secret", "AUTH default secret"});
}

// What both send back, piece by piece.
TEST(SimulatedServer, TakesPipelinesLinesAndNonsenseAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   model_deployment model({}, 0);
   const auto pipeline = bytes_of({"INCR", "p"}) + bytes_of({"MULTI"}) + bytes_of({"INCR", "p"}) + bytes_of({"GET"}) +
                         bytes_of({"EXEC"}) + "*0\r\n" + "*-1\r\n" + bytes_of({"GET", "p"});
   const std::vector<std::pair<std::string, std::size_t>> cases{
      {pipeline, 6},
      {"PING\r\n", 1},
      {"  SET  line  1 \nGET line\r\n", 2},
      {"\r\nPING\n", 1},
      {"PING\r\n*x\r\nPING\r\n", 3},
      {"*1\r\nPING\r\n", 2},
      {"*1\r\n$-1\r\n", 2},
      {"*1\r\n$x\r\n", 2},
      {"*2\r\n$4\r\nECHO\r\n:1\r\n", 2},
      {bytes_of({"PING"}) + bytes_of({"QUIT"}) + bytes_of({"PING"}), 3}};
   for (const auto& [bytes, n] : cases) {
      real_line real(servers.node(0).own_address());
      const connection_id c = model.connect(0);
      EXPECT_EQ(model.exchange(c, bytes), real.exchange(bytes, n)) << bytes;
   }
}

TEST(SimulatedServer, HoldsCommandsInAPauseAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   model_deployment model({}, 0);
   for (const std::string mode : {"WRITE", "ALL"}) {
      real_line one(servers.node(0).own_address());
      real_line other(servers.node(0).own_address());
      const connection_id a = model.connect(0);
      const connection_id b = model.connect(0);
      EXPECT_EQ(model.ask(a, {"CLIENT", "PAUSE", "500", mode}), one.ask({"CLIENT", "PAUSE", "500", mode}));
      const auto both = bytes_of({"GET", "k" + mode}) + bytes_of({"SET", "k" + mode, "v"}) + bytes_of({"PING"});
      other.send(both);
      EXPECT_EQ(model.exchange(b, both, 40ms), replies_in(other.take(std::chrono::milliseconds(40)))) << mode;
      // A pause that is shorter, and one that is less strict, change nothing.
      if (mode == "WRITE") {
         EXPECT_EQ(model.ask(a, {"CLIENT", "PAUSE", "1", mode}), one.ask({"CLIENT", "PAUSE", "1", mode}));
      }
      const auto late = model.take(b, 700ms);
      EXPECT_EQ(late, other.exchange("", late.size())) << mode;
      EXPECT_EQ(late.size(), mode == "WRITE" ? 2U : 3U);
   }
}

TEST(SimulatedServer, ServesWhoWaitsForAListAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   model_deployment model({}, 0);
   real_line pusher(servers.node(0).own_address());
   const connection_id p = model.connect(0);
   std::vector<std::unique_ptr<real_line>> real;
   std::vector<connection_id> modelled;
   for (const std::string command : {"BLPOP", "BRPOP", "BLPOP", "BLPOP"}) {
      const auto question = bytes_of({command, "q", "other", "0"}) + bytes_of({"PING"});
      real.push_back(std::make_unique<real_line>(servers.node(0).own_address()));
      real.back()->send(question);
      EXPECT_TRUE(replies_in(real.back()->take(std::chrono::milliseconds(20))).empty());
      modelled.push_back(model.connect(0));
      EXPECT_TRUE(model.exchange(modelled.back(), question).empty());
   }
   expect_same(model, p, pusher, "RPUSH q a b c; LLEN q; SET other x; DEL other");
   for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(model.take(modelled[i], 10ms), real[i]->exchange("", 2)) << i;
   const auto blocked = [](const std::string& list) {
      return std::count_if(list.begin(), list.end(), [](char c) { return c == '\n'; });
   };
   EXPECT_EQ(blocked(model.ask(p, {"CLIENT", "LIST"})), blocked(pusher.ask({"CLIENT", "LIST", "TYPE", "normal"})));
}

TEST(SimulatedServer, TellsWhoWaitsThatItBecameAReplicaAsARealOneDoes) {
   lab::deployment servers({.replicas = 1, .sentinels = 0});
   model_deployment model({});
   real_line operator_line(servers.node(0).own_address());
   real_line pops(servers.node(0).own_address());
   real_line waits(servers.node(0).own_address());
   const connection_id o = model.connect(0);
   const connection_id p = model.connect(0);
   const connection_id w = model.connect(0);
   expect_same(model, o, operator_line, "SET k v; WAIT 1 1000; WAIT 2 20; SET k w; WAIT 1 0");
   pops.send(bytes_of({"BLPOP", "q", "0"}));
   waits.send(bytes_of({"SET", "k", "u"}) + bytes_of({"WAIT", "2", "0"}));
   model.exchange(p, bytes_of({"BLPOP", "q", "0"}));
   auto modelled = model.exchange(w, bytes_of({"SET", "k", "u"}) + bytes_of({"WAIT", "2", "0"}));
   auto truly = replies_in(waits.take(std::chrono::milliseconds(500)));
   EXPECT_EQ(modelled, truly);
   EXPECT_EQ(model.ask(o, {"REPLICAOF", "10.0.0.2", "6379"}),
             operator_line.ask({"REPLICAOF", "127.0.0.1", std::to_string(servers.node(1).own_address().port)}));
   EXPECT_EQ(model.take(p, 10ms), pops.exchange("", 2));
   truly = waits.exchange("", 2);
   EXPECT_EQ(model.take(w, 10ms), truly);
   expect_same(model, o, operator_line, "SET k v; WAIT 1 1");
}

TEST(SimulatedServer, ServesNothingStaleIfItIsToldSoAsARealOneDoes) {
   lab::deployment servers({.replicas = 1, .sentinels = 0, .node_config = {"replica-serve-stale-data no"}});
   model_deployment model({.serves_stale = false});
   servers.node(0).kill();
   model.kill(0);
   model.pass(1s);
   real_line real(servers.node(1).own_address());
   lab::await("the link is down", [&] { return real.ask({"GET", "k"}).starts_with("-"); }, std::chrono::seconds(3));
   compare(
      model, 1, real,
      {"GET k", "SET k v", "PING", "ECHO x", "SELECT 0", "MULTI", "GET k", "EXEC", "HELLO 2", "WAIT 1 1", "CLIENT ID"});
}

TEST(SimulatedServer, KillsAnotherConnectionAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   real_line first(servers.node(0).own_address());
   real_line second(servers.node(0).own_address());
   const auto id = second.ask({"CLIENT", "ID"}).substr(1);
   EXPECT_EQ(first.ask({"CLIENT", "KILL", "ID", id, "ADDR", "127.0.0.1:1"}), ":0");
   EXPECT_EQ(first.ask({"CLIENT", "KILL", "ID", id}), ":1");
   EXPECT_EQ(second.ask({"PING"}), "(closed)");

   model_deployment model({}, 0);
   const connection_id one = model.connect(0);
   const connection_id other = model.connect(0);
   model.ask(one, {"PING"});
   const auto its_id = model.ask(other, {"CLIENT", "ID"}).substr(1);
   EXPECT_EQ(model.ask(one, {"CLIENT", "KILL", "ID", its_id, "ADDR", "127.0.0.1:1"}), ":0");
   EXPECT_EQ(model.ask(one, {"CLIENT", "KILL", "ID", its_id}), ":1");
   EXPECT_EQ(model.ask(other, {"PING"}), "(closed)");
}

}  // namespace
}  // namespace holdfast::sim
