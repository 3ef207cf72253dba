#include "lane/handshake.hpp"

#include "resp/reply_class.hpp"

namespace holdfast::lane {
namespace {

// "id=7 addr=127.0.0.1:4711 laddr=..." -> the value of `key`.
std::string field(std::string_view line, std::string_view key) {
   std::size_t at = 0;
   while (at < line.size()) {
      const std::size_t end = std::min(line.find_first_of(" \n", at), line.size());
      const std::string_view item = line.substr(at, end - at);
      if (item.starts_with(key) && item.size() > key.size() && item[key.size()] == '=') {
         return std::string(item.substr(key.size() + 1));
      }
      at = end + 1;
   }
   return {};
}

// "role:master\r\nconnected_slaves:2\r\n..." -> the value of `key`.
std::string line_of(std::string_view info, std::string_view key) {
   while (!info.empty()) {
      const std::size_t end = std::min(info.find_first_of("\r\n"), info.size());
      const std::string_view line = info.substr(0, end);
      if (line.starts_with(key) && line.substr(key.size()).starts_with(':')) {
         return std::string(line.substr(key.size() + 1));
      }
      info.remove_prefix(std::min(end + 1, info.size()));
   }
   return {};
}

// Passes by itself, so that it is worth waiting for.
bool passes(std::string_view text) {
   const auto proof = resp::classify_error(text, false, false, true);
   return proof.cls == resp::reply_class::busy || proof.cls == resp::reply_class::loading;
}

}  // namespace

void handshake::begin(const session& s, std::optional<identity> to_fence, bool need_role, bool busy_will_do,
                      resp::outbox& out) {
   *this = handshake{};
   session_ = s;
   to_fence_ = std::move(to_fence);
   need_role_ = need_role;
   busy_will_do_ = busy_will_do;
   if (session_.protocol < 3) return write_old_way(out);
   command hello{"HELLO", session_.protocol};
   if (session_.authenticates()) {
      hello.arg("AUTH").arg(session_.username.empty() ? "default" : session_.username).arg(session_.password);
   }
   if (!session_.name.empty()) hello.arg("SETNAME").arg(session_.name);
   send(step::hello, hello, out);
   write_rest(out);
}

void handshake::write_old_way(resp::outbox& out) {
   old_way_ = true;
   steps_.clear();
   next_ = 0;
   if (session_.authenticates()) {
      command auth{"AUTH"};
      if (!session_.username.empty()) auth.arg(session_.username);
      send(step::auth, auth.arg(session_.password), out);
   }
   send(step::role, command{"ROLE"}, out);
   if (!session_.name.empty()) send(step::set_name, command{"CLIENT", "SETNAME", session_.name}, out);
   write_rest(out);
}

void handshake::write_rest(resp::outbox& out) {
   send(step::client_info, command{"CLIENT", "INFO"}, out);
   send(step::server_info, command{"INFO", "server"}, out);
   if (to_fence_ && to_fence_->known()) {
      send(step::kill, command{"CLIENT", "KILL", "ID", to_fence_->id, "ADDR", to_fence_->address}, out);
   } else if (to_fence_) {
      fence_problem_ = "the server did not tell who we were (CLIENT INFO)";
   }
   if (session_.database != 0) send(step::select, command{"SELECT", session_.database}, out);
}

void handshake::send(step s, const command& c, resp::outbox& out) {
   out.append(c.bytes());
   steps_.push_back(s);
}

handshake::state handshake::resume(const value_view& reply, resp::outbox& out) {
   if (state_ != state::working) return state_;
   if (next_ == steps_.size()) return fail(errc::protocol_error, "it answered more than it was asked", {}, false);
   state_ = take(steps_[next_++], reply, out);
   if (state_ != state::working || next_ != steps_.size()) return state_;
   // HELLO was refused: the batch written with it has now been passed over, and the old way begins.
   if (!resp3_ && !old_way_) {
      write_old_way(out);
      return state_;
   }
   return state_ = state::ready;
}

handshake::state handshake::take(step s, const value_view& reply, resp::outbox& out) {
   const bool passed_over = !resp3_ && !old_way_ && s != step::hello;
   if (passed_over) return state::working;
   switch (s) {
      case step::hello: return on_hello(reply);
      case step::auth:
         if (reply.is_error()) return fail_by(reply.text());
         return state::working;
      case step::role:
         if (reply.is_error()) return on_role_error(reply.text(), out);
         if (reply.size() == 0) return fail(errc::protocol_error, "its answer to ROLE is none", {}, false);
         role_ = reply[0].text();
         if (role_ == "sentinel") return fail_by("is a Sentinel");
         return state::working;
      case step::replication:
         if (!reply.is_error()) role_ = line_of(reply.text(), "role");
         if (role_.empty() && need_role_) {
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

handshake::state handshake::on_hello(const value_view& reply) {
   if (reply.is_error()) return on_hello_error(reply.text());
   if (reply.size() == 0) return fail(errc::protocol_error, "its answer to HELLO is not a map", {}, true);
   resp3_ = true;
   role_ = reply.find("role").text();
   if (reply.find("mode").text() == "sentinel") return fail_by("is a Sentinel");
   return state::working;
}

handshake::state handshake::on_hello_error(std::string_view text) {
   if (text.starts_with("NOPROTO") || text.starts_with("NOPERM") || text.starts_with("ERR unknown command")) {
      return state::working;
   }
   return fail_by(text);
}

// Not allowed, or (in front of old servers and in proxies) not known: INFO tells it too.
handshake::state handshake::on_role_error(std::string_view text, resp::outbox& out) {
   if (passes(text) && !need_role_) return on_passing(text);
   const auto proof = resp::classify_error(text, false, false, true);
   if (proof.cls != resp::reply_class::no_permission && proof.cls != resp::reply_class::unknown_command) {
      return fail_by(text);
   }
   send(step::replication, command{"INFO", "replication"}, out);
   return state::working;
}

handshake::state handshake::on_client_info(const value_view& reply) {
   // A connection that does not know who it is can never be fenced.
   if (reply.is_error()) return passes(reply.text()) ? on_passing(reply.text()) : state::working;
   self_.id = field(reply.text(), "id");
   self_.address = field(reply.text(), "addr");
   return state::working;
}

handshake::state handshake::on_server_info(const value_view& reply) {
   if (reply.is_error()) return passes(reply.text()) ? on_passing(reply.text()) : state::working;
   self_.run_id = line_of(reply.text(), "run_id");
   return state::working;
}

// The number of connections ended: one, or none if it had ended by itself. Either way nothing of it can run any more.
handshake::state handshake::on_kill(const value_view& reply) {
   fence_holds_ = !reply.is_error();
   if (fence_holds_) return state::working;
   if (passes(reply.text())) return on_passing(reply.text());  // better late and fenced
   fence_problem_ = reply.text();
   return state::working;
}

handshake::state handshake::on_passing(std::string_view text) {
   if (!busy_will_do_) return fail_by(text);
   unfinished_ = true;
   return state::working;
}

handshake::state handshake::fail(errc code, std::string text, std::string_view server_text, bool final) {
   problem_ = {code, std::move(text), std::string(server_text), final};
   return state_ = state::failed;
}

handshake::state handshake::fail_by(std::string_view text) {
   using resp::reply_class;
   if (text == "is a Sentinel") {
      return fail(errc::invalid_argument,
                  "that is a Sentinel, not a Redis server: write redis+sentinel://HOST:PORT/MASTER", {}, true);
   }
   const auto proof = resp::classify_error(text, false, false, true);
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

}  // namespace holdfast::lane
