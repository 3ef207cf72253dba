// What a server knows of its clients, and lets them do to each other: HELLO, CLIENT, ROLE.
#include "sim/servers/greeting.hpp"
#include "sim/servers/redis_model.hpp"

#include <optional>
#include <type_traits>

namespace holdfast::sim {

namespace {

// The address of a client as the server sees it.
std::string address_of(const connection& c) {
   return "10.9." + std::to_string(c.client / 250 % 250) + "." + std::to_string(c.client % 250 + 1) + ":" +
          std::to_string(c.port);
}

}  // namespace

void redis_model::hello(session& s, const words& w) {
   if (!settings.knows_hello) return add_error(s.out, unknown(w));
   if (sim::hello(s, settings.password, "standalone", is_master() ? "master" : "replica", w)) tell_role(s);
}

std::string redis_model::describe(const session& s) {
   const connection& c = shared_.net.at(s.connection);
   return "id=" + std::to_string(s.id) + " addr=" + address_of(c) + " laddr=10.0.0." + std::to_string(host_ + 1) +
          ":6379 fd=8 name=" + s.name + " age=0 idle=0 flags=N db=" + std::to_string(s.db) +
          " sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 cmd=client|info user=default redir=-1 resp=" +
          (s.resp3 ? "3" : "2") + "\n";
}

void redis_model::client(session& s, const words& w) {
   const auto is = [&](std::string_view name) { return same_word(w[1], name); };
   if (is("INFO") && w.size() == 2) return add_text(s, describe(s));
   if (is("LIST")) return client_list(s, w);
   if (is("ID") && w.size() == 2) return add_integer(s.out, static_cast<long long>(s.id));
   if (is("SETNAME") && w.size() == 3) {
      s.name = w[2];
      return add_status(s.out, "OK");
   }
   if (is("GETNAME") && w.size() == 2)
      return s.name.empty() ? (void)(s.out += s.resp3 ? "_\r\n" : "$-1\r\n") : add_bulk(s.out, s.name);
   if (is("KILL")) return client_kill(s, w);
   if (is("PAUSE") && (w.size() == 3 || w.size() == 4)) return client_pause(s, w);
   if (is("UNBLOCK") && (w.size() == 3 || w.size() == 4)) return client_unblock(s, w);
   if (is("UNPAUSE") && w.size() == 2) {
      paused_until_ = shared_.time.now();
      add_status(s.out, "OK");
      return on_unpaused();
   }
   add_error(s.out, "ERR unknown subcommand '" + std::string(w[1]) + "'. Try CLIENT HELP.");
}

// How many. Who kills itself gets the answer first; others lose what they had coming.
void redis_model::client_kill(session& s, const words& w) {
   if (!settings.allows_kill)
      return add_error(s.out, "NOPERM this user has no permissions to run the 'client|kill' command");
   const bool old_form = w.size() == 3;
   std::optional<long long> id;
   std::string_view address = old_form ? w[2] : std::string_view();
   bool of_another_kind = false;
   bool spares_itself = !old_form;
   for (std::size_t i = 2; !old_form && i < w.size(); i += 2) {
      if (i + 1 == w.size()) return add_error(s.out, "ERR syntax error");
      if (same_word(w[i], "ID")) {
         id = read_integer(w[i + 1]);
         if (!id || *id <= 0) return add_error(s.out, "ERR client-id should be greater than 0");
      } else if (same_word(w[i], "ADDR")) {
         address = w[i + 1];
      } else if (same_word(w[i], "TYPE")) {
         const bool known = same_word(w[i + 1], "NORMAL") || same_word(w[i + 1], "PUBSUB") ||
                            same_word(w[i + 1], "MASTER") || same_word(w[i + 1], "SLAVE") ||
                            same_word(w[i + 1], "REPLICA");
         if (!known) return add_error(s.out, "ERR Unknown client type '" + std::string(w[i + 1]) + "'");
         of_another_kind = !same_word(w[i + 1], "NORMAL");
      } else if (same_word(w[i], "SKIPME") && (same_word(w[i + 1], "YES") || same_word(w[i + 1], "NO"))) {
         spares_itself = same_word(w[i + 1], "YES");
      } else {
         return add_error(s.out, "ERR syntax error");
      }
   }
   long long killed = 0;
   sessions_.each([&](session& other) {
      if (of_another_kind || (&other == &s && spares_itself)) return;
      if (id && static_cast<long long>(other.id) != *id) return;
      if (!address.empty() && address_of(shared_.net.at(other.connection)) != address) return;
      ++killed;
      if (&other == &s)
         s.closing = true;
      else
         end(other, true);
   });
   if (!old_form) return add_integer(s.out, killed);
   killed == 0 ? add_error(s.out, "ERR No such client") : add_status(s.out, "OK");
}

void redis_model::client_list(session& s, const words& w) {
   std::string all;
   if (w.size() == 4 && same_word(w[2], "TYPE")) {
      if (!same_word(w[3], "NORMAL")) return add_text(s, {});
   } else if (w.size() > 3 && same_word(w[2], "ID")) {
      for (std::size_t i = 3; i < w.size(); ++i) {
         const auto id = read_integer(w[i]);
         if (!id) return add_error(s.out, "ERR Invalid client ID");
         sessions_.each([&](session& other) {
            if (static_cast<long long>(other.id) == *id) all += describe(other);
         });
      }
      return add_text(s, all);
   } else if (w.size() != 2) {
      return add_error(s.out, "ERR syntax error");
   }
   sessions_.each([&](session& other) { all += describe(other); });
   add_text(s, all);
}

void redis_model::client_pause(session& s, const words& w) {
   const bool writes_only = w.size() == 4 && same_word(w[3], "WRITE");
   if (w.size() == 4 && !writes_only && !same_word(w[3], "ALL"))
      return add_error(s.out, "ERR CLIENT PAUSE mode must be WRITE or ALL");
   const auto ms = read_integer(w[2]);
   if (!ms) return add_error(s.out, "ERR timeout is not an integer or out of range");
   if (*ms < 0) return add_error(s.out, "ERR timeout is negative");
   pause_clients(std::chrono::milliseconds(*ms), writes_only);
   add_status(s.out, "OK");
}

void redis_model::client_unblock(session& s, const words& w) {
   const bool with_error = w.size() == 4 && same_word(w[3], "ERROR");
   if (w.size() == 4 && !with_error && !same_word(w[3], "TIMEOUT"))
      return add_error(s.out, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
   const auto id = read_integer(w[2]);
   if (!id) return add_error(s.out, "ERR value is not an integer or out of range");
   bool done = false;
   sessions_.each([&](session& other) {
      const bool waits = other.waits == waiting::list || other.waits == waiting::replicas;
      if (static_cast<long long>(other.id) != *id || !waits) return;
      done = true;
      if (with_error)
         add_error(other.out, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
      else if (other.waits == waiting::list)
         add_nothing(other);
      else
         add_integer(other.out, static_cast<long long>(acknowledged(other.waits_upto)));
      woken(other);
   });
   add_integer(s.out, done);
}

void redis_model::add_text(session& s, const std::string& text) {
   if (!s.resp3) return add_bulk(s.out, text);
   add_number(s.out, '=', static_cast<long long>(text.size() + 4));
   s.out += "txt:" + text + "\r\n";
}

void redis_model::add_nothing(session& s) { s.out += s.resp3 ? "_\r\n" : "*-1\r\n"; }

// So that the checkers know what the client knows of it, once these bytes have come.
void redis_model::tell_role(session& s, bool of_whom) {
   const told t{is_master() ? observation::master : observation::replica, 0, of_whom ? master_ : nowhere};
   add_tiding(shared_.net.at(s.connection), s.out.size(), t);
}

void redis_model::role(session& s) {
   if (is_master()) {
      add_array(s.out, 3);
      add_bulk(s.out, "master");
      add_integer(s.out, static_cast<long long>(place_.offset));
      add_array(s.out, 0);
      return tell_role(s);
   }
   add_array(s.out, 5);
   add_bulk(s.out, "slave");
   add_bulk(s.out, "10.0.0." + std::to_string(master_ + 1));
   add_integer(s.out, 6379);
   add_bulk(s.out, link_up() ? "connected" : "connect");
   add_integer(s.out, static_cast<long long>(place_.offset));
   tell_role(s, true);
}

// The section on replication; a replica's I/O with its master is not modelled.
void redis_model::info(session& s, const words& w) {
   std::string text;
   const auto line = [&](std::string_view name, const auto& value) {
      text += name;
      text += ':';
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
         text += std::to_string(value);
      else
         text += value;
      text += "\r\n";
   };
   const auto address = [](host_id h) { return "10.0.0." + std::to_string(h + 1); };
   if (w.size() > 1 && same_word(w[1], "SERVER")) {
      text = "# Server\r\n";
      line("redis_version", "7.0.15");
      line("run_id", run_id(host_, run_));
      line("tcp_port", 6379);
   }
   if (w.size() > 1 && !same_word(w[1], "REPLICATION")) return add_text(s, text);
   text = "# Replication\r\n";
   line("role", is_master() ? "master" : "slave");
   if (!is_master()) {
      line("master_host", address(master_));
      line("master_port", 6379);
      line("master_link_status", link_up() ? "up" : "down");
      line("master_sync_in_progress", link_ == link_state::loading ? 1 : 0);
      line("slave_repl_offset", place_.offset);
      if (!link_up())
         line("master_link_down_since_seconds",
              std::chrono::duration_cast<std::chrono::seconds>(shared_.time.now() - link_down_since_).count());
      line("slave_priority", settings.priority);
      line("slave_read_only", 1);
      line("replica_announced", 1);
   }
   line("connected_slaves", replicas_.size());
   for (std::size_t i = 0; i < replicas_.size(); ++i)
      line("slave" + std::to_string(i), "ip=" + address(replicas_[i].host) + ",port=6379,state=online,offset=" +
                                           std::to_string(replicas_[i].acked) + ",lag=0");
   line("master_failover_state", to_string(handover_));
   line("master_repl_offset", place_.offset);
   add_text(s, text);
   tell_role(s, true);
}

}  // namespace holdfast::sim
