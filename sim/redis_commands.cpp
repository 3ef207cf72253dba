// What a server answers, in the order in which Redis' processCommand looks at things.
#include "sim/redis_model.hpp"

#include <algorithm>

namespace holdfast::sim {

namespace {

std::string lower(std::string_view text) {
   std::string out(text);
   std::transform(out.begin(), out.end(), out.begin(),
                  [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
   return out;
}

// The address of a client as the server sees it.
std::string address_of(const connection& c) {
   return "10.9." + std::to_string(c.client / 250 % 250) + "." + std::to_string(c.client % 250 + 1) + ":" +
          std::to_string(c.port);
}

}  // namespace

// Whether it is refused before it runs; the error is in `out` then.
bool redis_model::refused(session& s, const command_rule* rule, const words& w) {
   const auto refuse = [&](std::string_view text) {
      if (rule != nullptr && rule->name == "EXEC") {
         s.in_multi = false;
         add_error(s.out, "EXECABORT Transaction discarded because of: " + std::string(text));
         return true;
      }
      if (s.in_multi) s.dirty = true;
      add_error(s.out, text);
      return true;
   };
   if (rule == nullptr) {
      std::string args;
      for (std::size_t i = 1; i < w.size(); ++i) args += "'" + std::string(w[i]) + "' ";
      return refuse("ERR unknown command '" + std::string(w[0]) + "', with args beginning with: " + args);
   }
   const auto n = static_cast<int>(w.size());
   if ((rule->arity > 0 && n != rule->arity) || n < -rule->arity)
      return refuse("ERR wrong number of arguments for '" + lower(w[0]) + "' command");
   const bool exempt = rule->name == "AUTH" || rule->name == "HELLO";
   if (!s.authenticated && !exempt) return refuse("NOAUTH Authentication required.");
   const bool writes =
      rule->is == command_rule::kind::data_write || (rule->name == "EXEC" && s.in_multi && s.queued_writes);
   if (writes && is_master() && replicas_.size() < settings.min_replicas_to_write)
      return refuse("NOREPLICAS Not enough good replicas to write.");
   if (writes && !is_master()) return refuse("READONLY You can't write against a read only replica.");
   if (loading() && !rule->while_loading) return refuse("LOADING Redis is loading the dataset in memory");
   return false;
}

void redis_model::run(session& s, const words& w, std::string_view raw) {
   if (w.empty()) return;
   const command_rule* const rule = find_rule(w[0]);
   if (refused(s, rule, w)) return;
   const bool writes =
      rule->is == command_rule::kind::data_write || (rule->name == "EXEC" && s.in_multi && s.queued_writes);
   if (fabric_.time.now() < paused_until_ && (writes || !pauses_writes_only_)) {
      s.postponed = true;
      return;
   }
   const bool ends_multi = rule->name == "EXEC" || rule->name == "DISCARD" || rule->name == "MULTI";
   if (s.in_multi && !ends_multi) {
      s.queue += raw;
      ++s.queued;
      s.queued_writes = s.queued_writes || rule->is == command_rule::kind::data_write;
      return add_status(s.out, "QUEUED");
   }
   if (rule->is == command_rule::kind::server) return run_server(s, w);
   run_data(s, w, *rule, raw, s.out);
}

void redis_model::run_data(session& s, const words& w, const command_rule& rule, std::string_view raw,
                           std::string& out) {
   const std::size_t before = out.size();
   const bool changed = data_.run(w, out);
   if (changed) {
      place_ = fabric_.past.add(place_, raw);
      written();
   }
   if (rule.is == command_rule::kind::data_write || before != out.size())
      fabric_.user.ran(host_, w, place_, changed, std::string_view(out).substr(before), s.connection);
}

void redis_model::run_exec(session& s) {
   if (!s.in_multi) return add_error(s.out, "ERR EXEC without MULTI");
   s.in_multi = false;
   if (s.dirty) return add_error(s.out, "EXECABORT Transaction discarded because of previous errors.");
   add_array(s.out, s.queued);
   std::size_t at = 0;
   for (std::size_t i = 0; i < s.queued; ++i) {
      bool malformed = false;
      const std::size_t n = take_command(std::string_view(s.queue).substr(at), inner_, malformed);
      const command_rule* const rule = find_rule(inner_[0]);
      const auto raw = std::string_view(s.queue).substr(at, n);
      if (rule->is == command_rule::kind::server)
         run_server(s, inner_);
      else
         run_data(s, inner_, *rule, raw, s.out);
      at += n;
   }
}

void redis_model::run_server(session& s, const words& w) {
   const auto is = [&](std::string_view name) { return same_word(w[0], name); };
   if (is("PING")) {
      if (w.size() > 2) return add_error(s.out, "ERR wrong number of arguments for 'ping' command");
      if (w.size() > 1) return add_bulk(s.out, w[1]);
      return add_status(s.out, "PONG");
   }
   if (is("ECHO")) return add_bulk(s.out, w[1]);
   if (is("HELLO")) return hello(s, w);
   if (is("CLIENT")) return client(s, w);
   if (is("MULTI")) {
      if (s.in_multi) return add_error(s.out, "ERR MULTI calls can not be nested");
      s.in_multi = true;
      s.dirty = s.queued_writes = false;
      s.queued = 0;
      s.queue.clear();
      return add_status(s.out, "OK");
   }
   if (is("EXEC")) return run_exec(s);
   if (is("DISCARD")) {
      if (!s.in_multi) return add_error(s.out, "ERR DISCARD without MULTI");
      s.in_multi = false;
      return add_status(s.out, "OK");
   }
   if (is("AUTH")) {
      if (authenticate(s, w, 1)) add_status(s.out, "OK");
      return;
   }
   if (is("SELECT")) {
      const auto n = read_integer(w[1]);
      if (!n) return add_error(s.out, "ERR value is not an integer or out of range");
      if (*n < 0 || *n > 15) return add_error(s.out, "ERR DB index is out of range");
      s.db = static_cast<unsigned>(*n);
      return add_status(s.out, "OK");
   }
   if (is("ROLE")) return role(s);
   if (is("INFO")) return info(s);
   if (is("WAIT")) {
      if (!is_master())
         return add_error(s.out,
                          "ERR WAIT cannot be used with replica instances. Please also note that "
                          "since Redis 4.0 if a replica is configured to be writable (which is "
                          "not the default) writes to replicas are just local and are not "
                          "propagated.");
      return add_integer(s.out, 0);
   }
   add_error(s.out, "ERR not in this world");  // REPLICAOF: the world does it by itself
}

bool redis_model::authenticate(session& s, const words& w, std::size_t from) {
   const bool named = w.size() == from + 2;
   const std::string_view password = w.back();
   if (settings.password.empty() && !named) {
      add_error(s.out,
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
                "configuration is correct?");
      return false;
   }
   if ((named && w[from] != "default") || (!settings.password.empty() && password != settings.password)) {
      add_error(s.out, "WRONGPASS invalid username-password pair or user is disabled.");
      return false;
   }
   s.authenticated = true;
   return true;
}

void redis_model::hello(session& s, const words& w) {
   if (!settings.knows_hello) return add_error(s.out, "ERR unknown command 'HELLO', with args beginning with: '3' ");
   bool resp3 = s.resp3;
   if (w.size() > 1) {
      const auto n = read_integer(w[1]);
      if (!n) return add_error(s.out, "ERR Protocol version is not an integer or out of range");
      if (*n != 2 && *n != 3) return add_error(s.out, "NOPROTO unsupported protocol version");
      resp3 = *n == 3;
   }
   std::string_view name;
   bool named = false;
   for (std::size_t i = 2; i < w.size(); ++i) {
      if (same_word(w[i], "AUTH") && i + 2 < w.size()) {
         if (!authenticate(s, {w[i], w[i + 1], w[i + 2]}, 1)) return;
         i += 2;
      } else if (same_word(w[i], "SETNAME") && i + 1 < w.size()) {
         named = true;
         name = w[++i];
      } else {
         return add_error(s.out, "ERR Syntax error in HELLO option '" + std::string(w[i]) + "'");
      }
   }
   if (!s.authenticated)
      return add_error(s.out,
                       "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH "
                       "<user> <pass> option can be used to authenticate the client and select the RESP protocol "
                       "version at the same time");
   if (named) s.name = name;
   s.resp3 = resp3;
   add_number(s.out, resp3 ? '%' : '*', resp3 ? 7 : 14);
   add_bulk(s.out, "server");
   add_bulk(s.out, "redis");
   add_bulk(s.out, "version");
   add_bulk(s.out, "7.0.15");
   add_bulk(s.out, "proto");
   add_integer(s.out, resp3 ? 3 : 2);
   add_bulk(s.out, "id");
   add_integer(s.out, static_cast<long long>(s.id));
   add_bulk(s.out, "mode");
   add_bulk(s.out, "standalone");
   add_bulk(s.out, "role");
   add_bulk(s.out, is_master() ? "master" : "replica");
   add_bulk(s.out, "modules");
   add_array(s.out, 0);
}

std::string redis_model::describe(const session& s) {
   const connection& c = fabric_.net.at(s.connection);
   return "id=" + std::to_string(s.id) + " addr=" + address_of(c) + " laddr=10.0.0." + std::to_string(host_ + 1) +
          ":6379 fd=8 name=" + s.name + " age=0 idle=0 flags=N db=" + std::to_string(s.db) +
          " sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 cmd=client|info user=default redir=-1 resp=" +
          (s.resp3 ? "3" : "2") + "\n";
}

void redis_model::client(session& s, const words& w) {
   const auto is = [&](std::string_view name) { return same_word(w[1], name); };
   if (is("INFO") && w.size() == 2) return s.resp3 ? (void)[&] {
         const std::string text = describe(s);
         add_number(s.out, '=', static_cast<long long>(text.size() + 4));
         s.out += "txt:" + text + "\r\n";
      }
   () : add_bulk(s.out, describe(s));
   if (is("ID") && w.size() == 2) return add_integer(s.out, static_cast<long long>(s.id));
   if (is("SETNAME") && w.size() == 3) {
      s.name = w[2];
      return add_status(s.out, "OK");
   }
   if (is("GETNAME") && w.size() == 2)
      return s.name.empty() ? (void)(s.out += s.resp3 ? "_\r\n" : "$-1\r\n") : add_bulk(s.out, s.name);
   if (is("KILL")) return client_kill(s, w);
   if (is("PAUSE") && w.size() >= 3) {
      const auto ms = read_integer(w[2]);
      if (!ms || *ms < 0) return add_error(s.out, "ERR timeout is not an integer or out of range");
      add_status(s.out, "OK");
      return pause_clients(std::chrono::milliseconds(*ms), w.size() == 4 && same_word(w[3], "WRITE"));
   }
   if (is("UNPAUSE") && w.size() == 2) {
      paused_until_ = fabric_.time.now();
      add_status(s.out, "OK");
      return on_unpaused();
   }
   add_error(s.out, "ERR unknown subcommand '" + std::string(w[1]) + "'. Try CLIENT HELP.");
}

// CLIENT KILL [ID n] [ADDR a]: how many. Who kills itself gets the answer first; others lose what they had coming.
void redis_model::client_kill(session& s, const words& w) {
   if (!settings.allows_kill)
      return add_error(s.out, "NOPERM this user has no permissions to run the 'client|kill' command");
   std::optional<long long> id;
   std::string_view address;
   for (std::size_t i = 2; i + 1 < w.size(); i += 2) {
      if (same_word(w[i], "ID")) {
         id = read_integer(w[i + 1]);
         if (!id || *id <= 0) return add_error(s.out, "ERR client-id should be greater than 0");
      } else if (same_word(w[i], "ADDR")) {
         address = w[i + 1];
      } else {
         return add_error(s.out, "ERR syntax error");
      }
   }
   long long killed = 0;
   sessions_.each([&](session& other) {
      if (&other == &s) return;  // SKIPME yes
      if (id && static_cast<long long>(other.id) != *id) return;
      if (!address.empty() && address_of(fabric_.net.at(other.connection)) != address) return;
      end(other, true);
      ++killed;
   });
   add_integer(s.out, killed);
}

void redis_model::role(session& s) {
   if (is_master()) {
      add_array(s.out, 3);
      add_bulk(s.out, "master");
      add_integer(s.out, static_cast<long long>(place_.offset));
      return add_array(s.out, 0);
   }
   add_array(s.out, 5);
   add_bulk(s.out, "slave");
   add_bulk(s.out, "10.0.0." + std::to_string(master_ + 1));
   add_integer(s.out, 6379);
   add_bulk(s.out, link_up() ? "connected" : "connect");
   add_integer(s.out, static_cast<long long>(place_.offset));
}

void redis_model::info(session& s) {
   add_bulk(s.out, std::string("# Replication\r\nrole:") + (is_master() ? "master" : "slave") + "\r\n");
}

}  // namespace holdfast::sim
