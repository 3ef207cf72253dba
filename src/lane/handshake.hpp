// The script that makes a connection usable: HELLO (protocol, user, name, and the node's role), CLIENT INFO and INFO
// server (who we are to the server, and which process it is, so that this connection can be fenced one day), the fence
// of the one before, SELECT: all in one write, one wait. A server that refuses HELLO (before 6.0, or by ACL) is asked
// again the old way: AUTH, ROLE, ...
#pragma once

#include "lane/session.hpp"
#include "resp/outbox.hpp"

#include <holdfast/error.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::lane {

// A connection as the server names it: CLIENT KILL needs both, because a restarted server gives the id to a stranger,
// and because behind a relay our own view of the address is not the server's.
struct identity {
   std::string id;
   std::string address;
   std::string run_id;  // of the server's process (INFO server); empty where the server does not tell
   bool known() const { return !id.empty() && !address.empty(); }
};

class handshake {
 public:
   enum class state : std::uint8_t { working, ready, failed };

   struct problem {
      errc code = errc::no_master;
      std::string text;         // plain words
      std::string server_text;  // the server's, untrusted
      bool final = false;       // trying again can't help as far as can be known: a wrong password, no Redis at all
   };

   // Writes the first batch. `to_fence`: the earlier connection to this node whose commands may still run.
   // `busy_will_do`: what waits to be sent may run while a script holds the server up (SCRIPT KILL), when it tells
   // nobody who he is, and ends nobody's connection. Then the handshake ends without that, and without the fence:
   // `unfinished`.
   void begin(const session&, std::optional<identity> to_fence, bool need_role, bool busy_will_do, resp::outbox&);
   // Takes the next reply; may write another batch.
   state resume(const value_view& reply, resp::outbox&);

   state now() const { return state_; }
   const problem& failure() const { return problem_; }
   bool resp3() const { return resp3_; }
   bool unfinished() const { return unfinished_; }
   const std::string& role() const { return role_; }  // "master", "slave", "sentinel"; empty if it was not asked for
   const identity& self() const { return self_; }     // not known() where the server does not tell
   // The answer to the fence, if one was asked for: it holds, or why not.
   bool fence_holds() const { return fence_holds_; }
   const std::string& fence_problem() const { return fence_problem_; }

 private:
   enum class step : std::uint8_t { hello, auth, role, replication, set_name, client_info, server_info, kill, select };
   void write_first(resp::outbox&);
   void write_old_way(resp::outbox&);
   void write_rest(resp::outbox&);
   void send(step, const command&, resp::outbox&);
   state take(step, const value_view&, resp::outbox&);
   state on_hello(const value_view&);
   state on_hello_error(std::string_view text);
   state on_role_error(std::string_view text, resp::outbox&);
   state on_client_info(const value_view&);
   state on_server_info(const value_view&);
   state on_kill(const value_view&);
   state on_passing(std::string_view text);
   state fail(errc, std::string text, std::string_view server_text, bool final);
   state fail_by(std::string_view server_text);

   session session_;
   std::optional<identity> to_fence_;
   bool need_role_ = true;
   bool busy_will_do_ = false;
   bool unfinished_ = false;

   std::vector<step> steps_;
   std::size_t next_ = 0;
   state state_ = state::working;
   bool old_way_ = false;  // HELLO was refused: the rest of the first batch is passed over
   bool resp3_ = false;
   std::string role_;
   identity self_;
   bool fence_holds_ = false;
   std::string fence_problem_;
   problem problem_;
};

}  // namespace holdfast::lane
