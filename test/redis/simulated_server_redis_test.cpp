// The simulator's model of a server against a real one: the same script to both, and the same answers from both.
#include "simulated.hpp"

#include <gtest/gtest.h>

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
   "AUTH a", "AUTH default a", "AUTH nobody a"};

const std::vector<std::string> on_a_replica{"PING",  "ROLE",    "GET gone", "SET k v", "INCR n",   "HELLO 2",
                                            "MULTI", "GET x",   "EXEC",     "MULTI",   "INCR n",   "EXEC",
                                            "MULTI", "SET k v", "GET k",    "EXEC",    "WAIT 1 1", "DEL k"};

void compare(model_deployment& model, host_id host, real_line& real, const std::vector<std::string>& script) {
   const connection_id c = model.connect(host);
   for (const std::string& line : script) {
      const std::string expected = real.ask(words_of(line));
      EXPECT_EQ(comparable(line, model.ask(c, words_of(line))), comparable(line, expected)) << line;
   }
}

TEST(SimulatedServer, AnswersAsARealMasterDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   model_deployment model({});
   real_line real(servers.node(0).own_address());
   compare(model, 0, real, on_a_master);
}

TEST(SimulatedServer, AnswersAsARealReplicaDoes) {
   lab::deployment servers({.replicas = 1, .sentinels = 0});
   model_deployment model({});
   real_line real(servers.node(1).own_address());
   compare(model, 1, real, on_a_replica);
}

TEST(SimulatedServer, RefusesWritesWithoutReplicasAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0, .node_config = {"min-replicas-to-write 2"}});
   model_deployment model({.min_replicas_to_write = 2});
   real_line real(servers.node(0).own_address());
   compare(model, 0, real,
           {"SET k v", "GET k", "MULTI", "INCR n", "GET n", "EXEC", "MULTI", "GET n", "EXEC", "PING", "DEL k"});
}

TEST(SimulatedServer, AsksForThePasswordAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0, .node_login = {.password = "secret"}});
   model_deployment model({.password = "secret"});
   real_line real(servers.node(0).own_address());
   compare(
      model, 0, real,
      {"GET k", "PING", "NOSUCH", "HELLO 2", "AUTH wrong", "HELLO 2 AUTH default wrong", "MULTI", "EXEC",
       "HELLO 2 AUTH default secret SETNAME ann", "CLIENT GETNAME", "GET k", "AUTH secret", "AUTH default secret"});
}

TEST(SimulatedServer, KillsAnotherConnectionAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   real_line first(servers.node(0).own_address());
   real_line second(servers.node(0).own_address());
   const auto id = second.ask({"CLIENT", "ID"}).substr(1);
   EXPECT_EQ(first.ask({"CLIENT", "KILL", "ID", id, "ADDR", "127.0.0.1:1"}), ":0");
   EXPECT_EQ(first.ask({"CLIENT", "KILL", "ID", id}), ":1");
   EXPECT_EQ(second.ask({"PING"}), "(closed)");

   model_deployment model({});
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
