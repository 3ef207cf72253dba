// The words of error.hpp. Inline, because <holdfast/retry.hpp> is to be used without linking anything.
#pragma once

#include <holdfast/error.hpp>

#include <cstdio>

namespace holdfast {
namespace detail {

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
      }
      return "unknown error";
   }
};

// One line whatever the bytes are: nothing that a server sent can move a terminal's cursor or forge a log line.
inline void append_printable(std::string& out, std::string_view text) {
   for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && byte != 0x7f) {
         out += c;
         continue;
      }
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
      out += escaped;
   }
}

}  // namespace detail

inline const std::error_category& error_category() noexcept {
   static const detail::category instance;
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
      detail::append_printable(line, server_text);
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
      detail::append_printable(line, cause);
      separator = "; ";
   }
   if (!causes.empty()) line += ")";
   return line;
}

}  // namespace holdfast
