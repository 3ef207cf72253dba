// The simulator's model of a server against a real one: the same script to both, and the same answers from both.
#include "lab/deployment.hpp"
#include "resp/reader.hpp"
#include "sim/redis_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast::sim {
namespace {

// A master and its replica in a world of their own, and raw connections to them.
class model_servers final : private network_user, private fabric_user {
 public:
   explicit model_servers(const redis_settings& s) : fabric_(1, *this, *this) {
      for (host_id h = 0; h < 2; ++h) {
         fabric_.net.add_host(h);
         servers_.push_back(std::make_unique<redis_model>(fabric_, h));
         servers_.back()->settings = s;
         fabric_.servers.push_back(servers_.back().get());
         fabric_.sentinels.push_back(nullptr);
      }
      client_ = fabric_.net.add_host(2);
      fabric_.servers.push_back(nullptr);
      fabric_.sentinels.push_back(nullptr);
      servers_[1]->follow_at_start(0);
      pass(2s);
   }

   connection_id connect(host_id to) {
      const connection_id c = fabric_.net.connect(client_, to, 1, 1);
      pass(10ms);
      return c;
   }
   // In one line; "(closed)" where the server ended the connection.
   std::string ask(connection_id c, const std::vector<std::string>& command) {
      std::string bytes;
      add_array(bytes, command.size());
      for (const auto& word : command) add_bulk(bytes, word);
      fabric_.net.send(c, end::client, bytes);
      pass(10ms);
      std::string& in = fabric_.net.at(c).inbox[index(end::client)];
      resp::reader reader{resp::limits{}};
      const auto space = reader.prepare(in.size() + 1);
      std::copy(in.begin(), in.end(), space.begin());
      reader.commit(in.size());
      in.clear();
      if (reader.next() != resp::reader::status::reply) return "(closed)";
      return flat(reader.reply());
   }
   void pass(duration d) {
      const time_point until = fabric_.time.now() + d;
      while (!fabric_.time.empty() && fabric_.time.next() <= until) {
         const event e = fabric_.time.take();
         switch (e.kind) {
            case what::turn: servers_[e.a]->turn(); break;
            case what::message: fabric_.on_message(e); break;
            case what::sync_done: servers_[e.a]->on_sync_done(e.c); break;
            case what::replica_cron: servers_[e.a]->on_cron(); break;
            default: fabric_.net.on(e); break;
         }
      }
      fabric_.time.pass_until(until);
   }

 private:
   static std::string flat(value_view v) {
      if (v.is_nil()) return "nil";
      if (v.is_error()) return "-" + std::string(v.text());
      if (v.kind() == kind::integer) return ":" + std::to_string(v.integer());
      if (!v.is_aggregate()) return std::string(v.text());
      std::string line;
      for (const value_view element : v) line += "[" + flat(element) + "]";
      return "(" + std::to_string(v.size()) + ")" + line;
   }
   void connected(connection_id) override {}
   void not_connected(connection_id, std::string_view) override {}
   void readable(connection_id id, end e) override {
      if (e == end::server) servers_[fabric_.net.at(id).server]->readable(id);
   }
   void writable(connection_id) override {}
   void ran(host_id, const words&, place, bool, std::string_view, connection_id) override {}
   void became_master(host_id, place) override {}
   void note(host_id, std::string_view) override {}

   fabric fabric_;
   std::vector<std::unique_ptr<redis_model>> servers_;
   host_id client_ = nowhere;
};

std::string flat(const lab::reply& r) {
   using type = lab::reply::type;
   if (r.is_nil()) return "nil";
   if (r.is_error()) return "-" + r.text;
   if (r.kind == type::integer) return ":" + std::to_string(r.integer);
   if (r.kind != type::array) return r.text;
   std::string line;
   for (const lab::reply& element : r.elements) line += "[" + flat(element) + "]";
   return "(" + std::to_string(r.elements.size()) + ")" + line;
}

std::vector<std::string> words_of(const std::string& line) {
   std::istringstream in(line);
   std::vector<std::string> all;
   for (std::string word; in >> word;) all.push_back(word == "''" ? "" : word);
   return all;
}

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

void compare(model_servers& model, host_id host, lab::control& real, const std::vector<std::string>& script) {
   const connection_id c = model.connect(host);
   for (const std::string& line : script) {
      const std::string expected = flat(real.ask(words_of(line)));
      EXPECT_EQ(comparable(line, model.ask(c, words_of(line))), comparable(line, expected)) << line;
   }
}

TEST(SimulatedServer, AnswersAsARealMasterDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   model_servers model({});
   auto real = servers.node(0).connect();
   compare(model, 0, real, on_a_master);
}

TEST(SimulatedServer, AnswersAsARealReplicaDoes) {
   lab::deployment servers({.replicas = 1, .sentinels = 0});
   model_servers model({});
   auto real = servers.node(1).connect();
   compare(model, 1, real, on_a_replica);
}

TEST(SimulatedServer, RefusesWritesWithoutReplicasAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0, .node_config = {"min-replicas-to-write 2"}});
   model_servers model({.min_replicas_to_write = 2});
   auto real = servers.node(0).connect();
   compare(model, 0, real,
           {"SET k v", "GET k", "MULTI", "INCR n", "GET n", "EXEC", "MULTI", "GET n", "EXEC", "PING", "DEL k"});
}

TEST(SimulatedServer, AsksForThePasswordAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0, .node_login = {.password = "secret"}});
   model_servers model({.password = "secret"});
   lab::control real(servers.node(0).own_address());
   compare(
      model, 0, real,
      {"GET k", "PING", "NOSUCH", "HELLO 2", "AUTH wrong", "HELLO 2 AUTH default wrong", "MULTI", "EXEC",
       "HELLO 2 AUTH default secret SETNAME ann", "CLIENT GETNAME", "GET k", "AUTH secret", "AUTH default secret"});
}

TEST(SimulatedServer, KillsAnotherConnectionAsARealOneDoes) {
   lab::deployment servers({.replicas = 0, .sentinels = 0});
   auto first = servers.node(0).connect();
   auto second = servers.node(0).connect();
   const auto id = std::to_string(second.client_id());
   EXPECT_EQ(flat(first.ask({"CLIENT", "KILL", "ID", id, "ADDR", "127.0.0.1:1"})), ":0");
   EXPECT_EQ(flat(first.ask({"CLIENT", "KILL", "ID", id})), ":1");
   EXPECT_THROW(second.ask({"PING"}), lab::control_error);

   model_servers model({});
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
