// The blocking client: a failover is latency, not an error.
#pragma once

#include <holdfast/call_options.hpp>
#include <holdfast/calls.hpp>
#include <holdfast/command.hpp>
#include <holdfast/config.hpp>
#include <holdfast/dedicated_client.hpp>
#include <holdfast/deployment.hpp>
#include <holdfast/endpoint.hpp>
#include <holdfast/result.hpp>
#include <holdfast/stats.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

namespace holdfast {

namespace impl {
class client_lane;
}

// A connection to a master, wherever the master is. Each command is answered by the rightful master within its
// deadline, or comes back with an error that says truthfully whether it ran (error::outcome).
//
// One thread at a time; a client for each thread is cheap, and cheaper still for the Sentinels where all share a
// `deployment`. A call while another one is inside, of another thread or of this client's own observer, answers
// errc::concurrent_use, not executed (`wait_for_events` throws it); nothing guards a client that is moved or destroyed
// meanwhile.
//
// After a fork both processes may go on with it, if no call was under way: in the child it begins anew, with
// connections of its own and what callers had changed by SELECT, AUTH, HELLO or CLIENT SETNAME, and closes what it
// inherited without a byte, with its first call or its end. That of a deployment with Sentinels answers
// errc::not_supported there.
//
// There is no background thread, but for that of a shared deployment: everything is done in the caller's
// thread, inside the calls. A call first takes in what arrived since the last one, so that a client that was
// idle through a failover does not send to the old master. Between calls nothing happens, and no server expects
// anything.
//
// The constructors do not touch the network; they throw `failure` (errc::invalid_argument) for a bad URI or
// configuration. Calls do not throw for anything that servers or the network do.
class client : public calls<client> {
 public:
   explicit client(std::string_view uri);
   explicit client(config);
   // Led by the deployment (deployment.hpp), which it keeps alive. Throws std::system_error, too, where the process
   // has no descriptor or no thread left.
   explicit client(const deployment&);
   // The same with settings of its own. Where and how the Sentinels are asked is the deployment's affair: `sentinels`,
   // `master` and `server` are left empty or are the deployment's own (else errc::invalid_argument), and
   // `sentinel_username`, `sentinel_password`, `sentinel_timeout`, `cutover`, `warm_replicas`, `hold_on_selected` and
   // `follow_role_hint` have no effect. All else is as it is given, `username` and `password` too: begin with
   // `deployment::settings()`. The observer is told of this client's connections and commands, in its caller's thread.
   client(const deployment&, config);
   client(client&&) noexcept;
   client& operator=(client&&) noexcept;
   // Closes the connections (where a dedicated_client lives on, with that), waits for nothing (but the last of a
   // deployment: deployment.hpp).
   ~client();

   // A connection of its own (dedicated_client.hpp), for the same thread. Touches no network, and does not throw.
   dedicated_client dedicated();

   // ---- where things are ----
   // The present master, found and verified (connected to) if need be. The deadline is that of the whole call; unset, a
   // command's default.
   result<endpoint> master(const call_options& = {});
   // Waits for whatever happens next in the deployment and tells the observer, for at most `at_most`, or until `stop`
   // is requested. Useful with an observer only. Throws `failure` where other members would answer errc::concurrent_use
   // or errc::not_supported, and std::system_error if the process has no descriptor left for `stop`.
   void wait_for_events(time_span at_most, const std::stop_token& stop = {});
   // The numbers of what it has done so far. From any thread, also while another one is in a call, and at no cost for
   // that one. In a forked child it begins anew with the first call.
   holdfast::stats stats() const;

 private:
   friend calls<client>;
   void run_into(const command&, result<value>& reply, const impl::reply_reader&, const call_options&);
   void run_list_into(std::span<const command>, std::vector<result<value>>& replies, const call_options&);
   void run_list_into(std::span<const command>, const impl::list_places&, const call_options&);
   friend class impl::client_lane;
   struct body;
   std::shared_ptr<body> body_;  // its own, and its lanes'
};

}  // namespace holdfast
