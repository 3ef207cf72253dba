// A connection of the tracker to a server. It asks for the node's role, and then it stays: its end is the first sign
// that the node was promoted, because Sentinel ends a node's connections in the transaction that makes it a master
// (sentinelSendSlaveOf in Redis' sentinel.c). One question is
//
//    [AUTH] [CLIENT SETNAME]  HELLO       a user needs no permission for it, and a busy server answers it
//
// or, where HELLO is unknown, ROLE, or else INFO replication; these come first where it must be known whom a node
// follows.
#pragma once

#include "topology/sentinel/checked_connection.hpp"

#include <holdfast/command.hpp>
#include <holdfast/endpoint.hpp>
#include <holdfast/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::impl {

class role_connection {
 public:
   enum class event : std::uint8_t {
      nothing,  // all that came was read
      role,     // `role` is new
      failed,   // the connection is closed; `problem` says why
   };

   role_connection(const sentinel_settings&, wish_list&, const limits&);

   checked_connection connection;

   void dial(const endpoint& where, time_point now);
   void opened(time_point now);  // asks at once
   void ask(time_point now);     // once more, unless a question is under way
   event take(time_point now);
   event check(time_point now, bool late);  // failed, or nothing; after a silence it asks again
   void lost(std::string why) { fail(std::move(why)); }

   bool is_known() const { return known_ && connection.is_open(); }
   const std::string& role() const { return role_; }  // "master", "slave"
   // Of a slave, where ROLE or INFO told it: its master.
   const endpoint& follows() const { return follows_; }
   const std::string& problem() const { return problem_; }

 private:
   enum class expect : std::uint8_t { auth, name, role };
   enum class question : std::uint8_t { hello, role, info };

   void send(expect, const command&, time_point now);
   void write_question(time_point now);
   std::optional<question> next_question() const;
   event take_reply(value_view reply, time_point now);
   event take_role(value_view reply, time_point now);
   bool read_role(value_view reply);
   event fail(std::string why);

   const sentinel_settings* settings_;
   question asks_ = question::hello;  // what this node answers
   std::vector<expect> expected_;
   bool known_ = false;
   std::string role_;
   endpoint follows_;
   std::string problem_;
};

}  // namespace holdfast::impl
