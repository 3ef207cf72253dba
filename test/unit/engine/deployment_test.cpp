#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::impl::test {

using test::array;
using test::bulk;
using test::texts;

config with_sentinels() {
   config c;
   c.sentinels = {s1, s2, s3};
   c.master = "mymaster";
   c.observer = [](const any_event&) {};
   return c;
}

config with_server(endpoint where) {
   config c;
   c.server = std::move(where);
   c.observer = [](const any_event&) {};
   return c;
}

deployment::deployment(config c, std::uint64_t seed, callers who)
   : settings(std::move(c)), subject(settings, seed, who) {
   for (const auto& s : {s1, s2, s3}) {
      at(s).is_sentinel = true;
      at(s).master = node_a;
   }
   at(node_b).role = "slave";
   at(node_a).role = "master";
}

void deployment::fail_over() {
   const endpoint from = at(s1).master;
   const endpoint to = from == node_a ? node_b : node_a;
   at(to).role = "master";
   at(to).counter = at(from).counter;
   for (const auto& s : {s1, s2, s3}) {
      at(s).master = to;
      ++at(s).epoch;
   }
   publish("+switch-master", "mymaster " + from.host + " 6379 " + to.host + " 6379");
}

void deployment::publish(std::string_view channel, std::string_view payload) {
   for (const auto& [id, c] : connections_) {
      if (c.subscribed && at(c.where).is == host::condition::working) {
         reply(id, c.serial, texts({"message", std::string(channel), std::string(payload)}));
      }
   }
}

void deployment::set(const endpoint& where, host::condition is) {
   at(where).is = is;
   if (is == host::condition::refusing) cut(where);
}

void deployment::cut(const endpoint& where) {
   for (const auto& [id, c] : connections_) {
      if (c.where != where || !c.connected) continue;
      later(one_way, [this, link = id, serial = c.serial] {
         if (is_live(link, serial)) drop(link, "closed by the other side");
      });
   }
}

call& deployment::submit(std::initializer_list<std::string_view> lines, lane_number lane,
                         std::optional<duration> deadline) {
   call& c = calls_.emplace_back();
   for (std::string_view line : lines) {
      std::vector<std::string_view> arguments;
      while (!line.empty()) {
         const auto end = std::min(line.find(' '), line.size());
         arguments.push_back(line.substr(0, end));
         line.remove_prefix(std::min(end + 1, line.size()));
      }
      c.commands.push_back(command::from(arguments));
   }
   c.results.resize(c.commands.size());
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   c.op.lane = lane;
   c.op.submitted = now;
   c.op.default_deadline = !deadline;
   if (deadline) c.op.deadline = after(now, *deadline);
   subject.submit(c.op, now);
   carry_out();
   return c;
}

void deployment::cancel_all() {
   subject.cancel_all(now);
   carry_out();
}

bool deployment::push(const endpoint& where) {
   auto& blocked = at(where).blocked;
   std::erase_if(blocked, [&](const auto& b) { return !is_live(b.first, b.second); });
   if (blocked.empty()) return false;
   reply(blocked.front().first, blocked.front().second, texts({"q", "x"}));
   blocked.erase(blocked.begin());
   return true;
}

void deployment::cancel(call& c) {
   subject.cancel(c.op, now);
   carry_out();
}

// ---- the runtime ---------------------------------------------------------------------------------------------------

void deployment::run_for(duration d) {
   const time_point end = now + d;
   for (;;) {
      carry_out();
      const auto due = pending_.empty() ? never : pending_.begin()->first;
      const auto next = std::min(subject.next_deadline(), due);
      if (next > end) break;
      now = std::max(now, next);
      if (due <= now) {  // what has arrived is taken in before the tick
         const auto what = std::move(pending_.begin()->second);
         pending_.erase(pending_.begin());
         what();
         continue;
      }
      subject.tick(now);
      ++ticks;
      ASSERT_GT(subject.next_deadline(), now) << "a tick that asks for another one at once: the "
                                              << (subject.lane().next_deadline() <= now ? "lane" : "watch");
   }
   now = end;
}

bool deployment::finish(const call& c) {
   for (const time_point end = now + 60s; !c.done() && now < end;) run_for(1ms);
   return c.done();
}

void deployment::carry_out() {
   io_request a;
   while (subject.next_io(a)) {
      actions.push_back(a.what);
      carry_out(a);
   }
   while (subject.take_done(now) != nullptr) {
   }
   std::vector<any_event> fresh;
   subject.take_events(fresh);
   history.insert(history.end(), fresh.begin(), fresh.end());
   if (subject.has_io()) carry_out();
}

void deployment::carry_out(const io_request& a) {
   switch (a.what) {
      case io_request::kind::resolve: {
         const auto found = names.find(a.where.host);
         auto addresses = found == names.end() ? std::vector<endpoint>{a.where} : found->second;
         return subject.resolved(a.link, a.serial, std::move(addresses), "no such host", now);
      }
      case io_request::kind::connect: return connect(a);
      case io_request::kind::write: {
         const auto span = subject.to_write(a.link, a.serial);
         if (span.empty()) return;
         std::string bytes(span.begin(), span.end());
         subject.wrote(a.link, a.serial, bytes.size(), now);
         later(one_way, [this, a, bytes] { serve(a.link, a.serial, bytes); });
         return carry_out(a);
      }
      case io_request::kind::close:
      case io_request::kind::abort: connections_.erase(a.link); return;
   }
}

void deployment::connect(const io_request& a) {
   dialed.push_back(a.where);
   host& h = at(a.where);
   ++h.connects;
   connections_.erase(a.link);
   connections_[a.link].where = a.where;
   connections_[a.link].serial = a.serial;
   if (h.is == host::condition::vanished) return;
   const bool refused = h.is == host::condition::refusing;
   later(2 * one_way, [this, a, refused] {
      if (!is_live(a.link, a.serial)) return;
      if (refused) return drop(a.link, "connection refused");
      connections_.at(a.link).connected = true;
      subject.connected(a.link, a.serial, now);
   });
}

bool deployment::is_live(link_id id, std::uint32_t serial) const {
   const auto found = connections_.find(id);
   return found != connections_.end() && found->second.serial == serial;
}

void deployment::drop(link_id id, std::string_view why) {
   const auto serial = connections_.at(id).serial;
   connections_.erase(id);
   subject.lost(id, serial, why, now);
}

link_id deployment::link_to(const endpoint& where) const {
   for (const auto& [id, c] : connections_) {
      if (c.where == where && c.connected) return id;
   }
   return 0;
}

std::size_t deployment::connections(const endpoint& where) const {
   return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(), [&](const auto& one) {
      return one.second.where == where && one.second.connected;
   }));
}

// ---- the hosts -----------------------------------------------------------------------------------------------------

void deployment::serve(link_id id, std::uint32_t serial, const std::string& bytes) {
   if (!is_live(id, serial)) return;
   connection& c = connections_.at(id);
   if (at(c.where).is != host::condition::working) return;
   test::put(*c.at_host, bytes);
   while (c.at_host->next() == reader::status::reply) {
      const std::string out = answer(id, c, c.at_host->reply());
      if (!out.empty()) reply(id, serial, out);
   }
}

void deployment::reply(link_id id, std::uint32_t serial, const std::string& bytes) {
   later(one_way, [this, id, serial, bytes] {
      std::string_view rest = bytes;
      while (!rest.empty()) {
         const auto space = subject.space(id, serial);
         if (space.empty()) return;
         const auto n = std::min(space.size(), rest.size());
         std::copy_n(rest.data(), n, space.data());
         rest.remove_prefix(n);
         subject.received(id, serial, n, now);
      }
   });
}

std::string deployment::answer(link_id id, connection& c, value_view command) {
   host& h = at(c.where);
   return h.is_sentinel ? answer_sentinel(c, h, command) : answer_server(id, c, h, command);
}

std::string deployment::answer_sentinel(connection& c, host& h, value_view command) {
   const auto name = command[0].text();
   if (name == "PING") return c.subscribed ? texts({"pong", ""}) : "+PONG\r\n";
   if (name == "SUBSCRIBE") {
      c.subscribed = true;
      std::string out;
      for (std::size_t i = 1; i < command.size(); ++i)
         out += array({bulk("subscribe"), bulk(command[i].text()), ":" + std::to_string(i) + "\r\n"});
      return out;
   }
   if (name != "SENTINEL") return "-ERR unknown command\r\n";
   const auto what = command[1].text();
   if (what == "MYID") return bulk("id-of-" + c.where.host);
   if (what == "GET-MASTER-ADDR-BY-NAME") {
      return h.knows_the_name ? test::address_reply(h.master) : test::nil_array;
   }
   if (what == "MASTER") ++h.asked;
   if (!h.knows_the_name) return test::no_such_master;
   if (what == "MASTER") return test::master_reply{h.master, h.epoch, "master", h.down_after, "2"}.bytes();
   std::vector<std::string> others;
   for (const auto& s : {s1, s2, s3}) {
      if (s != c.where && at(s).is_listed) others.push_back(test::listed(s, "id-of-" + s.host));
   }
   return array(others);
}

std::string deployment::answer_server(link_id id, connection& c, host& h, value_view command) {
   const auto name = command[0].text();
   if (name == "HELLO") {
      return "%3\r\n" + bulk("proto") + ":3\r\n" + bulk("mode") + bulk("standalone") + bulk("role") + bulk(h.role);
   }
   if (name == "CLIENT") {
      if (command[1].text() == "KILL") return ":1\r\n";
      return bulk("id=" + std::to_string(h.connects) + " addr=10.9.9.9:" + std::to_string(h.connects) + "\n");
   }
   if (name == "INFO") return bulk("# Server\r\nrun_id:process-at-" + c.where.host + "\r\n");
   std::string line;
   for (std::size_t i = 0; i < command.size(); ++i) line += (i == 0 ? "" : " ") + std::string(command[i].text());
   h.arrived.push_back(line);
   if (!h.refusal.empty()) return "-" + h.refusal + "\r\n";
   if (name == "WATCH" || name == "UNWATCH") c.watches = name == "WATCH";
   if (name == "MULTI") c.queued = 0;
   if (name == "EXEC") {
      const bool is_changed = std::exchange(c.watches, false) && h.watched_key_changes;
      const unsigned queued = *std::exchange(c.queued, std::nullopt);
      return is_changed ? "_\r\n" : array(std::vector<std::string>(queued, "+OK\r\n"));
   }
   if (c.queued && name != "MULTI") {
      ++*c.queued;
      return "+QUEUED\r\n";
   }
   if (name == "BLPOP") {
      h.blocked.emplace_back(id, c.serial);
      return {};
   }
   if (h.role != "master" && name != "GET") return "-READONLY You can't write against a read only replica.\r\n";
   if (name == "INCR") return ":" + std::to_string(++h.counter) + "\r\n";
   if (name == "GET") return bulk(std::to_string(h.counter));
   return name == "PING" ? "+PONG\r\n" : "+OK\r\n";
}

}  // namespace holdfast::impl::test
