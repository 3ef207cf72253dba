// The words of error.hpp. Inline, because <holdfast/retry.hpp> is to be used without linking anything.
#pragma once

#include <holdfast/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace holdfast {
namespace impl {

struct category final : std::error_category {
   const char* name() const noexcept override { return "holdfast"; }
   std::string message(int code) const override {
      switch (static_cast<errc>(code)) {
         case errc::deadline_exceeded: return "deadline exceeded";
         case errc::connection_lost: return "connection lost";
         case errc::no_sentinel: return "no Sentinel reachable";
         case errc::unknown_master: return "no Sentinel knows a master of that name";
         case errc::no_master: return "no master reachable";
         case errc::refused: return "the server refused the connection";
         case errc::authentication_failed: return "authentication failed";
         case errc::server_error: return "the server answered an error";
         case errc::protocol_error: return "not the Redis protocol";
         case errc::queue_full: return "too many commands are waiting";
         case errc::limit_exceeded: return "over a limit";
         case errc::circuit_open: return "circuit breaker open";
         case errc::retry_budget_exhausted: return "retry budget exhausted";
         case errc::cancelled: return "cancelled";
         case errc::not_durable: return "too few replicas acknowledged";
         case errc::not_supported: return "not supported";
         case errc::type_mismatch: return "the reply has another type";
         case errc::invalid_argument: return "invalid argument";
         case errc::concurrent_use: return "the client is in use already";
      }
      return "unknown error";
   }
};

// The bytes of the well-formed UTF-8 sequence at the beginning of `text`; 0 if there is none (overlong forms,
// surrogates and what lies beyond U+10FFFF are not well-formed).
inline std::size_t utf8_length(std::string_view text) noexcept {
   const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
   if (text.empty()) return 0;
   const unsigned lead = byte(0);
   if (lead < 0x80) return 1;
   const std::size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
   if (length == 0 || length > text.size()) return 0;
   const unsigned least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
   const unsigned most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
   if (byte(1) < least || byte(1) > most) return 0;
   for (std::size_t i = 2; i < length; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return 0;
   }
   return length;
}

// One line of UTF-8 whatever the bytes are: nothing that a server sent can move a terminal's cursor or forge a log
// line. Escaped is what is no UTF-8, and each control character: also those from U+0080 on, one of which begins a
// terminal's commands as the escape character does. `quoted`: ASCII, for between quotes, which it escapes, too.
inline void append_printable(std::string& out, std::string_view text, bool quoted = false) {
   while (!text.empty()) {
      const char first = text[0];
      const auto lead = static_cast<unsigned char>(first);
      const std::size_t length = quoted ? lead < 0x80 : utf8_length(text);
      const std::string_view bytes = text.substr(0, std::max<std::size_t>(length, 1));
      const bool control = lead < 0x20 || lead == 0x7f || (length == 2 && lead == 0xc2 && (text[1] & 0x60) == 0);
      if (quoted && (first == '\r' || first == '\n')) {
         out += first == '\r' ? "\\r" : "\\n";
      } else if (length != 0 && !control) {
         if (quoted && (first == '"' || first == '\\')) out += '\\';
         out += bytes;
      } else {
         for (const char c : bytes) {
            char escaped[5];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
            out += escaped;
         }
      }
      text.remove_prefix(bytes.size());
   }
}

}  // namespace impl

inline const std::error_category& error_category() noexcept {
   static const impl::category instance;
   return instance;
}

inline std::string_view to_string(outcome o) {
   switch (o) {
      case outcome::not_executed: return "not_executed";
      case outcome::unknown: return "unknown";
      case outcome::executed: return "executed";
   }
   return "?";
}

inline std::string error::what() const {
   std::string line = code_.message();
   if (!server_text.empty()) {
      line += ": ";
      impl::append_printable(line, server_text);
   }
   line += "; outcome ";
   line += to_string(outcome);
   if (!where.empty()) line += " at " + to_string(where);
   if (attempts != 0) line += attempts == 1 ? ", sent once" : ", sent " + std::to_string(attempts) + " times";
   if (elapsed.count() != 0) {
      line +=
         ", after " + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()) + " ms";
   }
   const char* separator = " (";
   for (const std::string& cause : causes) {
      line += separator;
      impl::append_printable(line, cause);
      separator = "; ";
   }
   if (!causes.empty()) line += ")";
   return line;
}

}  // namespace holdfast
