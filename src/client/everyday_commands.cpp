#include <holdfast/detail/everyday_commands.hpp>

#include <chrono>
#include <cstdint>

namespace holdfast::impl {
namespace {

// A time_span that was too long for one. A key that is to live for ever gets no expiry, or PERSIST.
bool is_too_long(duration d) { return d == duration::max() || d == duration::min(); }

error too_long() { return {errc::invalid_argument, outcome::not_executed, "an expiry of more than 292 years"}; }

// Never 0 for what is more: that would delete the key.
std::int64_t whole_ms(duration d) { return std::chrono::ceil<std::chrono::milliseconds>(d).count(); }

}  // namespace

result<command> set_command(std::string_view key, std::string_view value, const set_options& s) {
   if (s.expires && is_too_long(*s.expires)) return too_long();
   command c{"SET", key, value};
   if (s.expires) c.arg("PX").arg(whole_ms(*s.expires));
   if (s.keep_ttl) c.arg("KEEPTTL");
   if (s.if_absent) c.arg("NX");
   if (s.if_present) c.arg("XX");
   return c;
}

result<command> expire_command(std::string_view key, time_span d) {
   if (is_too_long(d)) return too_long();
   return command{"PEXPIRE", key, whole_ms(d)};
}

command with(command c, std::initializer_list<std::string_view> more) {
   for (const std::string_view argument : more) c.arg(argument);
   return c;
}

}  // namespace holdfast::impl
