#include "lane/pacing.hpp"

#include <utility>

namespace holdfast::impl {
namespace {

bool is_no_master(reply_class c) {
   using enum reply_class;
   return c == readonly || c == master_down || c == demoted;
}

}  // namespace

bool says_no_master(std::string_view text) {
   const bool of_exec = text.starts_with("EXECABORT");
   return is_no_master(classify_error(text, !of_exec, of_exec, false).cls);
}

std::string pacing::text(reason r, const gate& at) const {
   switch (r) {
      case reason::leaving: return leaving_why_;
      case reason::idle_test: return "the connection was idle for long, and a PING that tests it is not answered";
      case reason::multi_test: return "held back, because a MULTI that tests the connection is not answered";
      case reason::promotion: return "held back, because another node is about to be promoted";
      case reason::pause: return "held back, because an earlier command was answered " + at.words();
      case reason::doubt:
      case reason::none: break;
   }
   return {};
}

void pacing::begin() {
   leaving_ = tests_idle_ = first_reply_ = false;
   multi_test_ = {};
}

void pacing::leave_soon(std::string why, time_point now) {
   if (leaving_) return;
   leaving_ = true;
   leaving_since_ = now;
   leaving_why_ = std::move(why);
}

bool pacing::is_worth_leaving(reply_class c, bool roles_matter, time_point now) {
   if (roles_matter || !is_no_master(c)) return true;
   if (now - last_left_ < std::chrono::seconds(1)) return false;
   last_left_ = now;
   return true;
}

}  // namespace holdfast::impl
