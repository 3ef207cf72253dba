#include "topology/sentinel/checked_connection.hpp"

#include <holdfast/command.hpp>

#include <chrono>

namespace holdfast::impl {

std::string auth_bytes(const sentinel_settings& s) {
   if (s.password.empty()) return {};
   const auto c = s.username.empty() ? command{"AUTH", s.password} : command{"AUTH", s.username, s.password};
   return std::string(c.bytes());
}

std::string checked_connection::overdue_text() const {
   const auto ms = [](duration d) {
      return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
   };
   const std::string text = (is_open() ? "no answer within " : "no connection within ") + ms(passed_);
   return longest_ == timeout_ ? text : text + ", where sentinel_timeout is " + ms(timeout_);
}

void checked_connection::dial(const endpoint& where, time_point now) {
   link.dial(where);
   phase_ = phase::dialing;
   retry_at_ = never;
   tried_at_ = now;
   unanswered_ = 0;
   excused_ = false;
   give_up_at_ = after(now, patience_);
}

void checked_connection::opened(time_point now) {
   if (2 * (now - tried_at_) > patience_) measured(now - tried_at_);
   phase_ = phase::open;
   heard_at_ = now;
   excused_ = false;
   give_up_at_ = never;
}

void checked_connection::close() {
   link.close();
   phase_ = phase::resting;
   retry_at_ = never;
   give_up_at_ = never;
   unanswered_ = 0;
}

void checked_connection::send(std::string_view bytes, unsigned answers, time_point now) {
   link.write(bytes);
   if (unanswered_ == 0) {
      give_up_at_ = after(now, patience_);
      asked_at_ = now;
   }
   unanswered_ += answers;
   asked_ += answers;
}

void checked_connection::heard(time_point now, bool an_answer) {
   heard_at_ = now;
   excused_ = false;
   if (an_answer && unanswered_ != 0) {
      --unanswered_;
      if (asked_at_ != never) measured(now - asked_at_);
      asked_at_ = never;
   }
   give_up_at_ = unanswered_ == 0 ? never : after(now, patience_);
}

bool checked_connection::overdue(time_point now, bool late) {
   if (now < give_up_at_) return false;
   if (!late || excused_) {
      passed_ = patience_;
      patience_ = std::min(2 * patience_, longest_);
      return true;
   }
   excused_ = true;
   give_up_at_ = after(now, patience_);
   return false;
}

checked_connection::due checked_connection::check(time_point now, bool late) {
   switch (phase_) {
      case phase::resting: return now >= retry_at_ ? due::dial : due::nothing;
      case phase::dialing: return overdue(now, late) ? due::connect_timeout : due::nothing;
      case phase::open: break;
   }
   if (unanswered_ != 0) return overdue(now, late) ? due::answer_timeout : due::nothing;
   return now >= after(heard_at_, ping_) ? due::ping : due::nothing;
}

time_point checked_connection::deadline() const {
   switch (phase_) {
      case phase::resting: return retry_at_;
      case phase::dialing: return give_up_at_;
      case phase::open: break;
   }
   return unanswered_ != 0 ? give_up_at_ : after(heard_at_, ping_);
}

}  // namespace holdfast::impl
