// The typed everyday members: each a command and the type of its reply.
#include <holdfast/client.hpp>

#include <chrono>

namespace holdfast {
namespace {

template <class T>
result<T> typed(result<value>&& reply) {
   if (!reply) return std::move(reply).error();
   return std::move(*reply).template try_as<T>();
}

command listed(std::string_view name, client::keys arguments) {
   command c{name};
   for (const auto a : arguments) c.arg(a);
   return c;
}

command listed(std::string_view name, std::string_view key, client::keys arguments) {
   command c{name, key};
   for (const auto a : arguments) c.arg(a);
   return c;
}

// A time_span that was too long for one. Whoever means "for ever" says so by PERSIST, or by no expiry at all.
bool is_too_long(duration d) { return d == duration::max() || d == duration::min(); }

error too_long() {
   error e(errc::invalid_argument, outcome::not_executed);
   e.causes.emplace_back("an expiry of more than 292 years");
   return e;
}

// Never 0 for what is more: that would delete the key.
std::int64_t whole_ms(duration d) { return std::chrono::ceil<std::chrono::milliseconds>(d).count(); }

}  // namespace

using text = std::optional<std::string>;
using number = std::int64_t;

result<text> client::get(std::string_view key, const call_options& o) { return typed<text>(run({"GET", key}, o)); }

result<bool> client::set(std::string_view key, std::string_view value, const set_options& s, const call_options& o) {
   if (s.expires && is_too_long(*s.expires)) return too_long();
   command c{"SET", key, value};
   if (s.expires) c.arg("PX").arg(whole_ms(*s.expires));
   if (s.keep_ttl) c.arg("KEEPTTL");
   if (s.if_absent) c.arg("NX");
   if (s.if_present) c.arg("XX");
   auto reply = run(c, o);
   if (!reply) return std::move(reply).error();
   return !reply->is_nil();
}

result<number> client::del(std::string_view key, const call_options& o) { return typed<number>(run({"DEL", key}, o)); }
result<number> client::del(keys k, const call_options& o) { return typed<number>(run(listed("DEL", k), o)); }
result<number> client::exists(std::string_view key, const call_options& o) {
   return typed<number>(run({"EXISTS", key}, o));
}
result<number> client::exists(keys k, const call_options& o) { return typed<number>(run(listed("EXISTS", k), o)); }

result<bool> client::expire(std::string_view key, time_span d, const call_options& o) {
   if (is_too_long(d)) return too_long();
   return typed<bool>(run({"PEXPIRE", key, whole_ms(d)}, o));
}

result<number> client::incr(std::string_view key, const call_options& o) {
   return typed<number>(run({"INCR", key}, o));
}
result<number> client::incr_by(std::string_view key, number by, const call_options& o) {
   return typed<number>(run({"INCRBY", key, by}, o));
}

result<text> client::hget(std::string_view key, std::string_view field, const call_options& o) {
   return typed<text>(run({"HGET", key, field}, o));
}
result<bool> client::hset(std::string_view key, std::string_view field, std::string_view value, const call_options& o) {
   return typed<bool>(run({"HSET", key, field, value}, o));
}

result<number> client::lpush(std::string_view key, std::string_view value, const call_options& o) {
   return typed<number>(run({"LPUSH", key, value}, o));
}
result<number> client::lpush(std::string_view key, keys values, const call_options& o) {
   return typed<number>(run(listed("LPUSH", key, values), o));
}
result<number> client::rpush(std::string_view key, std::string_view value, const call_options& o) {
   return typed<number>(run({"RPUSH", key, value}, o));
}
result<number> client::rpush(std::string_view key, keys values, const call_options& o) {
   return typed<number>(run(listed("RPUSH", key, values), o));
}
result<text> client::lpop(std::string_view key, const call_options& o) { return typed<text>(run({"LPOP", key}, o)); }

result<number> client::sadd(std::string_view key, std::string_view member, const call_options& o) {
   return typed<number>(run({"SADD", key, member}, o));
}
result<number> client::sadd(std::string_view key, keys members, const call_options& o) {
   return typed<number>(run(listed("SADD", key, members), o));
}

result<number> client::publish(std::string_view channel, std::string_view message, const call_options& o) {
   return typed<number>(run({"PUBLISH", channel, message}, o));
}

result<void> client::ping(const call_options& o) {
   auto reply = run({"PING"}, o);
   if (!reply) return std::move(reply).error();
   return {};
}

}  // namespace holdfast
