// What a Sentinel answers its clients, and what it publishes.
#include "sim/servers/greeting.hpp"
#include "sim/servers/sentinel_model.hpp"

#include <algorithm>

namespace holdfast::sim {

std::string address_of_host(host_id h) { return "10.0.0." + std::to_string(h + 1); }

std::string run_id(host_id h, std::uint32_t run) {
   std::string id;
   random_source digits{std::uint64_t{h} << 32 | run};
   while (id.size() < 40) id += "0123456789abcdef"[digits() % 16];
   return id;
}

std::string name_of_server(host_id h) { return "server-" + std::to_string(h) + ".sim"; }

std::string sentinel_model::node_at(host_id h) const {
   return settings.names_nodes ? name_of_server(h) : address_of_host(h);
}

std::string sentinel_model::address_of(const instance& i) const {
   return i.is == type::sentinel ? address_of_host(i.host) : node_at(i.host);
}

// ---- events -------------------------------------------------------------------------------------------------------

void sentinel_model::publish(std::string_view channel, const instance& about, std::string_view more) {
   const bool is_master = about.is == type::master;
   const std::string port = about.is == type::sentinel ? "26379" : "6379";
   const std::string address = address_of(about);
   std::string text = is_master                   ? "master " + settings.master_name
                      : about.is == type::replica ? "slave " + address + ":" + port
                                                  : "sentinel " + id_of(about.run);
   text += " " + address + " " + port;
   if (!is_master) text += " @ " + settings.master_name + " " + node_at(master().host) + " 6379";
   text += more;
   const observation is = channel == "+try-failover"                ? observation::tried
                          : channel == "+selected-slave"            ? observation::selected
                          : channel.starts_with("-failover-abort-") ? observation::aborted
                                                                    : observation::nothing;
   publish_text(channel, text, {is, failover_epoch_, about.host});
}

void sentinel_model::publish_text(std::string_view channel, const std::string& payload, const told& tells) {
   shared_.note(host_, [&] { return std::string(channel) + " " + payload; });
   if (silent_) return;
   std::string bytes;
   sessions_.each([&](session& s) {
      if (std::find(s.channels.begin(), s.channels.end(), channel) == s.channels.end()) return;
      if (bytes.empty()) {
         bytes = "*3\r\n$7\r\nmessage\r\n";
         add_bulk(bytes, channel);
         add_bulk(bytes, payload);
      }
      shared_.net.send(s.connection, end::server, bytes);
      if (tells.is != observation::nothing) add_tiding(shared_.net.at(s.connection), 0, tells);
   });
}

void sentinel_model::tell_epoch() { publish_text("+new-epoch", std::to_string(current_epoch_)); }

// ---- connections --------------------------------------------------------------------------------------------------

void sentinel_model::want_turn() {
   if (turn_wanted_) return;
   turn_wanted_ = true;
   shared_.time.in(shared_.chance.between(5us, 100us), {.c = process_, .a = host_, .kind = what::turn});
}

void sentinel_model::readable(connection_id c) {
   readable_.push_back(c);
   if (shared_.net.works(host_)) want_turn();
}

void sentinel_model::turn(std::uint64_t process) {
   if (process != process_) return;
   turn_wanted_ = false;
   if (!shared_.net.works(host_)) return;
   std::vector<connection_id> ready;
   ready.swap(readable_);
   for (const connection_id c : ready) serve(c);
}

void sentinel_model::serve(connection_id id) {
   connection& c = shared_.net.at(id);
   if (!c.in_use || c.server != host_ || !c.is_open[index(end::server)]) return;
   session* s = sessions_.find(shared_.net, id);
   if (s == nullptr) {
      s = &sessions_.adopt(shared_.net, id);
      s->authenticated = settings.password.empty();
      s->id = next_client_++;
      if (sessions_.size() > settings.max_clients) {
         shared_.net.send(id, end::server, std::string_view("-ERR max number of clients reached\r\n"));
         sessions_.end(*s);
         return shared_.net.close(id, end::server);
      }
   }
   std::string& in = c.inbox[index(end::server)];
   std::size_t done = 0;
   bool malformed = false;
   for (;;) {
      const std::size_t n = take_command(std::string_view(in).substr(done), words_, malformed);
      if (n == 0) break;
      if (!words_.empty()) answer(*s, words_);
      done += n;
   }
   in.erase(0, done);
   if (!s->out.empty()) shared_.net.send(id, end::server, s->out);
   s->out.clear();
   if (!malformed && !c.saw_end[index(end::server)]) return;
   sessions_.end(*s);
   shared_.net.close(id, end::server);
}

// ---- answers ------------------------------------------------------------------------------------------------------

void sentinel_model::answer(session& s, const words& w) {
   const auto is = [&](std::string_view name) { return same_word(w[0], name); };
   const auto short_of = [&](std::size_t n) {
      if (w.size() >= n) return false;
      std::string name(w[0]);
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      add_error(s.out, "ERR wrong number of arguments for '" + name + "' command");
      return true;
   };
   if (is("HELLO")) return void(hello(s, settings.password, "sentinel", {}, w));
   if (is("AUTH")) {
      if (short_of(2)) return;
      if (authenticate(s, settings.password, w, 1)) add_status(s.out, "OK");
      return;
   }
   const bool known = is("PING") || is("SUBSCRIBE") || is("SENTINEL") || is("ROLE") || is("CLIENT");
   if (!known) {
      std::string args;
      for (std::size_t i = 1; i < w.size(); ++i) args += "'" + std::string(w[i]) + "' ";
      return add_error(s.out, "ERR unknown command '" + std::string(w[0]) + "', with args beginning with: " + args);
   }
   if (!is("PING") && !is("ROLE") && short_of(2)) return;
   if (!s.authenticated) return add_error(s.out, "NOAUTH Authentication required.");
   if (is("PING")) {
      if (!s.subscribed || s.resp3) return w.size() > 1 ? add_bulk(s.out, w[1]) : add_status(s.out, "PONG");
      add_array(s.out, 2);
      add_bulk(s.out, "pong");
      return add_bulk(s.out, w.size() > 1 ? w[1] : "");
   }
   if (is("SUBSCRIBE")) return subscribe(s, w);
   if (is("SENTINEL")) return answer_sentinel(s, w);
   if (is("ROLE")) {
      add_array(s.out, 2);
      add_bulk(s.out, "sentinel");
      add_array(s.out, 1);
      return add_bulk(s.out, settings.master_name);
   }
   if (same_word(w[1], "SETNAME") && w.size() == 3) return add_status(s.out, "OK");
   if (same_word(w[1], "ID") && w.size() == 2) return add_integer(s.out, static_cast<long long>(s.id));
   add_error(s.out, "ERR unknown subcommand '" + std::string(w[1]) + "'. Try CLIENT HELP.");
}

void sentinel_model::answer_sentinel(session& s, const words& w) {
   const auto is = [&](std::string_view name) { return same_word(w[1], name); };
   const bool of_itself = is("MYID");
   if (of_itself && w.size() == 2) return add_bulk(s.out, id());
   const bool of_master = is("MASTER") || is("SENTINELS") || is("REPLICAS") || is("SLAVES") ||
                          is("GET-MASTER-ADDR-BY-NAME") || is("FAILOVER");
   if (!of_master && !of_itself)
      return add_error(s.out, "ERR unknown subcommand '" + std::string(w[1]) + "'. Try SENTINEL HELP.");
   if (w.size() != 3 || of_itself) {
      std::string name(w[1]);
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
      return add_error(s.out, "ERR wrong number of arguments for 'sentinel|" + name + "' command");
   }
   const bool known = w[2] == settings.master_name;
   if (is("GET-MASTER-ADDR-BY-NAME")) {
      if (!known) {
         s.out += s.resp3 ? "_\r\n" : "*-1\r\n";
         return;
      }
      add_array(s.out, 2);
      add_bulk(s.out, node_at(named()));
      add_bulk(s.out, "6379");
      return add_tiding(shared_.net.at(s.connection), s.out.size(), {observation::address, s.shown_epoch, named()});
   }
   if (!known) return add_error(s.out, "ERR No such master with that name");
   if (is("SENTINELS")) return answer_all(s, type::sentinel);
   if (is("REPLICAS") || is("SLAVES")) return answer_all(s, type::replica);
   if (is("FAILOVER")) {
      if (state_ != failover_state::none) return add_error(s.out, "INPROG Failover already in progress");
      return fail_over() ? add_status(s.out, "OK") : add_error(s.out, "NOGOODSLAVE No suitable replica to promote");
   }
   s.shown_epoch = config_epoch_;
   answer_instance(s, master());
}

void sentinel_model::subscribe(session& s, const words& w) {
   for (std::size_t i = 1; i < w.size(); ++i) {
      s.channels.emplace_back(w[i]);
      add_array(s.out, 3);
      add_bulk(s.out, "subscribe");
      add_bulk(s.out, w[i]);
      add_integer(s.out, static_cast<long long>(s.channels.size()));
   }
   s.subscribed = true;
}

}  // namespace holdfast::sim
