// What a Sentinel answers its clients, and what it publishes.
#include "sim/sentinel_model.hpp"

#include <algorithm>

namespace holdfast::sim {

std::string address_of_host(host_id h) { return "10.0.0." + std::to_string(h + 1); }

namespace {

std::string id_of(host_id h) { return "5e47" + std::to_string(1000 + h); }

}  // namespace

// ---- events -------------------------------------------------------------------------------------------------------

void sentinel_model::publish(std::string_view channel, const instance& about) {
   const bool is_master = about.is == type::master;
   const std::string port = about.is == type::sentinel ? "26379" : "6379";
   const std::string address = address_of_host(about.host);
   std::string text = is_master                   ? "master " + settings.master_name
                      : about.is == type::replica ? "slave " + address + ":" + port
                                                  : "sentinel " + id_of(about.host);
   text += " " + address + " " + port;
   if (!is_master) text += " @ " + settings.master_name + " " + address_of_host(master().host) + " 6379";
   publish_text(channel, text);
}

void sentinel_model::publish_text(std::string_view channel, const std::string& payload) {
   fabric_.note(host_, [&] { return std::string(channel) + " " + payload; });
   std::string bytes;
   sessions_.each([&](session& s) {
      if (std::find(s.channels.begin(), s.channels.end(), channel) == s.channels.end()) return;
      if (bytes.empty()) {
         bytes = "*3\r\n$7\r\nmessage\r\n";
         add_bulk(bytes, channel);
         add_bulk(bytes, payload);
      }
      fabric_.net.send(s.connection, end::server, bytes);
   });
}

// ---- connections --------------------------------------------------------------------------------------------------

void sentinel_model::want_turn() {
   if (turn_wanted_) return;
   turn_wanted_ = true;
   fabric_.time.in(fabric_.chance.between(5us, 100us), {.a = host_, .kind = what::turn});
}

void sentinel_model::readable(connection_id c) {
   readable_.push_back(c);
   if (fabric_.net.works(host_)) want_turn();
}

void sentinel_model::turn() {
   turn_wanted_ = false;
   if (!fabric_.net.works(host_)) return;
   std::vector<connection_id> ready;
   ready.swap(readable_);
   for (const connection_id c : ready) serve(c);
}

void sentinel_model::serve(connection_id id) {
   connection& c = fabric_.net.at(id);
   if (!c.in_use || c.server != host_ || !c.is_open[index(end::server)]) return;
   session* s = sessions_.find(fabric_.net, id);
   if (s == nullptr) {
      s = &sessions_.adopt(fabric_.net, id);
      s->authenticated = settings.password.empty();
      if (sessions_.size() > settings.max_clients) {
         fabric_.net.send(id, end::server, std::string_view("-ERR max number of clients reached\r\n"));
         sessions_.end(*s);
         return fabric_.net.close(id, end::server);
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
   if (!s->out.empty()) fabric_.net.send(id, end::server, s->out);
   s->out.clear();
   if (!malformed && !c.saw_end[index(end::server)]) return;
   sessions_.end(*s);
   fabric_.net.close(id, end::server);
}

// ---- answers ------------------------------------------------------------------------------------------------------

void sentinel_model::answer(session& s, const words& w) {
   const auto is = [&](std::string_view name) { return same_word(w[0], name); };
   if (is("AUTH") && w.size() >= 2) {
      if (settings.password.empty())
         return add_error(s.out,
                          "ERR AUTH <password> called without any password configured for the default user. Are "
                          "you sure your configuration is correct?");
      s.authenticated = w.back() == settings.password;
      return s.authenticated ? add_status(s.out, "OK")
                             : add_error(s.out, "WRONGPASS invalid username-password pair or user is disabled.");
   }
   if (!s.authenticated) return add_error(s.out, "NOAUTH Authentication required.");
   if (is("PING")) {
      if (!s.subscribed) return add_status(s.out, "PONG");
      add_array(s.out, 2);
      add_bulk(s.out, "pong");
      return add_bulk(s.out, "");
   }
   if (is("SUBSCRIBE")) return subscribe(s, w);
   if (is("SENTINEL") && w.size() >= 2) return answer_sentinel(s, w);
   add_error(s.out, "ERR unknown command '" + std::string(w[0]) + "', with args beginning with: ");
}

void sentinel_model::answer_sentinel(session& s, const words& w) {
   const auto is = [&](std::string_view name) { return same_word(w[1], name); };
   if (is("MYID")) return add_bulk(s.out, id_of(host_));
   const bool known = w.size() > 2 && w[2] == settings.master_name;
   if (is("GET-MASTER-ADDR-BY-NAME")) {
      if (!known) {
         s.out += "*-1\r\n";
         return;
      }
      add_array(s.out, 2);
      add_bulk(s.out, address_of_host(named()));
      add_bulk(s.out, "6379");
      // So that checkers know what the client knows, once these bytes have come.
      connection& c = fabric_.net.at(s.connection);
      c.told.push_back({c.pipes[index(end::server)].sent + s.out.size(), s.shown_epoch, named()});
      return;
   }
   if (!known) return add_error(s.out, "ERR No such master with that name");
   if (is("MASTER")) return answer_master(s);
   if (is("SENTINELS")) return answer_others(s);
   add_error(s.out, "ERR unknown subcommand '" + std::string(w[1]) + "'. Try SENTINEL HELP.");
}

void sentinel_model::answer_master(session& s) {
   s.shown_epoch = config_epoch_;
   std::string flags = "master";
   if (master().down_since != 0) flags += ",s_down";
   if (objectively_down_) flags += ",o_down";
   if (!master().connected) flags += ",disconnected";
   if (state_ != failover_state::none) flags += ",failover_in_progress";
   const auto others =
      std::count_if(instances_.begin(), instances_.end(), [](const instance& i) { return i.is == type::sentinel; });
   add_array(s.out, 20);
   const auto field = [&](std::string_view name, std::string_view text) {
      add_bulk(s.out, name);
      add_bulk(s.out, text);
   };
   field("name", settings.master_name);
   field("ip", address_of_host(master().host));
   field("port", "6379");
   field("runid", id_of(master().host));
   field("flags", flags);
   field("down-after-milliseconds", std::to_string(settings.down_after));
   field("config-epoch", std::to_string(config_epoch_));
   field("num-other-sentinels", std::to_string(others));
   field("quorum", std::to_string(settings.quorum));
   field("failover-timeout", std::to_string(settings.failover_timeout));
}

void sentinel_model::answer_others(session& s) {
   const auto others =
      std::count_if(instances_.begin(), instances_.end(), [](const instance& i) { return i.is == type::sentinel; });
   add_array(s.out, static_cast<std::size_t>(others));
   for (const instance& i : instances_) {
      if (i.is != type::sentinel) continue;
      add_array(s.out, 10);
      for (const std::string& text :
           {std::string("name"), id_of(i.host), std::string("ip"), address_of_host(i.host), std::string("port"),
            std::string("26379"), std::string("runid"), id_of(i.host), std::string("flags"), std::string("sentinel")})
         add_bulk(s.out, text);
   }
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
