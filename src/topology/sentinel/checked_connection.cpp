#include "topology/sentinel/checked_connection.hpp"

#include "topology/sentinel/sentinel_reply.hpp"

#include <chrono>
#include <utility>

namespace holdfast::impl {

checked_connection::checked_connection(const sentinel_settings& s, subject who, io_queue& io, const limits& l)
   : link(io, l, 4 * 1024),
     settings_(&s),
     subject_(who),
     patience_(is_of_sentinel() ? answer_patience(s.timeout, s.most_patience * s.timeout)
                                : answer_patience(s.node_timeout, s.node_timeout)) {}

void checked_connection::dial(const endpoint& where, time_point now) {
   link.dial(where);
   set_phase(phase::dialing);
   retry_at_ = never;
   tried_at_ = now;
   patience_.on_dial(now);
}

void checked_connection::opened(time_point now) {
   patience_.on_opened(now, now - tried_at_);
   set_phase(phase::open);
   refused_ = false;
   last_words_.clear();
   const sentinel_settings& s = *settings_;
   greeting_.begin(is_of_sentinel() ? session{.username = s.username, .password = s.password}
                                    : session{s.node_username, s.node_password, s.client_name},
                   {.asks = subject_});
   send_greeting(now);
}

void checked_connection::ask_role(time_point now) {
   greeting_.ask_role();
   send_greeting(now);
}

void checked_connection::send_greeting(time_point now) {
   const std::string bytes = greeting_.take_output();
   if (!bytes.empty()) send(bytes, static_cast<unsigned>(greeting_.unanswered()), now);
}

// Whether the handshake is over with it.
bool checked_connection::is_greeted_with(value_view reply, time_point now) {
   heard(now, true);
   if (reply.is_error()) last_words_ = shown(reply.text());
   const auto state = greeting_.resume(reply);
   send_greeting(now);
   if (state == handshake::state::failed) {
      const auto& [code, text, server_text, final] = greeting_.failure();
      if (code == errc::protocol_error)
         fail("broke the protocol: " + shown(text));
      else if (code == errc::refused)
         fail("turned the connection away: " + shown(server_text));
      else if (code == errc::authentication_failed || is_of_sentinel())
         fail("refused our user or password: " + shown(server_text), true);
      else
         fail(shown(text));
   }
   return state == handshake::state::ready;
}

void checked_connection::fail(std::string why, bool refused) {
   problem_ = std::move(why);
   refused_ = refused;
   if (is_of_sentinel()) link.pass_over();  // another one may stand behind the same name
   close();
}

void checked_connection::close() {
   link.close();
   set_phase(phase::resting);
   retry_at_ = never;
   patience_.on_closed();
}

void checked_connection::send(std::string_view bytes, unsigned answers, time_point now) {
   link.write(bytes);
   patience_.on_asked(answers, now);
}

void checked_connection::heard(time_point now, bool an_answer) {
   if (an_answer) last_words_.clear();
   patience_.on_heard(now, an_answer);
}

bool checked_connection::is_overdue(time_point now, bool late) {
   const auto passed = patience_.take_overdue(now, late);
   if (passed) fail(overdue_text(*passed));
   return passed.has_value();
}

std::string checked_connection::overdue_text(duration passed) const {
   const auto ms = [](duration d) {
      return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
   };
   const std::string text = (is_open() ? "no answer within " : "no connection within ") + ms(passed);
   return is_of_sentinel() ? text + ", where sentinel_timeout is " + ms(patience_.least()) : text;
}

time_point checked_connection::deadline() const {
   switch (phase_) {
      case phase::resting: return retry_at_;
      case phase::dialing: return patience_.give_up_at();
      case phase::open: break;
   }
   return unanswered() != 0 ? patience_.give_up_at() : after(patience_.heard_at(), settings_->ping);
}

}  // namespace holdfast::impl
