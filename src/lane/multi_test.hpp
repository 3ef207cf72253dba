// Whether a connection takes MULTI and EXEC, found out before its first transaction by an empty one. Where MULTI alone
// is refused (by an ACL, by a proxy), the members behind it would run one by one.
#pragma once

#include "commands/error_reply.hpp"
#include "commands/shown.hpp"
#include "resp/kind_and_size.hpp"

#include <holdfast/value.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace holdfast::impl {

class multi_test {
 public:
   enum class state { untried, asked, allowed };
   struct finding {
      bool allowed = false;
      bool is_inside = false;  // MULTI was taken and EXEC refused: what is sent now may be queued for ever
      bool leaves = false;     // by this connection; a new one may be taken better
      std::string said = {};
      reply_class cls = reply_class::deterministic;
   };

   state now() const { return state_; }
   static constexpr std::string_view question = "*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n";
   void asked() {
      state_ = state::asked;
      replies_ = 0;
      found_ = {};
   }
   // It may be otherwise by now. A test that is under way goes on.
   void forget() {
      if (state_ == state::allowed) state_ = state::untried;
   }
   // Each of the two replies.
   void heard(const value_view& reply) {
      const bool of_exec = replies_++ == 1;
      if (!found_.said.empty()) return;  // MULTI was refused
      if (!reply.is_error()) {
         const bool fits = of_exec ? reply.kind() == kind::array && reply.size() == 0 : reply.text() == "OK";
         if (!fits) found_ = {.is_inside = true, .said = "an answer that does not fit: " + kind_and_size(reply)};
         return;
      }
      using enum reply_class;
      const auto c = classify_error(reply.text(), false, of_exec, true).cls;
      if (of_exec && reply.text().starts_with("EXECABORT")) return;  // refused for now, and by its own rule
      found_.said = kept_words(reply.text());
      found_.cls = c;
      found_.leaves = c == not_authenticated || c == refused;
      found_.is_inside = of_exec;
   }
   finding finish() {
      found_.allowed = found_.said.empty();
      state_ = found_.allowed ? state::allowed : state::untried;
      return std::exchange(found_, {});
   }

 private:
   state state_ = state::untried;
   unsigned replies_ = 0;
   finding found_ = {};
};

}  // namespace holdfast::impl
