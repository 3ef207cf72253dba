// What went wrong, and whether the command ran.
#pragma once

#include <holdfast/endpoint.hpp>
#include <holdfast/text_list.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace holdfast {

class value;

// Whether the failed command ran. The three-valued answer is the heart of the library; it is never guessed.
enum class outcome {
   not_executed,  // certain: no server ran it, nor will one later
   unknown,       // it may have run: it was written whole, and no reply came
   executed,      // certain: it ran, wholly or in part; what failed came after (or inside a script)
};

std::string_view to_string(outcome);

// Why it failed. An std::error_code of category `error_category()`.
enum class errc {
   deadline_exceeded = 1,   // the command's deadline passed; `causes` tells what it was waiting for
   connection_lost,         // the connection ended before the reply came
   no_sentinel,             // no Sentinel of the list could be reached
   unknown_master,          // the Sentinels answer, but know no master of that name
   no_master,               // a master is named, but none could be reached or verified
   refused,                 // the server turned the connection away (e.g. "max number of clients reached")
   authentication_failed,   // wrong user or password, or one is demanded and none is configured
   server_error,            // the server answered an error; its words are in `server_text`
   protocol_error,          // what came back is not the Redis protocol, or not an answer that fits
   queue_full,              // too many commands, or bytes, are waiting already (config::limits)
   limit_exceeded,          // a single command or reply is over a limit (config::limits)
   circuit_open,            // the circuit breaker is open
   retry_budget_exhausted,  // it would be safe to send it again, but too much was sent again lately
   cancelled,               // the caller's stop token asked for it
   not_durable,             // it ran, but fewer replicas than asked for acknowledged it
   not_supported,           // not possible through this call, or not built yet; `what()` says which
   type_mismatch,           // the reply is not of the type that was asked for
   invalid_argument,        // the configuration, the URI or the command is malformed
   concurrent_use,  // another call is in this client already: of another thread, or of the one whose observer calls
};

const std::error_category& error_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }

// A failed command (or configuration). Copyable, cheap to move. `server_text` is untrusted: it is what a server sent.
// Neither it nor `causes` shows a configured password, nor a value of the command: of a command its name, its keys and
// how long its other arguments are.
class error {
 public:
   explicit error(std::error_code code, holdfast::outcome o = holdfast::outcome::unknown) : outcome(o), code_(code) {}
   error(std::error_code code, holdfast::outcome o, std::string cause) : error(code, o) {
      causes.push_back(std::move(cause));
   }

   std::error_code code() const { return code_; }  // an errc, or a system error

   // One readable line: what happened, whether it ran, where, and the causes. Control characters that a server sent are
   // shown escaped.
   std::string what() const;

   holdfast::outcome outcome;
   endpoint where = {};                      // the server concerned; empty if there was none
   unsigned attempts = 0;                    // times the command was written
   std::chrono::nanoseconds elapsed = {};    // since the command was given to us
   std::string server_text = {};             // the server's own words, untrusted; of long ones some 200 bytes
   text_list causes = {};                    // one for each Sentinel asked, connection tried, ...
   std::shared_ptr<const value> reply = {};  // null unless it ran and only acks fell short
   unsigned replicas_acked = 0;              // meaningful with errc::not_durable

 private:
   std::error_code code_;
};

// What `result::value()` throws: the same error as an exception.
class failure : public std::runtime_error {
 public:
   explicit failure(holdfast::error e)
      : std::runtime_error(e.what()), error_(std::make_shared<holdfast::error>(std::move(e))) {}
   const holdfast::error& error() const noexcept { return *error_; }

 private:
   std::shared_ptr<const holdfast::error> error_;  // shared: copying an exception must not throw
};

}  // namespace holdfast

template <>
struct std::is_error_code_enum<holdfast::errc> : std::true_type {};

#include <holdfast/detail/error_text.hpp>
