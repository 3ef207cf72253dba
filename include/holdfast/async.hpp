// The client for Boost.Asio (1.81): a failover is latency, not an error, and not a thread either.
//
//    holdfast::async_client redis{io, "redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster"};
//    holdfast::result<holdfast::value> r = co_await redis.run({"GET", "k"}, boost::asio::use_awaitable);
//
// Link with the CMake target holdfast::asio. Program and library must see the same version of Boost (else the program
// is not linked).
#pragma once

#include <holdfast/async_retry.hpp>
#include <holdfast/calls.hpp>
#include <holdfast/command.hpp>
#include <holdfast/config.hpp>
#include <holdfast/deployment.hpp>
#include <holdfast/detail/async_call.hpp>
#include <holdfast/result.hpp>
#include <holdfast/stats.hpp>
#include <holdfast/value.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/version.hpp>

#include <concepts>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

namespace impl {

// Defined for the version that the library was built with.
template <int boost_version>
struct built_with {
   static void check() noexcept;
};

async_core_ref make_async_core(const boost::asio::any_io_executor&, config);
async_core_ref make_async_core(const boost::asio::any_io_executor&, const deployment&, std::optional<config> = {});

// The initiation of an operation, for its completion token. It keeps the core alive, so that it may be used late
// (`deferred`).
template <class Call>
class start_call {
 public:
   using executor_type = boost::asio::any_io_executor;

   explicit start_call(async_core_ref core) noexcept : core_(std::move(core)) {}
   executor_type get_executor() const noexcept { return core_.executor(); }

   template <class Handler, class... Args>
   void operator()(Handler&& handler, Args&&... args) const {
      std::decay_t<Handler> own(std::forward<Handler>(handler));
      async_call_of<Call, std::decay_t<Handler>>::start(core_, std::move(own), std::forward<Args>(args)...);
   }

 private:
   async_core_ref core_;
};

template <class Token, class Signature>
concept token_for =
   !std::same_as<std::remove_cvref_t<Token>, async_options> && boost::asio::completion_token_for<Token, Signature>;

}  // namespace impl

// A pipelined connection to a master, wherever the master is, for any number of callers at a time. Each command is
// answered by the rightful master within its deadline, or comes back with an error that says truthfully whether it ran
// (error::outcome).
//
// Calls take a completion token of Boost.Asio last: use_awaitable, use_future, deferred, as_tuple(...), a callback
// (also one that can only be moved), with bind_executor, bind_allocator, bind_cancellation_slot, ... Failures are
// results, not exceptions. The command, the options and all else that a call needs belong to it from the call on, with
// `deferred` too. With g++ 12, which destroys some temporaries of a co_await expression twice, a lambda in one has a
// name or captures by reference alone, and so does what is given to `async_retry`.
//
// Threads: calls may be made from any thread. The work is done on the client's executor, by one thread at a time; so
// the context may run on many threads, and the executor need not be a strand. A client is moved and destroyed by one
// thread, while no other one is in a call. No thread is started, for names neither, but that of a `deployment`.
//
// Handlers run on their associated executor, else on the client's; never inside of the call, nor of the destructor.
// Where the executor of a handler is the client's, those of operations that ended together run one after the other: a
// handler should not block, and not wait in its thread for another operation of this client. Memory comes from the
// handler's associated allocator, one piece for each operation.
//
// Order: calls that are given without awaiting those before are written in the order in which they were given, all that
// one turn of the executor gives in one write. After a loss, or where a server refuses for a while, they keep it only
// as far as they are about the same keys. Who needs more gives one list, which keeps its order.
//
// The connection is nobody's own: SELECT, AUTH, HELLO, CLIENT SETNAME, WATCH, CLIENT REPLY, WAIT and a MULTI alone are
// errc::not_supported, not executed.
//
// A command that blocks on the server (BLPOP, XREAD BLOCK, ...) has a connection of its own, and holds up nobody:
// `limits.lanes` at a time, beyond that it waits. Between it and what is given meanwhile there is no order.
//
// Cancellation is Asio's, for each operation. `terminal` and `partial` end it at once (errc::cancelled; not executed if
// nothing of it was written, else unknown, and its reply is dropped); `total` ends it only if it is not executed: while
// it waits to be written for the first time. An operation that may take for ever (BLPOP ... 0) is best ended so, or by
// async_options::deadline.
//
// Neither an idle client nor a closed one keeps io_context::run from returning. While nothing runs the context, nothing
// happens; the next call then takes in first what arrived meanwhile. While the context runs, also an idle client
// follows its deployment.
//
// After a fork the child's copy answers errc::not_supported (the call: not executed; calls that were under way, which
// are the parent's to carry out: unknown). Asio asks for io_context::notify_fork first.
//
// The observer of the configuration is told on the client's executor, never by two threads at once. It may use the
// client. What it throws leaves io_context::run, as what a handler throws does.
template <class Executor = boost::asio::any_io_executor>
class basic_async_client {
 private:
   using default_token = boost::asio::default_completion_token_t<Executor>;

 public:
   using executor_type = Executor;
   template <class Other>
   struct rebind_executor {
      using other = basic_async_client<Other>;
   };

   // The constructors do not touch the network; they throw `failure` (errc::invalid_argument) for a bad URI or
   // configuration. The context must outlive the calls; where it ends before the client, what is under way is destroyed
   // without a call of its handler, as everywhere in Asio.
   basic_async_client(const executor_type& executor, std::string_view uri)
      : basic_async_client(executor, config::from_uri(uri).value()) {}
   basic_async_client(const executor_type& executor, config c)
      : executor_(executor), core_(impl::make_async_core(executor_, std::move(c))) {
      impl::built_with<BOOST_VERSION>::check();
   }
   // Led by the deployment (deployment.hpp), which it keeps alive. Throws std::system_error, too, where the process has
   // no descriptor or no thread left.
   basic_async_client(const executor_type& executor, const deployment& d)
      : executor_(executor), core_(impl::make_async_core(executor_, d)) {
      impl::built_with<BOOST_VERSION>::check();
   }
   // The same with settings of its own, as for client(deployment, config).
   basic_async_client(const executor_type& executor, const deployment& d, config c)
      : executor_(executor), core_(impl::make_async_core(executor_, d, std::move(c))) {
      impl::built_with<BOOST_VERSION>::check();
   }
   // On the executor of a context: an io_context, a thread_pool.
   template <class Context, class... Args>
      requires(std::convertible_to<Context&, boost::asio::execution_context&> &&
               std::constructible_from<basic_async_client, const Executor&, Args...>)
   explicit basic_async_client(Context& context, Args&&... args)
      : basic_async_client(executor_type(context.get_executor()), std::forward<Args>(args)...) {}
   // Of what was moved from, nothing may be used but assignment and the destructor.
   basic_async_client(basic_async_client&& other) noexcept = default;
   basic_async_client& operator=(basic_async_client&& other) noexcept {
      if (this != &other) {
         end();
         executor_ = std::move(other.executor_);
         core_ = std::move(other.core_);
      }
      return *this;
   }
   // As `cancel`. Waits for nothing.
   ~basic_async_client() { end(); }

   executor_type get_executor() const noexcept { return executor_; }

   // ---- one command: void(result<T>) ----
   // An error reply of the server is a failed result (errc::server_error, its text in error::server_text, its outcome
   // by what the reply proves); an error inside an array is a value of kind error. T is what value_view::as takes
   // (value.hpp), or void if the reply does not matter; it has a default constructor. A reply that is no T is
   // errc::type_mismatch, executed: the command ran. So is what a `from_value` of your own throws, its text a cause.
   template <class Token = default_token>
      requires impl::token_for<Token, void(result<value>)>
   auto run(command c, Token&& token = default_token()) {
      return start<impl::async_command_to<value>, void(result<value>)>(token, std::move(c), async_options{});
   }
   template <class Token = default_token>
      requires impl::token_for<Token, void(result<value>)>
   auto run(command c, async_options options, Token&& token = default_token()) {
      return start<impl::async_command_to<value>, void(result<value>)>(token, std::move(c), options);
   }
   template <class T, class Token = default_token>
      requires impl::token_for<Token, void(result<T>)>
   auto run(command c, Token&& token = default_token()) {
      impl::check_can_be_read<T>();
      return start<impl::async_command_to<T>, void(result<T>)>(token, std::move(c), async_options{});
   }
   template <class T, class Token = default_token>
      requires impl::token_for<Token, void(result<T>)>
   auto run(command c, async_options options, Token&& token = default_token()) {
      impl::check_can_be_read<T>();
      return start<impl::async_command_to<T>, void(result<T>)>(token, std::move(c), options);
   }

   // ---- a list (a vector, an array or a span of commands): void(std::vector<result<T>>), one each, in order ----
   // Each command has its own outcome. MULTI ... EXEC goes whole or not at all, and the commands keep their order;
   // other callers' may stand between them. The deadline is that of the whole call.
   template <command_list List, class Token = default_token>
      requires impl::token_for<Token, void(std::vector<result<value>>)>
   auto run(List&& commands, Token&& token = default_token()) {
      return run(std::forward<List>(commands), async_options{}, std::forward<Token>(token));
   }
   template <command_list List, class Token = default_token>
      requires impl::token_for<Token, void(std::vector<result<value>>)>
   auto run(List&& commands, async_options options, Token&& token = default_token()) {
      return start<impl::async_list_to<value>, void(std::vector<result<value>>)>(
         token, owned(std::forward<List>(commands)), options);
   }
   template <class T, command_list List, class Token = default_token>
      requires impl::token_for<Token, void(std::vector<result<T>>)>
   auto run(List&& commands, Token&& token = default_token()) {
      return run<T>(std::forward<List>(commands), async_options{}, std::forward<Token>(token));
   }
   template <class T, command_list List, class Token = default_token>
      requires impl::token_for<Token, void(std::vector<result<T>>)>
   auto run(List&& commands, async_options options, Token&& token = default_token()) {
      impl::check_can_be_read<T>();
      return start<impl::async_list_to<T>, void(std::vector<result<T>>)>(token, owned(std::forward<List>(commands)),
                                                                         options);
   }

   // Ends all operations that were given before with errc::cancelled: not executed, or unknown, whatever is true of
   // each. The client can be used on.
   void cancel() { impl::cancel_all(core_); }

   // The numbers of what it has done so far, for all its callers. From any thread, and at no cost for the others; also
   // once it is closed.
   holdfast::stats stats() const { return impl::stats_of(core_); }

   // Operations given before end as usual, by their deadlines at the latest; then the connections are closed, and this
   // completes; void(). What is given later is errc::cancelled, not executed.
   template <class Token = default_token>
      requires impl::token_for<Token, void()>
   auto close(Token&& token = default_token()) {
      return start<impl::async_close, void()>(token);
   }

 private:
   template <class Call, class Signature, class Token, class... Args>
   auto start(Token& token, Args&&... args) {
      return boost::asio::async_initiate<Token, Signature>(impl::start_call<Call>(core_), token,
                                                           std::forward<Args>(args)...);
   }
   template <class List>
   static std::vector<command> owned(List&& commands) {
      if constexpr (std::same_as<std::remove_cvref_t<List>, std::vector<command>>) {
         return std::forward<List>(commands);
      } else {
         const std::span<const command> all(commands);
         return {all.begin(), all.end()};
      }
   }
   void end() noexcept {
      if (core_) impl::leave(core_);
   }

   Executor executor_;
   impl::async_core_ref core_;
};

using async_client = basic_async_client<>;

}  // namespace holdfast
