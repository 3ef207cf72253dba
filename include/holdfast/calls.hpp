// Calls that each client has, whatever thread or runtime drives it.
#pragma once

#include <holdfast/call_options.hpp>
#include <holdfast/command.hpp>
#include <holdfast/detail/everyday_commands.hpp>
#include <holdfast/detail/reply_reader.hpp>
#include <holdfast/result.hpp>
#include <holdfast/set_options.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

// A list of commands: a vector, an array or a span of them. Braces are never one.
template <class T>
concept command_list = std::convertible_to<const T&, std::span<const command>>;

// The members of `client` and `shared_client`, which say from which threads they may be called. Each waits for its
// reply, at most until its deadline. An error reply of the server is a failed result (errc::server_error, its text in
// error::server_text, its outcome by what the reply proves). Calls do not throw for anything that servers or the
// network do.
//
// T in run<T> is what value_view::as takes (value.hpp), or void if the reply does not matter. The reply is read
// straight into it. A reply that is no T is errc::type_mismatch, outcome executed: the command ran. What a `from_value`
// of your own throws is thrown by the call, after the command has run; of a list it is errc::type_mismatch, executed,
// of that command alone, with the exception's text. `from_value` is called where the reply arrives: in the thread of a
// shared_client, so it must not block, nor call the client; and once more if the command is sent and answered again.
template <class Self>
class calls {
   template <class>
   using same_for = command;

 public:
   // ---- one command ----
   // An error inside an array is a value of kind error.
   result<value> run(const command& c, const call_options& options = {}) {
      result<value> reply;
      self().run_into(c, reply, {}, options);
      return reply;
   }
   template <class T>
   result<T> run(const command& c, const call_options& options = {}) {
      impl::check_can_be_read<T>();
      result<T> read;
      std::exception_ptr thrown;
      result<value> reply;
      self().run_into(c, reply, impl::reader_to(read, &thrown), options);
      if (!reply) return std::move(reply).error();
      if (thrown) std::rethrow_exception(thrown);
      return read;
   }

   // ---- a list: one write where it fits, one result each, in order ----
   // Each command has its own outcome. MULTI ... EXEC goes whole or not at all. The deadline is that of the whole call.
   template <command_list List>
   std::vector<result<value>> run(const List& commands, const call_options& options = {}) {
      const std::span<const command> all = commands;
      std::vector<result<value>> replies;
      self().run_list_into(all, replies, options);
      return replies;
   }
   template <class T, command_list List>
   std::vector<result<T>> run(const List& commands, const call_options& options = {}) {
      impl::check_can_be_read<T>();
      const std::span<const command> all = commands;
      std::vector<result<T>> replies(all.size());
      impl::list_places places{.step = sizeof(result<T>)};
      if (!replies.empty()) places.first = impl::reader_to(replies.front());
      self().run_list_into(all, places, options);
      return replies;
   }

   // A list with a type for each command: auto [hits, user] = redis.run<long long, std::string>({"INCR", "hits"},
   // {"GET", "user"});
   template <class A, class B, class... More>
   std::tuple<result<A>, result<B>, result<More>...> run(same_for<A> a, same_for<B> b, same_for<More>... more) {
      return run<A, B, More...>(call_options{}, std::move(a), std::move(b), std::move(more)...);
   }
   template <class A, class B, class... More>
   std::tuple<result<A>, result<B>, result<More>...> run(const call_options& options, same_for<A> a, same_for<B> b,
                                                         same_for<More>... more) {
      (impl::check_can_be_read<A>(), impl::check_can_be_read<B>(), (impl::check_can_be_read<More>(), ...));
      constexpr std::size_t n = 2 + sizeof...(More);
      const std::array<command, n> all{std::move(a), std::move(b), std::move(more)...};
      std::tuple<result<A>, result<B>, result<More>...> replies;
      const std::array<impl::reply_reader, n> each =
         std::apply([](auto&... one) { return std::array<impl::reply_reader, n>{impl::reader_to(one)...}; }, replies);
      self().run_list_into(all, impl::list_places{.each = each.data()}, options);
      return replies;
   }

   // ---- the everyday commands, typed; all others go through `run` ----
   using keys = std::initializer_list<std::string_view>;
   // Empty: no such key.
   result<std::optional<std::string>> get(std::string_view key, const call_options& o = {}) {
      return run<std::optional<std::string>>({"GET", key}, o);
   }
   // False: a condition of set_options was not met, and nothing was written.
   result<bool> set(std::string_view key, std::string_view value, const set_options& s = {},
                    const call_options& o = {}) {
      const result<command> c = impl::set_command(key, value, s);
      if (!c) return c.error();
      return run<impl::set_reply>(*c, o).transform([](impl::set_reply r) { return r.was_set; });
   }
   // How many there were.
   result<std::int64_t> del(std::string_view key, const call_options& o = {}) {
      return run<std::int64_t>({"DEL", key}, o);
   }
   result<std::int64_t> del(keys k, const call_options& o = {}) { return run<std::int64_t>(impl::with({"DEL"}, k), o); }
   // How many there are.
   result<std::int64_t> exists(std::string_view key, const call_options& o = {}) {
      return run<std::int64_t>({"EXISTS", key}, o);
   }
   result<std::int64_t> exists(keys k, const call_options& o = {}) {
      return run<std::int64_t>(impl::with({"EXISTS"}, k), o);
   }
   // False: no such key. Whole milliseconds, rounded up (PEXPIRE); zero or less deletes the key.
   // Up to 292 years: what is longer is errc::invalid_argument, not executed.
   result<bool> expire(std::string_view key, time_span d, const call_options& o = {}) {
      const result<command> c = impl::expire_command(key, d);
      if (!c) return c.error();
      return run<bool>(*c, o);
   }
   // The new value.
   result<std::int64_t> incr(std::string_view key, const call_options& o = {}) {
      return run<std::int64_t>({"INCR", key}, o);
   }
   result<std::int64_t> incr_by(std::string_view key, std::int64_t by, const call_options& o = {}) {
      return run<std::int64_t>({"INCRBY", key, by}, o);
   }
   result<std::optional<std::string>> hget(std::string_view key, std::string_view field, const call_options& o = {}) {
      return run<std::optional<std::string>>({"HGET", key, field}, o);
   }
   // True: the field is new.
   result<bool> hset(std::string_view key, std::string_view field, std::string_view value, const call_options& o = {}) {
      return run<bool>({"HSET", key, field, value}, o);
   }
   // The new length.
   result<std::int64_t> lpush(std::string_view key, std::string_view value, const call_options& o = {}) {
      return run<std::int64_t>({"LPUSH", key, value}, o);
   }
   result<std::int64_t> lpush(std::string_view key, keys values, const call_options& o = {}) {
      return run<std::int64_t>(impl::with({"LPUSH", key}, values), o);
   }
   result<std::int64_t> rpush(std::string_view key, std::string_view value, const call_options& o = {}) {
      return run<std::int64_t>({"RPUSH", key, value}, o);
   }
   result<std::int64_t> rpush(std::string_view key, keys values, const call_options& o = {}) {
      return run<std::int64_t>(impl::with({"RPUSH", key}, values), o);
   }
   // Empty: nothing was there.
   result<std::optional<std::string>> lpop(std::string_view key, const call_options& o = {}) {
      return run<std::optional<std::string>>({"LPOP", key}, o);
   }
   // How many are new.
   result<std::int64_t> sadd(std::string_view key, std::string_view member, const call_options& o = {}) {
      return run<std::int64_t>({"SADD", key, member}, o);
   }
   result<std::int64_t> sadd(std::string_view key, keys members, const call_options& o = {}) {
      return run<std::int64_t>(impl::with({"SADD", key}, members), o);
   }
   // To how many subscribers; those of replicas are not counted.
   result<std::int64_t> publish(std::string_view channel, std::string_view message, const call_options& o = {}) {
      return run<std::int64_t>({"PUBLISH", channel, message}, o);
   }
   result<void> ping(const call_options& o = {}) { return run<void>({"PING"}, o); }

 private:
   friend Self;
   calls() = default;
   Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace holdfast
