// What a server answers, in the order in which Redis' processCommand looks at things.
#include "sim/servers/greeting.hpp"
#include "sim/servers/redis_model.hpp"

#include <algorithm>

namespace holdfast::sim {

namespace {

std::string lower(std::string_view text) {
   std::string out(text);
   std::transform(out.begin(), out.end(), out.begin(),
                  [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
   return out;
}

}  // namespace

std::string redis_model::unknown(const words& w) {
   std::string args;
   for (std::size_t i = 1; i < w.size(); ++i) args += "'" + std::string(w[i]) + "' ";
   return "ERR unknown command '" + std::string(w[0]) + "', with args beginning with: " + args;
}

// Of those that Redis looks at before the role; empty if none is closed for this command.
std::string redis_model::closed_gate(const session& s, const command_rule& rule, bool writes) const {
   const auto is = [&](auto... names) { return ((rule.name == names) || ...); };
   const bool ends_multi = is("EXEC", "DISCARD", "MULTI", "QUIT", "RESET");
   const bool frees = is("DEL", "GETDEL", "LPOP", "RPOP", "BLPOP", "BRPOP");
   if (gate == server_gate::rights && rule.is == command_rule::kind::data_write)
      return "NOPERM this user has no permissions to run the '" + lower(rule.name) + "' command";
   if (gate == server_gate::memory && ((writes && !frees) || (s.in_multi && !ends_multi)))
      return "OOM command not allowed when used memory > 'maxmemory'.";
   if (gate == server_gate::disk && is_master() && (writes || is("PING")))
      return "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. "
             "Commands "
             "that may modify the data set are disabled, because this instance is configured to report errors during "
             "writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for "
             "details about the RDB error.";
   if (writes && is_master() && replicas_.size() < settings.min_replicas_to_write)
      return "NOREPLICAS Not enough good replicas to write.";
   return {};
}

// Whether it is refused before it runs; the error is in `out` then.
bool redis_model::refused(session& s, const command_rule* rule, const words& w) {
   const auto refuse = [&](std::string_view text) {
      if (rule != nullptr && rule->name == "EXEC") {
         s.in_multi = false;
         add_error(s.out, "EXECABORT Transaction discarded because of: " + std::string(text));
         return true;
      }
      if (s.in_multi) s.dirty = true;
      add_error(s.out, text);
      return true;
   };
   if (const auto text = shared_.user.refusal(s.connection, w); !text.empty()) return refuse(text);
   if (rule == nullptr) return refuse(unknown(w));
   const auto n = static_cast<int>(w.size());
   if ((rule->arity > 0 && n != rule->arity) || n < -rule->arity)
      return refuse("ERR wrong number of arguments for '" + lower(w[0]) + "' command");
   const bool exempt = rule->name == "AUTH" || rule->name == "HELLO" || rule->name == "QUIT" || rule->name == "RESET";
   if (!s.authenticated && !exempt) return refuse("NOAUTH Authentication required.");
   const bool writes =
      rule->is == command_rule::kind::data_write || (rule->name == "EXEC" && s.in_multi && s.queued_writes);
   if (const auto closed = closed_gate(s, *rule, writes); !closed.empty()) return refuse(closed);
   if (writes && !is_master()) {
      refuse("READONLY You can't write against a read only replica.");
      tell_role(s);
      return true;
   }
   const bool stale = !settings.serves_stale && !is_master() && !link_up();
   if (stale && !rule->while_stale)
      return refuse("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
   if (loading() && !rule->while_loading) return refuse("LOADING Redis is loading the dataset in memory");
   const bool while_busy = exempt || rule->name == "MULTI" || rule->name == "DISCARD";
   if (gate == server_gate::busy && !while_busy)
      return refuse("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
   return false;
}

void redis_model::run(session& s, const words& w, std::string_view raw) {
   if (w.empty()) return;
   const command_rule* const rule = find_rule(w[0]);
   if (refused(s, rule, w)) return;
   const bool writes =
      rule->is == command_rule::kind::data_write || (rule->name == "EXEC" && s.in_multi && s.queued_writes);
   if (pauses(writes)) {
      s.waits = waiting::pause;
      return;
   }
   const bool ends_multi = rule->name == "EXEC" || rule->name == "DISCARD" || rule->name == "MULTI" ||
                           rule->name == "QUIT" || rule->name == "RESET";
   if (s.in_multi && !ends_multi) {
      s.queue += raw;
      ++s.queued;
      s.queued_writes = s.queued_writes || rule->is == command_rule::kind::data_write;
      return add_status(s.out, "QUEUED");
   }
   if (rule->is == command_rule::kind::server)
      run_server(s, w, false);
   else if (rule->blocks)
      run_blocking(s, w, raw, true, s.out);
   else
      run_data(s, w, raw, s.out);
   s.wrote_upto = place_.offset;
   if (writes && !blocked_.empty()) serve_waiting();
}

void redis_model::run_data(session& s, const words& w, std::string_view raw, std::string& out) {
   const std::size_t before = out.size();
   const bool changed = data_.run(w, out, s.db);
   if (changed) {
      if (s.db == 0) {
         place_ = shared_.past.add(place_, raw);
      } else {
         scratch_.clear();
         add_write(scratch_, raw, s.db);
         place_ = shared_.past.add(place_, scratch_);
      }
      written();
   }
   if (before != out.size()) shared_.user.ran(host_, w, {place_, changed, s.db, std::string_view(out).substr(before)});
}

void redis_model::run_exec(session& s) {
   if (!s.in_multi) return add_error(s.out, "ERR EXEC without MULTI");
   s.in_multi = false;
   if (s.dirty) return add_error(s.out, "EXECABORT Transaction discarded because of previous errors.");
   add_array(s.out, s.queued);
   std::size_t at = 0;
   for (std::size_t i = 0; i < s.queued; ++i) {
      bool malformed = false;
      const std::size_t n = take_command(std::string_view(s.queue).substr(at), inner_, malformed);
      const command_rule* const rule = find_rule(inner_[0]);
      const auto raw = std::string_view(s.queue).substr(at, n);
      if (rule->is == command_rule::kind::server)
         run_server(s, inner_, true);
      else if (rule->blocks)
         run_blocking(s, inner_, raw, false, s.out);
      else
         run_data(s, inner_, raw, s.out);
      at += n;
   }
}

void redis_model::run_server(session& s, const words& w, bool in_exec) {
   const auto is = [&](std::string_view name) { return same_word(w[0], name); };
   if (is("PING")) {
      if (w.size() > 2) return add_error(s.out, "ERR wrong number of arguments for 'ping' command");
      if (w.size() > 1) return add_bulk(s.out, w[1]);
      return add_status(s.out, "PONG");
   }
   if (is("ECHO")) return add_bulk(s.out, w[1]);
   if (is("HELLO")) return hello(s, w);
   if (is("CLIENT")) return client(s, w);
   if (is("MULTI")) {
      if (s.in_multi) return add_error(s.out, "ERR MULTI calls can not be nested");
      s.in_multi = true;
      s.dirty = s.queued_writes = false;
      s.queued = 0;
      s.queue.clear();
      return add_status(s.out, "OK");
   }
   if (is("EXEC")) return run_exec(s);
   if (is("DISCARD")) {
      if (!s.in_multi) return add_error(s.out, "ERR DISCARD without MULTI");
      s.in_multi = false;
      return add_status(s.out, "OK");
   }
   if (is("AUTH")) {
      if (authenticate(s, settings.password, w, 1)) add_status(s.out, "OK");
      return;
   }
   if (is("SELECT")) {
      const auto n = read_integer(w[1]);
      if (!n) return add_error(s.out, "ERR value is not an integer or out of range");
      if (*n < 0 || *n > 15) return add_error(s.out, "ERR DB index is out of range");
      s.db = static_cast<unsigned>(*n);
      return add_status(s.out, "OK");
   }
   if (is("ROLE")) return role(s);
   if (is("INFO")) return info(s, w);
   if (is("WAIT")) return wait_for_replicas(s, w, !in_exec);
   if (is("QUIT")) {
      s.closing = true;
      return add_status(s.out, "OK");
   }
   if (is("RESET")) {
      s.in_multi = s.resp3 = false;
      s.db = 0;
      s.name.clear();
      s.authenticated = settings.password.empty();
      return add_status(s.out, "RESET");
   }
   if (is("FAILOVER")) return fail_over(s, w);
   replica_of(s, w);
}

// REPLICAOF by hand: whoever waits for something is told, nobody else.
void redis_model::replica_of(session& s, const words& w) {
   if (handover_ != handover::none) return add_error(s.out, "ERR REPLICAOF not allowed while failing over.");
   if (same_word(w[1], "NO") && same_word(w[2], "ONE")) {
      change_role(nowhere);
      return add_status(s.out, "OK");
   }
   const auto port = read_integer(w[2]);
   if (!port || *port < 0 || *port > 65535) return add_error(s.out, "ERR Invalid master port");
   host_id of = nowhere;
   for (host_id h = 0; h < shared_.servers.size(); ++h) {
      if (shared_.servers[h] != nullptr && "10.0.0." + std::to_string(h + 1) == w[1]) of = h;
   }
   if (of == nowhere) return add_error(s.out, "ERR not in this world");
   if (of == master_) return add_status(s.out, "OK Already connected to specified master");
   change_role(of);
   add_status(s.out, "OK");
}

}  // namespace holdfast::sim
