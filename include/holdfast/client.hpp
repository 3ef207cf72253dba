// The blocking client: a failover is latency, not an error.
#pragma once

#include <holdfast/call_options.hpp>
#include <holdfast/command.hpp>
#include <holdfast/config.hpp>
#include <holdfast/deployment.hpp>
#include <holdfast/result.hpp>
#include <holdfast/value.hpp>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

// For `client::set`. At most one of `expires` and `keep_ttl`, and at most one of the two conditions.
struct set_options {
   std::optional<time_span> expires =
      {};                    // EX or PX; above 0, to 292 years, in whole milliseconds, rounded up; unset: never
   bool keep_ttl = false;    // KEEPTTL: what remains of the present expiry stays
   bool if_absent = false;   // NX
   bool if_present = false;  // XX
};

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
class client {
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
   ~client();  // closes the connections, waits for nothing (but the last of a deployment: deployment.hpp)

   // Runs one command and waits for its reply, at most until its deadline. An error reply of the server is a failed
   // result (errc::server_error, its text in error::server_text, its outcome by what the reply proves); an error inside
   // an array is a value of kind error.
   result<value> run(const command&, const call_options& = {});

   // Runs a list: one write where it fits, one result each, in order. Each command has its own outcome. MULTI ... EXEC
   // goes whole or not at all. Give an array, a vector or a span of commands. The deadline is that of the whole call.
   template <class List>
      requires std::convertible_to<const List&, std::span<const command>>
   std::vector<result<value>> run(const List& commands, const call_options& options = {}) {
      return run_list(commands, options);
   }

   // ---- the everyday commands, typed; all others go through `run` ----
   using keys = std::initializer_list<std::string_view>;
   // Empty: no such key.
   result<std::optional<std::string>> get(std::string_view key, const call_options& o = {}) {
      return run_as<std::optional<std::string>>({"GET", key}, o);
   }
   // False: a condition of set_options was not met, and nothing was written.
   result<bool> set(std::string_view key, std::string_view value, const set_options& = {}, const call_options& = {});
   // How many there were.
   result<std::int64_t> del(std::string_view key, const call_options& o = {}) {
      return run_as<std::int64_t>({"DEL", key}, o);
   }
   result<std::int64_t> del(keys k, const call_options& o = {}) { return run_as<std::int64_t>(with({"DEL"}, k), o); }
   // How many there are.
   result<std::int64_t> exists(std::string_view key, const call_options& o = {}) {
      return run_as<std::int64_t>({"EXISTS", key}, o);
   }
   result<std::int64_t> exists(keys k, const call_options& o = {}) {
      return run_as<std::int64_t>(with({"EXISTS"}, k), o);
   }
   // False: no such key. Whole milliseconds, rounded up (PEXPIRE); zero or less deletes the key.
   // Up to 292 years: what is longer is errc::invalid_argument, not executed.
   result<bool> expire(std::string_view key, time_span, const call_options& = {});
   // The new value.
   result<std::int64_t> incr(std::string_view key, const call_options& o = {}) {
      return run_as<std::int64_t>({"INCR", key}, o);
   }
   result<std::int64_t> incr_by(std::string_view key, std::int64_t by, const call_options& o = {}) {
      return run_as<std::int64_t>({"INCRBY", key, by}, o);
   }
   result<std::optional<std::string>> hget(std::string_view key, std::string_view field, const call_options& o = {}) {
      return run_as<std::optional<std::string>>({"HGET", key, field}, o);
   }
   // True: the field is new.
   result<bool> hset(std::string_view key, std::string_view field, std::string_view value, const call_options& o = {}) {
      return run_as<bool>({"HSET", key, field, value}, o);
   }
   // The new length.
   result<std::int64_t> lpush(std::string_view key, std::string_view value, const call_options& o = {}) {
      return run_as<std::int64_t>({"LPUSH", key, value}, o);
   }
   result<std::int64_t> lpush(std::string_view key, keys values, const call_options& o = {}) {
      return run_as<std::int64_t>(with({"LPUSH", key}, values), o);
   }
   result<std::int64_t> rpush(std::string_view key, std::string_view value, const call_options& o = {}) {
      return run_as<std::int64_t>({"RPUSH", key, value}, o);
   }
   result<std::int64_t> rpush(std::string_view key, keys values, const call_options& o = {}) {
      return run_as<std::int64_t>(with({"RPUSH", key}, values), o);
   }
   // Empty: nothing was there.
   result<std::optional<std::string>> lpop(std::string_view key, const call_options& o = {}) {
      return run_as<std::optional<std::string>>({"LPOP", key}, o);
   }
   // How many are new.
   result<std::int64_t> sadd(std::string_view key, std::string_view member, const call_options& o = {}) {
      return run_as<std::int64_t>({"SADD", key, member}, o);
   }
   result<std::int64_t> sadd(std::string_view key, keys members, const call_options& o = {}) {
      return run_as<std::int64_t>(with({"SADD", key}, members), o);
   }
   // To how many subscribers; those of replicas are not counted.
   result<std::int64_t> publish(std::string_view channel, std::string_view message, const call_options& o = {}) {
      return run_as<std::int64_t>({"PUBLISH", channel, message}, o);
   }
   result<void> ping(const call_options& o = {}) { return run_as<void>({"PING"}, o); }

   // ---- where things are ----
   // The present master, found and verified (connected to) if need be. The deadline is that of the whole call; unset, a
   // command's default.
   result<endpoint> master(const call_options& = {});
   // Waits for whatever happens next in the deployment and tells the observer, for at most `at_most`, or until `stop`
   // is requested. Useful with an observer only. Throws `failure` where other members would answer errc::concurrent_use
   // or errc::not_supported, and std::system_error if the process has no descriptor left for `stop`.
   void wait_for_events(time_span at_most, const std::stop_token& stop = {});

 private:
   std::vector<result<value>> run_list(std::span<const command>, const call_options&);
   template <class T>
   result<T> run_as(const command& c, const call_options& options) {
      result<value> reply = run(c, options);
      if (!reply) return std::move(reply).error();
      if constexpr (std::is_void_v<T>)
         return {};
      else
         return reply->try_as<T>();
   }
   static command with(command c, keys more) {
      for (const std::string_view argument : more) c.arg(argument);
      return c;
   }
   struct body;
   std::unique_ptr<body> body_;
};

}  // namespace holdfast
