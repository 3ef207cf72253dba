// A connection that one caller has alone, beside the one of its client.
#pragma once

#include <holdfast/call_options.hpp>
#include <holdfast/calls.hpp>
#include <holdfast/command.hpp>
#include <holdfast/result.hpp>
#include <holdfast/value.hpp>

#include <memory>
#include <span>
#include <vector>

namespace holdfast {

namespace impl {
class own_lane;
}

// Made by `dedicated()` of a client; with the client's settings, deployment, retry budget and observer. What its
// connection is brought to (SELECT, AUTH, HELLO, CLIENT SETNAME: replayed on each later one) concerns no other caller,
// nor does what blocks on it. Its commands keep their order among themselves; there is none between them and those of
// other connections: a call sees what ended before it was given.
//
// From a `client` it is used in that client's thread, and only while no call of the client is under way: a call that
// meets another one answers errc::concurrent_use, not executed. It keeps alive what it needs of the client, which may
// be destroyed or moved before it. After a fork it is as the client is: in the child it begins anew, with what its
// caller had changed, and with nothing watched.
//
// WATCH is taken here, and nowhere else. MULTI ... EXEC, given as one list, then runs on the connection that watches,
// or not at all: the first one after that connection was lost answers errc::connection_lost, not executed, so that the
// caller begins again with WATCH. All other commands go on as usual, also on the next connection. EXEC answers nil
// where a watched key has changed. A transaction behind WATCH that was
// written whole and not answered is unknown, and never sent again.
//
// At its end the connection goes back to the client, for the next one who needs one (unwatched); it is closed instead
// if something is in flight on it, or if it was changed. Idle ones are closed after 60 s, by the client's next call
// then.
class dedicated_client : public calls<dedicated_client> {
 public:
   dedicated_client(dedicated_client&&) noexcept;
   dedicated_client& operator=(dedicated_client&&) noexcept;
   ~dedicated_client();

 private:
   friend calls<dedicated_client>;
   friend class client;
   explicit dedicated_client(std::unique_ptr<impl::own_lane>);
   void run_into(const command&, result<value>& reply, const impl::reply_reader&, const call_options&);
   void run_list_into(std::span<const command>, std::vector<result<value>>& replies, const call_options&);
   void run_list_into(std::span<const command>, const impl::list_places&, const call_options&);
   std::unique_ptr<impl::own_lane> lane_;
};

}  // namespace holdfast
