// The state of a connection that Redis keeps for it and that dies with it: replayed on every new connection. It starts
// from the configuration and follows what callers change through `run` (SELECT, AUTH, HELLO, CLIENT SETNAME).
#pragma once

#include "commands/command_table.hpp"

#include <holdfast/command.hpp>

#include <string>

namespace holdfast::impl {

struct session {
   std::string username = {};  // empty: the default user
   std::string password = {};
   std::string name = {};  // CLIENT SETNAME; empty: none
   unsigned database = 0;
   unsigned protocol = 3;

   bool authenticates() const { return !username.empty() || !password.empty(); }

   // A command of this role was answered without an error.
   void note(command_role, const command&);

   friend bool operator==(const session&, const session&) = default;
};

}  // namespace holdfast::impl
