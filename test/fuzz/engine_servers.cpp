// The servers and Sentinels of an engine_world.
#include "fuzz/engine_world.hpp"
#include "topology/sentinel/sentinel_event.hpp"
#include "unit/topology/replies.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::fuzz {
namespace {

using impl::test::array;
using impl::test::bulk;

constexpr std::string_view gates[] = {
   "",
   "READONLY You can't write against a read only replica.",
   "LOADING Redis is loading the dataset in memory",
   "NOREPLICAS Not enough good replicas to write.",
   "OOM command not allowed when used memory > 'maxmemory'.",
   "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
   "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
   "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may "
   "modify the data set are disabled, because this instance is configured to report errors during writes if RDB "
   "snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
   "error.",
   "NOPERM User default has no permissions to run this command",
   "NOAUTH Authentication required.",
};

bool is_write(const std::string& name) { return name == "RPUSH" || name == "SET"; }
bool passes_gates(const std::string& name) {
   return name == "HELLO" || name == "MULTI" || name == "EXEC" || name == "AUTH" || name == "ROLE";
}

}  // namespace

// The whole commands among the bytes that the kernel took.
void engine_world::arrived(connection& c) {
   while (c.in.next() == impl::reader::status::reply) {
      const value_view v = c.in.reply();
      request& r = c.unread.emplace_back();
      for (const value_view word : v) r.words.emplace_back(word.text());
      const auto& words = r.words;
      std::size_t number = calls_.size();
      const auto read = [&](std::string_view text) {
         number = 0;
         for (const char digit : text) number = number * 10 + static_cast<std::size_t>(digit - '0');
      };
      const bool digits = words.back().find_first_not_of("0123456789") == std::string::npos && !words.back().empty();
      if (words.size() == 3 && (words[0] == "RPUSH" || words[0] == "SET") && digits && words.back().size() < 6)
         read(words[2]);
      else if (words.size() == 4 && words[0] == "EVAL" && digits && words.back().size() < 6)
         read(words[3]);
      else if (words.size() == 2 && words[0] == "GET" && words[1].size() > 1 && words[1].size() < 6)
         read(std::string_view(words[1]).substr(1));
      else if (words.size() == 3 && words[0] == "BLPOP" && words[1].size() > 1 && words[1].size() < 6)
         read(std::string_view(words[1]).substr(1));
      if (number < calls_.size()) r.whose = &calls_[number];
      // Of a transaction the EXEC is what counts; its member comes before it.
      if (words[0] == "EXEC" && c.unread.size() > 1) r.whose = c.unread[c.unread.size() - 2].whose;
      if (r.whose == nullptr || r.whose->what == kind::any) continue;
      if (r.whose->what == kind::transaction && words[0] != "EXEC") continue;
      call& of = *r.whose;
      require(of.repeats || of.excused || of.whole == of.refused,
              "what may have run and is not to be repeated is not written again", of.commands.front().name());
      ++of.whole;
   }
}

void engine_world::serve(connection& c) {
   if (c.dead) c.unread.clear();
   if (c.unread.empty()) return;
   request r = std::move(c.unread.front());
   c.unread.pop_front();
   if (c.where.port == sentinel_port) return answer(c, answer_sentinel(c, r));
   answer_server(c, r);
}

void engine_world::answer(connection& c, std::string reply, call* refused) {
   c.replies += reply;
   if (refused != nullptr) c.marks.push_back({c.sent + c.replies.size(), refused});
}

std::string_view engine_world::refusal(const connection& c, const std::string& name) const {
   const auto found = nodes_.find(c.where);
   if (found == nodes_.end() || passes_gates(name)) return {};
   if (found->second.gate != 0) return gates[found->second.gate];
   return found->second.role != "master" && is_write(name) ? gates[1] : std::string_view();
}

void engine_world::answer_server(connection& c, request& r) {
   const std::string& name = r.words[0];
   if (name == "HELLO") {
      const std::string role = nodes_[c.where].role;
      if (r.words.size() == 1) return answer(c, impl::test::texts({"proto", "2", "role", role}));
      return answer(
         c, "%3\r\n" + bulk("proto") + ":3\r\n" + bulk("role") + bulk(role) + bulk("mode") + bulk("standalone"));
   }
   const bool is_client = name == "CLIENT" && r.words.size() > 1;
   if (is_client && r.words[1] == "INFO")
      return answer(c, bulk("id=" + std::to_string(c.id) + " addr=10.9.9.9:" + std::to_string(c.id) + " name=\n"));
   if (name == "INFO" && r.words.back() == "server")
      return answer(c, bulk("# Server\r\nrun_id:process-at-" + c.where.host + "\r\n"));
   if (is_client && r.words[1] == "KILL") return answer(c, kill(r));
   if (name == "MULTI") {
      c.in_multi = true;
      c.dirty = false;
      return answer(c, "+OK\r\n");
   }
   if (name == "EXEC") return answer_exec(c, r);
   if (const auto why = refusal(c, name); !why.empty()) {
      c.dirty = c.dirty || c.in_multi;
      // A script could have caught these, and have written before.
      const bool proves = !c.in_multi && !(name == "EVAL" && (why.starts_with("OOM") || why.starts_with("NOPERM")));
      return answer(c, "-" + std::string(why) + "\r\n", proves ? r.whose : nullptr);
   }
   if (c.in_multi) {
      c.queued.push_back(std::move(r));
      return answer(c, "+QUEUED\r\n");
   }
   answer(c, run_one(c, r));
}

void engine_world::answer_exec(connection& c, request& r) {
   c.in_multi = false;
   auto all = std::exchange(c.queued, {});
   if (std::exchange(c.dirty, false))
      return answer(c, "-EXECABORT Transaction discarded because of previous errors.\r\n", r.whose);
   for (const request& one : all) {
      if (const auto why = refusal(c, one.words[0]); !why.empty())
         return answer(c, "-EXECABORT Transaction discarded because of: " + std::string(why) + "\r\n", r.whose);
   }
   std::string out = "*" + std::to_string(all.size()) + "\r\n";
   for (request& one : all) out += run_one(c, one);
   answer(c, out);
}

std::string engine_world::run_one(connection& c, request& r) {
   if (r.whose != nullptr) {
      ++r.whose->runs;
      require(!r.whose->unknown_ended || r.whose->excused, "what was reported unknown, and fenced, runs no more");
   }
   const std::string& name = r.words[0];
   if (name == "PING") return "+PONG\r\n";
   if (name == "SET" || name == "SELECT" || name == "CLIENT" || name == "AUTH") return "+OK\r\n";
   if (name == "GET" || name == "BLPOP") return "_\r\n";
   if (name == "ROLE" && nodes_[c.where].role == "master") return array({bulk("master"), ":0\r\n", array({})});
   if (name == "ROLE") return array({bulk("slave"), bulk(followed().host), ":6379\r\n", bulk("connected"), ":0\r\n"});
   return ":1\r\n";
}

std::string engine_world::kill(const request& r) {
   if (r.words.size() < 6) return "-ERR syntax error\r\n";
   unsigned killed = 0;
   const auto end = [&](connection& c) {
      if (c.dead || std::to_string(c.id) != r.words[3] || "10.9.9.9:" + std::to_string(c.id) != r.words[5]) return;
      c.dead = true;
      c.unread.clear();
      ++killed;
   };
   for (const auto& c : gone_) end(*c);
   for (const auto& [id, c] : live_) end(*c);
   return ":" + std::to_string(killed) + "\r\n";
}

// ---- Sentinels -----------------------------------------------------------------------------------------------------

std::string engine_world::answer_sentinel(connection& c, const request& r) {
   const auto word = [&](std::size_t i) { return i < r.words.size() ? std::string_view(r.words[i]) : ""; };
   if (word(0) == "PING") return c.subscribed ? array({bulk("pong"), bulk("")}) : "+PONG\r\n";
   if (word(0) == "SUBSCRIBE") {
      c.subscribed = true;
      std::string all;
      for (std::size_t i = 1; i != r.words.size(); ++i)
         all += array({bulk("subscribe"), bulk(r.words[i]), ":" + std::to_string(i) + "\r\n"});
      return all;
   }
   if (word(1) == "MYID") return bulk("id-of-" + c.where.host);
   if (word(1) == "MASTER") return impl::test::master_reply{.shown = master_, .epoch = epoch_}.bytes();
   if (word(1) == "GET-MASTER-ADDR-BY-NAME") return impl::test::address_reply(master_);
   if (word(1) != "REPLICAS" || !lists_replicas_) return array({});
   std::vector<std::string> replicas;
   for (const auto& [where, n] : nodes_)
      if (where != master_) replicas.push_back(impl::test::listed(where, where.host));
   return array(replicas);
}

void engine_world::fail_over() {
   const endpoint from = master_;
   master_ = from == node_a ? node_b : node_a;
   ++epoch_;
   nodes_[master_].role = "master";
   if (in_.one_in(2)) nodes_[from].role = "slave";
   kill_clients_of(master_);
}

// As in the transaction that promotes a node.
void engine_world::kill_clients_of(const endpoint& where) {
   for (const auto& c : gone_) c->dead = c->dead || c->where == where;
   std::vector<connection_ptr> killed;
   for (const auto& [id, c] : live_)
      if (c->where == where && c->is == connection::state::open) killed.push_back(c);
   for (const auto& c : killed)
      if (live_.contains(c->link) && live_[c->link] == c) cut(*c, true);
}

void engine_world::publish() {
   const auto channels = impl::event_channels();
   const std::string channel(channels[in_.byte() % channels.size()]);
   const std::string other = (master_ == node_a ? node_b : node_a).host;
   const std::string payload = channel == "+switch-master" ? "mymaster " + other + " 6379 " + master_.host + " 6379"
                               : in_.one_in(2)
                                  ? "master mymaster " + master_.host + " 6379"
                                  : "slave " + other + ":6379 " + other + " 6379 @ mymaster " + master_.host + " 6379";
   for (const auto& [id, c] : live_)
      if (c->subscribed) c->replies += impl::test::texts({"message", channel, payload});
}

}  // namespace holdfast::fuzz
