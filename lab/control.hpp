// The lab's own connections, to steer servers and to check what they hold. Made of hiredis, on purpose: a checker that
// shared code with the client would share its mistakes.
#pragma once

#include "lab/await.hpp"

#include <holdfast/endpoint.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

struct redisContext;

namespace holdfast::lab {

struct credentials {
   std::string username = {};  // empty: the default user
   std::string password = {};  // empty: no AUTH at all
};

// A reply of RESP2.
struct reply {
   enum class type { nil, integer, text, status, error, array };
   type kind = type::nil;
   long long integer = 0;
   std::string text = {};  // of text, status and error
   std::vector<reply> elements = {};

   bool is_error() const { return kind == type::error; }
   bool is_nil() const { return kind == type::nil; }
   // "role" -> "master" in a flat array of pairs, as SENTINEL MASTER answers; empty if it is not there.
   std::string field(const std::string& name) const;
};

// No connection, no answer in time, or (from `run`) an error reply.
class control_error : public std::runtime_error {
 public:
   using std::runtime_error::runtime_error;
};

// One connection, blocking, used by one thread at a time. Every wait is limited by `timeout`.
class control {
 public:
   // Connects and authenticates; throws control_error.
   explicit control(const endpoint& where, const credentials& who = {}, milliseconds timeout = milliseconds(2000));

   // The reply, whatever it is; throws control_error if there is none. After that the connection is of no more use.
   reply ask(const std::vector<std::string>& command);
   // The same, but an error reply throws too.
   reply run(const std::vector<std::string>& command);
   // Many commands in one go; an error reply throws.
   std::vector<reply> run_all(const std::vector<std::vector<std::string>>& commands);

   // What the server sends of itself (MONITOR, messages): the next, or nothing if none has come within `patience`.
   // Throws control_error when the connection has ended.
   std::optional<reply> told(milliseconds patience);

   bool pongs();
   std::string role();                                                     // "master", "slave", "sentinel"
   std::string info(const std::string& section, const std::string& name);  // empty if it is not there
   long long client_id();

   const endpoint& where() const { return where_; }
   int descriptor() const;  // to wait for its end with poll()

 private:
   struct closer {
      void operator()(redisContext*) const;
   };
   void append(const std::vector<std::string>& command);
   reply take();

   endpoint where_;
   std::unique_ptr<redisContext, closer> context_;
};

}  // namespace holdfast::lab
