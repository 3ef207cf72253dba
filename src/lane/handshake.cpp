#include "lane/handshake.hpp"

#include "commands/error_reply.hpp"
#include "commands/info_reply.hpp"
#include "commands/shown.hpp"

namespace holdfast::impl {
namespace {

bool is_number(std::string_view text) {
   return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "id=7 addr=127.0.0.1:4711 laddr=..." -> the value of `key`, up to the next space.
std::string_view field(std::string_view line, std::string_view key) {
   std::size_t at = 0;
   while (at < line.size()) {
      const std::size_t end = std::min(line.find_first_of(" \n", at), line.size());
      const std::string_view item = line.substr(at, end - at);
      if (item.starts_with(key) && item.size() > key.size() && item[key.size()] == '=') {
         return item.substr(key.size() + 1);
      }
      at = end + 1;
   }
   return {};
}

// Of a Unix socket's clients the address is the server's path and port 0, and the path may have spaces: not even its
// beginning is to be taken for an address.
bool is_tcp_address(std::string_view text) {
   const std::size_t colon = text.rfind(':');
   if (colon == std::string_view::npos || colon == 0) return false;
   const auto port = text.substr(colon + 1);
   if (!is_number(port) || port.find_first_not_of('0') == std::string_view::npos) return false;
   const auto host = text.substr(0, colon);
   const bool is_ipv6 = host.front() == '[' && host.back() == ']';
   const auto of_ipv6 = std::string_view("[]:.%0123456789abcdefABCDEF");
   if (!is_ipv6) return host.find_first_not_of("0123456789.") == std::string_view::npos;
   const auto zone = std::min(host.find('%'), host.size());
   return host.substr(0, zone).find_first_not_of(of_ipv6) == std::string_view::npos &&
          host.find('/') == std::string_view::npos;
}

// Passes by itself, so that it is worth waiting for.
bool passes(std::string_view text) {
   const auto proof = classify_error(text, false, false, true);
   return proof.cls == reply_class::busy || proof.cls == reply_class::loading;
}

}  // namespace

void handshake::begin(const session& s, way w, std::vector<earlier_connection> earlier, bool need_role,
                      bool allow_busy_server, outbox& out) {
   *this = handshake{};
   session_ = s;
   kills_ = connection_kills(std::move(earlier));
   need_role_ = need_role;
   allow_busy_server_ = allow_busy_server;
   way_ = session_.protocol < 3 ? std::max(w, way::old) : w;
   switch (way_) {
      case way::hello: return write_hello(out);
      case way::careful: return write_life_test(out);
      case way::old: return write_old_way(out);
      case way::bare: break;
   }
   old_way_ = true;
   write_life_test(out);
   if (session_.database != 0) send(step::select, command{"SELECT", session_.database}, out);
}

handshake::way handshake::after_close() const {
   const bool silent = next_ == 0;
   if (!old_way_ && !found_.hello_refusal.empty()) return way::old;
   switch (way_) {
      case way::hello: return silent ? way::careful : way::hello;
      case way::careful: return silent && lives_ ? way::old : way::hello;
      case way::old: return silent && !need_role_ ? way::bare : way::hello;
      case way::bare: break;
   }
   return way::hello;
}

void handshake::write_life_test(outbox& out) {
   write_auth(out);
   send(step::ping, command{"PING"}, out);
}

void handshake::write_hello(outbox& out) {
   steps_.clear();
   next_ = 0;
   command hello{"HELLO", session_.protocol};
   if (session_.authenticates()) {
      hello.arg("AUTH").arg(session_.username.empty() ? "default" : session_.username).arg(session_.password);
   }
   if (!session_.name.empty()) hello.arg("SETNAME").arg(session_.name);
   send(step::hello, hello, out);
   write_rest(out);
}

void handshake::write_old_way(outbox& out) {
   old_way_ = true;
   steps_.clear();
   next_ = 0;
   auth_refused_.clear();
   write_auth(out);
   send(step::role, command{"ROLE"}, out);
   if (!session_.name.empty()) send(step::set_name, command{"CLIENT", "SETNAME", session_.name}, out);
   write_rest(out);
}

// A server from before 6.0 knows no users. The one that it has, in a way, is "default".
void handshake::write_auth(outbox& out) {
   if (!session_.authenticates()) return;
   command auth{"AUTH"};
   if (!session_.username.empty()) auth.arg(session_.username);
   send(step::auth, auth.arg(session_.password), out);
   if (session_.username == "default") send(step::second_auth, command{"AUTH", session_.password}, out);
}

void handshake::write_rest(outbox& out) {
   send(step::client_info, command{"CLIENT", "INFO"}, out);
   send(step::server_info, command{"INFO", "server"}, out);
   for (const command& kill : kills_.first()) send(step::kill, kill, out);
   if (session_.database != 0) send(step::select, command{"SELECT", session_.database}, out);
}

void handshake::send(step s, const command& c, outbox& out) {
   out.append(c.bytes());
   steps_.push_back(s);
}

handshake::state handshake::resume(const value_view& reply, outbox& out) {
   if (state_ != state::working) return state_;
   if (next_ == steps_.size()) return fail(errc::protocol_error, "it answered more than it was asked", {}, false);
   set_state(take(steps_[next_++], reply, out));
   if (state_ != state::working || next_ != steps_.size()) return state_;
   if (way_ == way::careful && !lives_) {
      lives_ = true;
      write_hello(out);
      return state_;
   }
   // HELLO was refused: the batch written with it has now been passed over, and the old way begins.
   if (!found_.resp3 && !old_way_) {
      write_old_way(out);
      return state_;
   }
   if (!process_known_ && !found_.without_identity) {
      process_known_ = true;
      const auto later = kills_.later(found_.self.run_id);
      for (const command& kill : later) send(step::kill, kill, out);
      if (!later.empty()) return state_;
   }
   kills_.conclude(found_.self.run_id);
   return set_state(state::ready);
}

handshake::state handshake::take(step s, const value_view& reply, outbox& out) {
   const bool passed_over = !found_.resp3 && !old_way_ && s != step::hello && s != step::ping;
   if (passed_over) return state::working;
   switch (s) {
      case step::ping:
         if (reply.is_error()) return on_ping_error(reply.text());
         return reply.text() == "PONG" ? state::working : fail_as_no_server(reply, "PING");
      case step::hello: return on_hello(reply);
      case step::auth:
         if (!reply.is_error() || session_.username != "default") return on_auth(reply);
         auth_refused_ = received_words(reply.text());
         return state::working;
      case step::second_auth:
         if (auth_refused_.empty()) return state::working;
         return auth_refused_.find("wrong number of arguments") == std::string::npos ? fail_by(auth_refused_)
                                                                                     : on_auth(reply);
      case step::role: return on_role(reply, out);
      case step::replication:
         if (!reply.is_error()) found_.role = kept_words(info_value(reply.text(), "role"));
         if (found_.role.empty() && need_role_) {
            return fail(errc::no_master, "its role can't be seen: allow the user HELLO, ROLE or INFO", reply.text(),
                        true);
         }
         return state::working;
      case step::set_name: return state::working;
      case step::client_info: return on_client_info(reply);
      case step::server_info: return on_server_info(reply);
      case step::kill: return on_kill(reply);
      case step::select:
         if (reply.is_error()) return passes(reply.text()) ? on_passing(reply.text()) : fail_by(reply.text());
         return state::working;
   }
   return state::working;
}

// Before HELLO an error is life, unless the server turns away whoever comes.
handshake::state handshake::on_ping_error(std::string_view text) {
   const bool is_refused = classify_error(text, false, false, true).cls == reply_class::refused;
   return !is_refused && (!old_way_ || passes(text)) ? state::working : fail_by(text);
}

handshake::state handshake::on_auth(const value_view& reply) {
   if (!reply.is_error()) return reply.text() == "OK" ? state::working : fail_as_no_server(reply, "AUTH");
   if (!session_.username.empty() && reply.text().find("wrong number of arguments") != std::string_view::npos) {
      return fail(errc::authentication_failed, "it knows no user names, as Redis before 6.0: leave out the user name",
                  reply.text(), true);
   }
   return fail_by(reply.text());
}

handshake::state handshake::on_role(const value_view& reply, outbox& out) {
   if (reply.is_error()) return on_role_error(reply.text(), out);
   if (reply.kind() == kind::array && reply.size() != 0) found_.role = kept_words(reply[0].text());
   if (found_.role == "sentinel") return fail_by("is a Sentinel");
   if (found_.role != "master" && found_.role != "slave" && found_.role != "replica")
      return fail_as_no_server(reply, "ROLE");
   return state::working;
}

handshake::state handshake::on_hello(const value_view& reply) {
   if (reply.is_error()) return on_hello_error(reply.text());
   // All that is said to be a Redis tells its name, or the protocol that it goes on in. An echo does not.
   const bool names_itself = !reply.find("server").text().empty();
   const auto protocol = reply.find("proto");
   const bool names_protocol = protocol.kind() == kind::integer && (protocol.integer() == 2 || protocol.integer() == 3);
   if (reply.size() == 0 || (!names_itself && !names_protocol)) return fail_as_no_server(reply, "HELLO");
   found_.resp3 = true;
   found_.role = kept_words(reply.find("role").text());
   if (reply.find("mode").text() == "sentinel") return fail_by("is a Sentinel");
   return state::working;
}

// Whatever the words are, the old way is worth a try, but where it would be answered the same.
handshake::state handshake::on_hello_error(std::string_view text) {
   found_.hello_refusal = kept_words(text);
   switch (classify_error(text, false, false, true).cls) {
      case reply_class::wrong_password:
      case reply_class::refused:
      case reply_class::loading:
      case reply_class::busy: return fail_by(text);
      case reply_class::not_authenticated:
         if (!session_.authenticates()) return fail_by(text);
         break;  // it knows HELLO, and not its AUTH
      default: break;
   }
   return state::working;
}

// Not allowed, or (in front of old servers and in proxies) not known: INFO tells it too.
handshake::state handshake::on_role_error(std::string_view text, outbox& out) {
   if (passes(text) && !need_role_) return on_passing(text);
   const auto proof = classify_error(text, false, false, true);
   if (proof.cls != reply_class::no_permission && proof.cls != reply_class::unknown_command) {
      return fail_by(text);
   }
   send(step::replication, command{"INFO", "replication"}, out);
   return state::working;
}

handshake::state handshake::on_client_info(const value_view& reply) {
   // A connection that does not know who it is can never be fenced.
   if (reply.is_error()) return passes(reply.text()) ? on_passing(reply.text()) : state::working;
   if (const auto id = field(reply.text(), "id"); is_number(id)) found_.self.id = id;
   if (const auto address = field(reply.text(), "addr"); is_tcp_address(address)) found_.self.address = address;
   return state::working;
}

handshake::state handshake::on_server_info(const value_view& reply) {
   if (reply.is_error()) return passes(reply.text()) ? on_passing(reply.text()) : state::working;
   found_.self.run_id = info_value(reply.text(), "run_id");
   return state::working;
}

handshake::state handshake::on_kill(const value_view& reply) {
   const bool is_count = reply.kind() == kind::integer;
   const bool comes_later = reply.is_error() && passes(reply.text());  // better late and fenced
   std::string refused = reply.is_error() ? kept_words(reply.text()) : "its answer to CLIENT KILL is no number";
   kills_.answered(is_count || comes_later ? std::string() : std::move(refused));
   return comes_later ? on_passing(reply.text()) : state::working;
}

handshake::state handshake::on_passing(std::string_view text) {
   if (!allow_busy_server_) return fail_by(text);
   found_.without_identity = true;
   return state::working;
}

handshake::state handshake::fail(errc code, std::string text, std::string_view server_text, bool final) {
   problem_ = {code, std::move(text), kept_words(server_text), final};
   return set_state(state::failed);
}

// Something answers, but not as a Redis would.
handshake::state handshake::fail_as_no_server(const value_view& reply, std::string_view question) {
   if (reply.kind() == kind::array && reply.size() != 0 && reply[0].text() == question) {
      return fail(errc::protocol_error, "it sends back what it is sent: an echo service, and no Redis server", {},
                  true);
   }
   return fail(errc::protocol_error, "its answer to " + std::string(question) + " is none that a Redis server gives",
               {}, true);
}

handshake::state handshake::fail_by(std::string_view text) {
   if (text == "is a Sentinel") {
      return fail(errc::invalid_argument,
                  "that is a Sentinel, not a Redis server: write redis+sentinel://HOST:PORT/MASTER", {}, true);
   }
   const auto proof = classify_error(text, false, false, true);
   switch (proof.cls) {
      case reply_class::wrong_password:
         return fail(errc::authentication_failed, "it refused the user name or password", text, true);
      case reply_class::not_authenticated:
         return fail(errc::authentication_failed, "it demands a password, and none is configured", text, true);
      case reply_class::refused:
         // It is full, which passes; or in protected mode, which does not.
         return fail(errc::refused, "it turned the connection away", text, text.starts_with("DENIED"));
      default: break;
   }
   const bool out_of_range = text.find("DB index is out of range") != std::string_view::npos;
   return fail(out_of_range ? errc::invalid_argument : errc::server_error, "the handshake was answered with an error",
               text, out_of_range);
}

}  // namespace holdfast::impl
