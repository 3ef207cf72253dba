// The client for many threads: one connection, and one thread of the library that drives it.
#pragma once

#include <holdfast/call_options.hpp>
#include <holdfast/calls.hpp>
#include <holdfast/command.hpp>
#include <holdfast/config.hpp>
#include <holdfast/deployment.hpp>
#include <holdfast/endpoint.hpp>
#include <holdfast/result.hpp>
#include <holdfast/stats.hpp>
#include <holdfast/value.hpp>

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace holdfast {

// One handle for all threads of a process. Its calls (calls.hpp) may be made by any thread at any time; each caller
// waits for its own reply, and callers that wait at the same time share one write. A failover passes also while nobody
// calls.
//
// One thread of the library does all the work, with all signals blocked: it starts with the first call and ends with
// the destructor. The observer is called in it. The observer must be quick, as all callers wait for it, and must not
// throw (the program would end). What it calls of this client answers errc::concurrent_use, not executed.
//
// Order: each call is alone. Commands that are given one after the other, each after the reply to the one before, take
// effect in that order, and so do the commands of one list; other callers' may stand between these, but not between
// MULTI and EXEC. Calls that are under way at the same time are written in the order in which they were given, and are
// ordered only where they are about the same keys once a connection was lost or a server refused them.
//
// The connection is nobody's own: SELECT, AUTH, HELLO, CLIENT SETNAME, WAIT and what else is about it answer
// errc::not_supported, not executed, and say what to use instead.
//
// A command that blocks on the server (BLPOP, XREAD BLOCK ...) holds up nobody: it has a connection of its own, of at
// most `limits.lanes`, and between connections there is no order but that a call sees what ended before it was given.
// (A list waits for its commands before and after such a one.)
//
// Bounds: as many calls as threads are waiting; of their commands at most `limits.parked_commands` (1 000 000 unless
// set) wait to be written. What is over it answers errc::queue_full, not executed, or waits for room if
// call_options::wait_for_room says so.
//
// After a fork() the child has no such thread: all calls answer errc::not_supported, not executed, there. The object
// may be destroyed; its descriptors stay open in the child until exec or its end. One that was never used works in
// both.
//
// Neither copied nor moved. No call may be under way when it is destroyed.
class shared_client : public calls<shared_client> {
 public:
   // They touch no network; they throw `failure` (errc::invalid_argument) for a bad URI or configuration. What is said
   // of `client` about a configuration beside a deployment is true here, too.
   explicit shared_client(std::string_view uri);
   explicit shared_client(config);
   explicit shared_client(const deployment&);
   shared_client(const deployment&, config);
   shared_client(const shared_client&) = delete;
   shared_client& operator=(const shared_client&) = delete;
   ~shared_client();  // closes the connections, waits for nothing but an observer

   // The present master, found and verified (connected to) if need be. The deadline is that of the whole call; unset, a
   // command's default.
   result<endpoint> master(const call_options& = {});
   // The numbers of what it has done so far, for all its callers. From any thread, and at no cost for the others.
   holdfast::stats stats() const;

 private:
   friend calls<shared_client>;
   void run_into(const command&, result<value>& reply, const impl::reply_reader&, const call_options&);
   void run_list_into(std::span<const command>, std::vector<result<value>>& replies, const call_options&);
   void run_list_into(std::span<const command>, const impl::list_places&, const call_options&);
   struct body;
   std::unique_ptr<body> body_;
};

}  // namespace holdfast
