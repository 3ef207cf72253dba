// The script that makes a connection usable: HELLO (protocol, user, name, and the node's role), CLIENT INFO and INFO
// server (who we are to the server, and which process it is, so that this connection can be fenced one day), the fence
// of the one before, SELECT: all in one write, one wait. A server that refuses HELLO, in whatever words, is asked
// again the old way: AUTH, ROLE, ... Some proxies close the connection instead, as a server does that is about to go:
// which of the two it is the next tries find out (`way`).
#pragma once

#include "lane/connection_kills.hpp"
#include "lane/session.hpp"
#include "link/outbox.hpp"

#include <holdfast/error.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::impl {

class handshake {
 public:
   enum class state : std::uint8_t { working, ready, failed };

   // How a connection is begun. Each is for a server that closes the connection where the one before is tried.
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

   // Writes the first batch. `earlier`: the connections that are to be fenced if they led to this process.
   // `allow_busy_server`: what waits to be sent may run while a script holds the server up (SCRIPT KILL), when it tells
   // nobody who he is, and ends nobody's connection. Then the handshake ends without that, and without the fence:
   // `without_identity`.
   void begin(const session&, way, std::vector<earlier_connection> earlier, bool need_role, bool allow_busy_server,
              outbox&);
   // Takes the next reply; may write another batch.
   state resume(const value_view& reply, outbox&);

   state now() const { return state_; }
   const problem& failure() const { return problem_; }
   // The server's words, untrusted; empty if HELLO was not refused.
   const std::string& hello_refusal() const { return found_.hello_refusal; }
   way how() const { return way_; }
   // The way for the next connection, if the server has closed this one now.
   way after_close() const;
   bool resp3() const { return found_.resp3; }
   bool without_identity() const { return found_.without_identity; }
   const std::string& role() const {
      return found_.role;
   }  // "master", "slave", "sentinel"; empty if it was not asked for
   const identity& self() const { return found_.self; }  // as far as the server tells
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
      select
   };
   state set_state(state s) { return state_ = s; }
   void write_life_test(outbox&);
   void write_hello(outbox&);
   void write_old_way(outbox&);
   void write_auth(outbox&);
   void write_rest(outbox&);
   void send(step, const command&, outbox&);
   state take(step, const value_view&, outbox&);
   state on_hello(const value_view&);
   state on_hello_error(std::string_view text);
   state on_ping_error(std::string_view text);
   state on_auth(const value_view&);
   state on_role(const value_view&, outbox&);
   state on_role_error(std::string_view text, outbox&);
   state on_client_info(const value_view&);
   state on_server_info(const value_view&);
   state on_kill(const value_view&);
   state on_passing(std::string_view text);
   state fail(errc, std::string text, std::string_view server_text, bool final);
   state fail_by(std::string_view server_text);
   state fail_as_no_server(const value_view& reply, std::string_view question);

   session session_;
   bool need_role_ = true;
   bool allow_busy_server_ = false;

   std::vector<step> steps_;
   std::size_t next_ = 0;
   state state_ = state::working;
   way way_ = way::hello;
   bool lives_ = false;    // the careful way: PING is answered
   bool old_way_ = false;  // HELLO was refused: the rest of the first batch is passed over
   std::string auth_refused_;
   struct findings {
      std::string hello_refusal;
      bool resp3 = false;
      std::string role;
      identity self;
      bool without_identity = false;
   };
   findings found_;  // what the server has told
   connection_kills kills_;
   bool process_known_ = false;  // all of the batch is answered: the run id, too, if ever
   problem problem_;
};

}  // namespace holdfast::impl
