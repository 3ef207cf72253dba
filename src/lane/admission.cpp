#include "lane/admission.hpp"

namespace holdfast::impl {
namespace {

// Why a command of this role can't be sent by itself; empty if it can.
std::string_view advice(command_role role) {
   switch (role) {
      case command_role::multi:
      case command_role::exec:
      case command_role::discard: return "give MULTI ... EXEC as one list: run(std::vector<command>{...})";
      case command_role::watch:
      case command_role::unwatch:
         return "WATCH needs a connection of its own: use client::dedicated(), or a script (EVAL)";
      case command_role::subscribe: return "not yet: subscriptions need a connection of their own";
      case command_role::monitor: return "MONITOR turns the connection into a stream: use redis-cli monitor";
      case command_role::client_reply: return "CLIENT REPLY changes how many replies come, so none could be matched";
      case command_role::reset:
         return "RESET drops the state that Holdfast keeps for the connection: make a new client";
      case command_role::quit: return "the connection ends with the client: let it go out of scope";
      case command_role::replication: return "it turns the connection into a replica's link";
      default: return {};
   }
}

error refused(const command& c, errc code, std::string_view why) {
   error e(code, outcome::not_executed);
   e.causes.push_back(to_string(c) + ": " + std::string(why));
   return e;
}

// The connection of many callers is nobody's own.
std::string_view advice_where_shared(command_role role) {
   switch (role) {
      case command_role::select:
         return "the connection is shared: name the database in the URI, or use a client of its own";
      case command_role::auth:
      case command_role::hello:
         return "the connection is shared: name user and password in the URI, or use a client of its own";
      case command_role::set_name:
         return "the connection is shared: set config::client_name, or use a client of its own";
      case command_role::wait:
         return "the connection is shared, and WAIT is about the writes of its own: use a client of its own";
      case command_role::connection: return "the connection is shared: use a client of its own";
      default: return {};
   }
}

std::string_view advice(const command_entry* entry, lane_use use) {
   if (use == lane_use::shared) {
      if (const auto why = advice_where_shared(role_of(entry)); !why.empty()) return why;
   }
   if (entry != nullptr && (entry->name == "client|tracking" || entry->name == "client|caching")) {
      return "not yet: invalidations are not delivered";
   }
   if (entry != nullptr && entry->name == "script|debug") {
      return "SCRIPT DEBUG makes the connection a debugger's: use redis-cli --ldb";
   }
   return advice(role_of(entry));
}

std::optional<error> refuse_transaction(const operation& op, lane_use use) {
   if (role_of(op.entry) != command_role::multi) {
      return refused(op.commands.front(), errc::invalid_argument, "a transaction begins with MULTI");
   }
   // A server refuses such a MULTI, and runs the members one by one; after such a DISCARD it stays in the transaction.
   for (const command* c : {&op.commands.front(), &op.commands.back()}) {
      if (c->size() != 1) return refused(*c, errc::invalid_argument, "MULTI, EXEC and DISCARD take no arguments");
   }
   for (const command& c : op.commands.subspan(1, op.commands.size() - 2)) {
      if (const auto why = advice(find_command(c), use); !why.empty()) return refused(c, errc::not_supported, why);
   }
   const auto last = role_of(find_command(op.commands.back()));
   if (last != command_role::exec && last != command_role::discard) {
      return refused(op.commands.back(), errc::invalid_argument, "a transaction ends with EXEC or DISCARD");
   }
   return {};
}

}  // namespace

std::optional<error> admission_problem(const operation& op, lane_use use) {
   const command& first = op.commands.front();
   for (const command& c : op.commands) {
      if (c.size() != 0) continue;
      error e(errc::invalid_argument, outcome::not_executed);
      e.causes.emplace_back("a command without a name: it was moved from");
      return e;
   }
   if (op.delivery == delivery::exactly_once) {
      return refused(first, errc::not_supported, "delivery exactly_once is not built yet");
   }
   if (op.is_transaction()) return refuse_transaction(op, use);
   const auto why = advice(op.entry, use);
   if (why.empty()) return {};
   const auto role = role_of(op.entry);
   if (use == lane_use::own && (role == command_role::watch || role == command_role::unwatch)) return {};
   return refused(first, errc::not_supported, why);
}

}  // namespace holdfast::impl
