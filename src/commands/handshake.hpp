// The one handshake: what is said first on a connection. Replies in, commands out; the owner has the link.
//
//    lane       HELLO (protocol, user, name, and the node's role), CLIENT INFO and INFO server (who the client is to
//               the server, and which process that is, so that this connection can be fenced one day), the fence of the
//               one before, SELECT: all in one write, one wait
//    role       [AUTH] [CLIENT SETNAME] HELLO, for which a user needs no permission, and which a busy server answers;
//               or, where that does not tell the role, ROLE, or else INFO replication
//    follows    the same, but HELLO comes last: it does not tell which node a replica follows
//    sentinel   [AUTH] SENTINEL MYID
//
// A server that refuses a lane's HELLO, in whatever words, is asked again the old way: AUTH, ROLE, ... Some proxies
// close the connection instead, as a server does that is about to go: which of the two it is the next tries find out
// (`way`).
#pragma once

#include "commands/connection_kills.hpp"
#include "commands/session.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/error.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::impl {

class handshake {
 public:
   enum class state : std::uint8_t { working, ready, failed };
   enum class subject : std::uint8_t { lane, role, follows, sentinel };

   // How a lane's connection is begun. Each is for a server that closes the connection where the one before is tried.
   enum class way : std::uint8_t {
      hello,
      careful,  // PING first: what closes the connection then is HELLO
      old,      // AUTH, ROLE, ...
      bare,     // AUTH and PING alone, where no role is needed: nobody is known, so nothing can be fenced
   };

   struct problem {
      errc code = errc::no_master;
      std::string text;         // plain words
      std::string server_text;  // the server's, untrusted
      bool final = false;       // trying again can't help as far as can be known: a wrong password, no Redis at all
   };

   struct options {
      subject asks = subject::lane;
      // Of a lane.
      way begins = way::hello;
      bool need_role = true;
      // Commands that wait may run while a script holds the server up (SCRIPT KILL), when it tells nobody who he is,
      // and ends nobody's connection. Then the handshake ends without that, and without the fence: `without_identity`.
      bool allow_busy_server = false;
   };

   // `earlier`: the connections that are to be fenced if they led to this process.
   void begin(const session&, options, std::vector<earlier_connection> earlier = {});
   // Once more, where it is ready, by the question that the node answers.
   void ask_role();
   // Takes the next reply; there may be more output then.
   state resume(const value_view& reply);
   // Commands that are to be written now.
   std::string take_output() { return std::exchange(output_, {}); }
   std::size_t unanswered() const { return steps_.size() - next_; }

   state now() const { return state_; }
   const problem& failure() const { return problem_; }
   // The server's words, untrusted; empty if HELLO was not refused.
   const std::string& hello_refusal() const { return found_.hello_refusal; }
   way how() const { return options_.begins; }
   // The way for the next connection, if the server has closed this one now.
   way after_close() const;
   bool resp3() const { return found_.resp3; }
   bool without_identity() const { return found_.without_identity; }
   // "master", "slave", "sentinel" (and of a lane "replica"); empty if it was not told
   const std::string& role() const { return found_.role; }
   const endpoint& follows() const { return found_.follows; }  // of a slave, where ROLE or INFO told it: its master
   const identity& self() const { return found_.self; }        // as far as the server tells
   // Fates of the earlier connections, in their order; once it is ready, and not `without_identity`.
   const std::vector<earlier_connection>& earlier() const { return kills_.all(); }

 private:
   enum class step : std::uint8_t {
      ping,
      hello,
      auth,
      second_auth,
      role,
      replication,
      set_name,
      client_info,
      server_info,
      kill,
      select,
      sentinel_id
   };
   state set_state(state s) { return state_ = s; }
   bool is_of_lane() const { return options_.asks == subject::lane; }
   void write_life_test();
   void write_hello();
   void write_old_way();
   void write_auth();
   void write_name();
   void write_rest();
   void write_role_question();
   void send(step, const command&);
   state take(step, const value_view&);
   state on_hello(const value_view&);
   state on_hello_error(std::string_view text);
   state on_ping_error(std::string_view text);
   state on_auth(const value_view&);
   state on_role(const value_view&);
   state on_role_error(std::string_view text);
   state on_role_question(const value_view&);
   state on_client_info(const value_view&);
   state on_server_info(const value_view&);
   state on_sentinel_id(const value_view&);
   state on_kill(const value_view&);
   state on_passing(std::string_view text);
   bool read_role(step, const value_view&);
   bool is_turned_away(std::string_view text) const;
   state fail(errc, std::string text, std::string_view server_text, bool final);
   state fail_as_sentinel();
   state fail_by(std::string_view server_text);
   state fail_as_no_server(const value_view& reply, std::string_view question);

   session session_;
   options options_;
   std::string output_;
   std::vector<step> steps_;
   std::size_t next_ = 0;
   step question_ = step::hello;  // for the role; of a `role` or `follows`
   state state_ = state::working;
   bool lives_ = false;    // the careful way: PING is answered
   bool old_way_ = false;  // HELLO was refused: the rest of the first batch is passed over
   std::string auth_refused_;
   struct findings {
      std::string hello_refusal;
      bool resp3 = false;
      std::string role;
      endpoint follows;
      identity self;
      bool without_identity = false;
   };
   findings found_;  // what the server has told
   connection_kills kills_;
   bool process_known_ = false;  // all of the batch is answered: the run id, too, if ever
   problem problem_;
};

}  // namespace holdfast::impl
