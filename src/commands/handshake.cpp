#include "commands/handshake.hpp"

#include "commands/error_reply.hpp"
#include "commands/info_reply.hpp"
#include "commands/shown.hpp"

#include <algorithm>

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

reply_class class_of(std::string_view text) { return classify_error(text, false, false, true).cls; }

// Passes by itself, so that it is worth waiting for.
bool passes(std::string_view text) {
   return class_of(text) == reply_class::busy || class_of(text) == reply_class::loading;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// AUTH where no password is set; since Redis 6, and before.
bool demands_no_password(std::string_view text) {
   return contains(text, "without any password configured") || contains(text, "no password is set");
}

}  // namespace

void handshake::begin(const session& s, options o, std::vector<earlier_connection> earlier) {
   *this = handshake{};
   session_ = s;
   options_ = o;
   kills_ = connection_kills(std::move(earlier));
   if (!is_of_lane()) {
      old_way_ = true;
      write_auth();
      if (o.asks == subject::sentinel) return send(step::sentinel_id, command{"SENTINEL", "MYID"});
      write_name();
      question_ = o.asks == subject::role ? step::hello : step::role;
      return write_role_question();
   }
   if (session_.protocol < 3) options_.begins = std::max(o.begins, way::old);
   switch (options_.begins) {
      case way::hello: return write_hello();
      case way::careful: return write_life_test();
      case way::old: return write_old_way();
      case way::bare: break;
   }
   old_way_ = true;
   write_life_test();
   if (session_.database != 0) send(step::select, command{"SELECT", session_.database});
}

void handshake::ask_role() {
   steps_.clear();
   next_ = 0;
   set_state(state::working);
   write_role_question();
}

handshake::way handshake::after_close() const {
   const bool silent = next_ == 0;
   if (!old_way_ && !found_.hello_refusal.empty()) return way::old;
   switch (options_.begins) {
      case way::hello: return silent ? way::careful : way::hello;
      case way::careful: return silent && lives_ ? way::old : way::hello;
      case way::old: return silent && !options_.need_role ? way::bare : way::hello;
      case way::bare: break;
   }
   return way::hello;
}

void handshake::write_life_test() {
   write_auth();
   send(step::ping, command{"PING"});
}

void handshake::write_hello() {
   steps_.clear();
   next_ = 0;
   command hello{"HELLO", session_.protocol};
   if (session_.authenticates()) {
      hello.arg("AUTH").arg(session_.username.empty() ? "default" : session_.username).arg(session_.password);
   }
   if (!session_.name.empty()) hello.arg("SETNAME").arg(session_.name);
   send(step::hello, hello);
   write_rest();
}

void handshake::write_old_way() {
   old_way_ = true;
   steps_.clear();
   next_ = 0;
   auth_refused_.clear();
   write_auth();
   send(step::role, command{"ROLE"});
   write_name();
   write_rest();
}

// A server from before 6.0 knows no users. The one that it has, in a way, is "default".
void handshake::write_auth() {
   if (!session_.authenticates()) return;
   command auth{"AUTH"};
   if (!session_.username.empty()) auth.arg(session_.username);
   send(step::auth, auth.arg(session_.password));
   if (session_.username == "default") send(step::second_auth, command{"AUTH", session_.password});
}

void handshake::write_name() {
   if (!session_.name.empty()) send(step::set_name, command{"CLIENT", "SETNAME", session_.name});
}

void handshake::write_role_question() {
   if (question_ == step::hello) return send(question_, command{"HELLO"});
   send(question_, question_ == step::role ? command{"ROLE"} : command{"INFO", "replication"});
}

void handshake::write_rest() {
   send(step::client_info, command{"CLIENT", "INFO"});
   send(step::server_info, command{"INFO", "server"});
   for (const command& kill : kills_.first()) send(step::kill, kill);
   if (session_.database != 0) send(step::select, command{"SELECT", session_.database});
}

void handshake::send(step s, const command& c) {
   output_ += c.bytes();
   steps_.push_back(s);
}

handshake::state handshake::resume(const value_view& reply) {
   if (state_ != state::working) return state_;
   if (next_ == steps_.size()) return fail(errc::protocol_error, "it answered more than it was asked", {}, false);
   set_state(take(steps_[next_++], reply));
   if (state_ != state::working || next_ != steps_.size()) return state_;
   if (options_.begins == way::careful && !lives_) {
      lives_ = true;
      write_hello();
      return state_;
   }
   // HELLO was refused: the batch written with it has now been passed over, and the old way begins.
   if (!found_.resp3 && !old_way_) {
      write_old_way();
      return state_;
   }
   if (!process_known_ && !found_.without_identity) {
      process_known_ = true;
      const auto later = kills_.later(found_.self.run_id);
      for (const command& kill : later) send(step::kill, kill);
      if (!later.empty()) return state_;
   }
   kills_.conclude(found_.self.run_id);
   return set_state(state::ready);
}

handshake::state handshake::take(step s, const value_view& reply) {
   const bool passed_over = !found_.resp3 && !old_way_ && s != step::hello && s != step::ping;
   if (passed_over) return state::working;
   if (!is_of_lane() && s == question_) return on_role_question(reply);
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
         return contains(auth_refused_, "wrong number of arguments") ? on_auth(reply) : fail_by(auth_refused_);
      case step::role: return on_role(reply);
      case step::replication:
         if (!reply.is_error()) read_role(s, reply);
         if (found_.role.empty() && options_.need_role) {
            return fail(errc::no_master, "its role can't be seen: allow the user HELLO, ROLE or INFO", reply.text(),
                        true);
         }
         return state::working;
      case step::set_name: return state::working;
      case step::client_info: return on_client_info(reply);
      case step::server_info: return on_server_info(reply);
      case step::sentinel_id: return on_sentinel_id(reply);
      case step::kill: return on_kill(reply);
      case step::select:
         if (reply.is_error()) return passes(reply.text()) ? on_passing(reply.text()) : fail_by(reply.text());
         return state::working;
   }
   return state::working;  // GCOV_EXCL_LINE: each enumerator has returned before; the compiler demands it
}

// Before HELLO an error is life, unless the server turns away whoever comes.
handshake::state handshake::on_ping_error(std::string_view text) {
   const bool is_refused = class_of(text) == reply_class::refused;
   return !is_refused && (!old_way_ || passes(text)) ? state::working : fail_by(text);
}

handshake::state handshake::on_auth(const value_view& reply) {
   if (!reply.is_error()) return reply.text() == "OK" ? state::working : fail_as_no_server(reply, "AUTH");
   if (!is_of_lane() && demands_no_password(reply.text())) return state::working;
   if (!session_.username.empty() && contains(reply.text(), "wrong number of arguments")) {
      return fail(errc::authentication_failed, "it knows no user names, as Redis before 6.0: leave out the user name",
                  reply.text(), true);
   }
   return fail_by(reply.text());
}

handshake::state handshake::on_role(const value_view& reply) {
   if (reply.is_error()) return on_role_error(reply.text());
   if (read_role(step::role, reply)) return state::working;
   return found_.role == "sentinel" ? fail_as_sentinel() : fail_as_no_server(reply, "ROLE");
}

handshake::state handshake::on_role_question(const value_view& reply) {
   if (!reply.is_error() && read_role(question_, reply)) {
      if (found_.role == "replica") found_.role = "slave";
      return state::working;
   }
   if (reply.is_error() && is_turned_away(reply.text())) return fail_by(reply.text());
   const step last = options_.asks == subject::role ? step::replication : step::hello;
   if (question_ == last) return fail(errc::no_master, "it does not tell its role", reply.text(), false);
   question_ = question_ == step::hello ? step::role : question_ == step::role ? step::replication : step::hello;
   write_role_question();
   return state::working;
}

bool handshake::read_role(step s, const value_view& reply) {
   const auto text = reply.text();
   std::string_view role;
   found_.follows = {};
   if (s == step::hello) {
      role = reply.find("role").text();
   } else if (s == step::replication) {
      role = info_value(text, "role");
      found_.follows =
         read_endpoint(info_value(text, "master_host"), info_value(text, "master_port")).value_or(endpoint{});
   } else if (reply.kind() == kind::array && reply.size() != 0) {
      role = reply[0].text();
      if (reply.size() > 2)
         found_.follows = read_endpoint(reply[1].text(), std::to_string(reply[2].integer())).value_or(endpoint{});
   }
   found_.role = kept_words(role);
   return role == "master" || role == "slave" || role == "replica";
}

handshake::state handshake::on_hello(const value_view& reply) {
   if (reply.is_error()) return on_hello_error(reply.text());
   // All that is said to be a Redis tells its name, or the protocol that it goes on in. An echo does not.
   const bool names_itself = !reply.find("server").text().empty();
   const auto protocol = reply.find("proto");
   const bool names_protocol = protocol.kind() == kind::integer && (protocol.integer() == 2 || protocol.integer() == 3);
   if (reply.size() == 0 || (!names_itself && !names_protocol)) return fail_as_no_server(reply, "HELLO");
   found_.resp3 = true;
   read_role(step::hello, reply);
   if (reply.find("mode").text() == "sentinel") return fail_as_sentinel();
   return state::working;
}

// Whatever the words are, the old way is worth a try, but where it would be answered the same.
handshake::state handshake::on_hello_error(std::string_view text) {
   found_.hello_refusal = kept_words(text);
   return is_turned_away(text) ? fail_by(text) : state::working;
}

bool handshake::is_turned_away(std::string_view text) const {
   switch (class_of(text)) {
      case reply_class::wrong_password:
      case reply_class::refused:
      case reply_class::loading:
      case reply_class::busy: return true;
      case reply_class::not_authenticated: return !session_.authenticates();  // else it knows HELLO, and not its AUTH
      default: return false;
   }
}

// Not allowed, or (in front of old servers and in proxies) not known: INFO tells it too.
handshake::state handshake::on_role_error(std::string_view text) {
   if (passes(text) && !options_.need_role) return on_passing(text);
   if (class_of(text) != reply_class::no_permission && class_of(text) != reply_class::unknown_command)
      return fail_by(text);
   send(step::replication, command{"INFO", "replication"});
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

// A Sentinel before 6.2 does not tell it, nor one whose user may not ask.
handshake::state handshake::on_sentinel_id(const value_view& reply) {
   constexpr std::size_t longest_id = 64;
   if (reply.is_error()) return class_of(reply.text()) == reply_class::refused ? fail_by(reply.text()) : state::working;
   if (reply.kind() == kind::string && reply.text().size() <= longest_id) found_.self.run_id = reply.text();
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
   if (!options_.allow_busy_server) return fail_by(text);
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

handshake::state handshake::fail_as_sentinel() {
   return fail(errc::invalid_argument,
               "that is a Sentinel, not a Redis server: write redis+sentinel://HOST:PORT/MASTER", {}, true);
}

handshake::state handshake::fail_by(std::string_view text) {
   switch (class_of(text)) {
      case reply_class::wrong_password:
         return fail(errc::authentication_failed, "it refused the user name or password", text, true);
      case reply_class::not_authenticated:
         return fail(errc::authentication_failed, "it demands a password, and none is configured", text, true);
      case reply_class::refused:
         // It is full, which passes; or in protected mode, which does not.
         return fail(errc::refused, "it turned the connection away", text, text.starts_with("DENIED"));
      default: break;
   }
   const bool out_of_range = contains(text, "DB index is out of range");
   return fail(out_of_range ? errc::invalid_argument : errc::server_error, "the handshake was answered with an error",
               text, out_of_range);
}

}  // namespace holdfast::impl
