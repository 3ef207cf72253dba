// The scripted world itself: how it carries out what the tracker pending_io. (No tests: its users are the tests.)
#include "unit/topology/scripted_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::impl::test {

void scripted_world::run_until(time_point end) {
   for (;;) {
      carry_out();
      const auto deadline = watched.next_deadline();
      const auto next = std::min(deadline, pending_.empty() ? never : pending_.begin()->first);
      if (next > end) break;
      now = std::max(now, next);
      // What arrived is delivered before the tick.
      if (!pending_.empty() && pending_.begin()->first <= now) {
         const auto what = std::move(pending_.begin()->second);
         pending_.erase(pending_.begin());
         what();
         continue;
      }
      watched.tick(now);
      ++ticks;
      ASSERT_GT(watched.next_deadline(), now) << "a tick that asks for another one at once";
   }
   now = end;
}

void scripted_world::away_for(duration d) {
   carry_out();
   now += d;
}

bool scripted_world::run_till(const std::function<bool()>& done, duration limit) {
   const auto end = now + limit;
   carry_out();
   while (!done()) {
      const auto next = std::min(watched.next_deadline(), pending_.empty() ? never : pending_.begin()->first);
      if (next > end) {
         now = end;
         return false;
      }
      run_until(std::max(now, next));
   }
   return true;
}

void scripted_world::carry_out() {
   while (const auto next = pending_io.take()) {
      const auto& [id, l, pending] = next;
      if (pending.dial) dial(*l);
      if (!pending.write) continue;
      const auto c = connection_of(*l);
      if (!c) continue;
      const auto span = l->out.pending();
      const std::string bytes(span.begin(), span.end());
      l->out.wrote(bytes.size());
      later(one_way, [this, c, bytes] { serve(c, bytes); });
   }
   std::vector<any_event> happened;
   events.take(happened);
   for (auto& e : happened) history.emplace_back(now, std::move(e));
}

scripted_world::connection_ptr scripted_world::connection_of(const link& l) const {
   for (const auto& c : connections_) {
      if (c->link == &l && c->serial == l.serial()) return c;
   }
   return nullptr;
}

void scripted_world::dial(link& l) {
   std::erase_if(connections_, [&](const auto& c) { return c->link == &l; });
   auto c = std::make_shared<connection>();
   c->link = &l;
   c->serial = l.serial();
   c->where = l.where();
   ++dials[c->where];
   if (auto& balancer = at(c->where); !balancer.behind.empty())
      c->where = balancer.behind[balancer.turn++ % balancer.behind.size()];
   const auto is = at(c->where).is;
   if (is == scripted_sentinel::condition::vanished) return;
   const bool refused = is == scripted_sentinel::condition::refusing;
   if (!refused) connections_.push_back(c);
   later(2 * one_way, [this, c, refused] {
      if (c->link->serial() != c->serial) return;
      if (refused) return c->link->lost("connection refused", now);
      c->link->opened(now);
   });
}

void scripted_world::serve(const connection_ptr& c, const std::string& bytes) {
   auto& s = at(c->where);
   if (s.is == scripted_sentinel::condition::stopped) c->held.push_back(bytes);
   if (s.is != scripted_sentinel::condition::working) return;
   put(*c->from_client, bytes);
   while (c->from_client->next() == reader::status::reply) {
      auto out = answer(*c, c->from_client->reply(), s);
      if (s.tamper) s.tamper(out, s.replies);
      ++s.replies;
      if (!out.empty()) reply(c, std::move(out));
   }
}

void scripted_world::reply(const connection_ptr& c, std::string bytes) {
   later(one_way + at(c->where).delay, [this, c, bytes = std::move(bytes)] {
      if (!alive(*c)) return;
      put(c->link->in, bytes);
      c->link->received(now);
   });
}

std::string scripted_world::answer(connection& c, value_view command, scripted_sentinel& s) {
   std::string name(command[0].text());
   if (name == "SENTINEL") name += " " + std::string(command[1].text());
   ++s.commands[name];
   if (name == "AUTH") {
      c.authenticated = command[command.size() - 1].text() == s.password;
      return c.authenticated ? "+OK\r\n" : "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
   }
   if (!s.password.empty() && !c.authenticated) return "-NOAUTH Authentication required.\r\n";
   if (name == "PING") return c.subscribed ? texts({"pong", ""}) : "+PONG\r\n";
   if (name == "SUBSCRIBE") {
      c.subscribed = true;
      std::string out;
      for (std::size_t i = 1; i < command.size(); ++i)
         out += array({bulk("subscribe"), bulk(command[i].text()), ":" + std::to_string(i) + "\r\n"});
      return out;
   }
   if (!s.role.empty()) return answer_server(name, s);
   return name.starts_with("SENTINEL ") ? answer_sentinel(command, s) : "-ERR unknown command\r\n";
}

std::string scripted_world::answer_sentinel(value_view command, scripted_sentinel& s) {
   const auto what = command[1].text();
   if (what == "MYID") return s.id.empty() ? "-ERR Unknown sentinel subcommand 'MYID'\r\n" : bulk(s.id);
   if (what == "GET-MASTER-ADDR-BY-NAME") return s.knows_the_name ? address_reply(s.master) : nil_array;
   if (!s.knows_the_name) return no_such_master;
   if (what == "MASTER") {
      return master_reply{
         s.shown.empty() ? s.master : s.shown, s.epoch, s.flags, "1000", std::to_string(s.others.size()),
         std::to_string(s.replicas.size()),    s.run_id}
         .bytes();
   }
   std::vector<std::string> entries;
   if (what == "REPLICAS") {
      for (const auto& r : s.replicas) entries.push_back(listed(r.where, r.id));
      return array(entries);
   }
   for (const auto& [where, id] : s.others) entries.push_back(listed(where, id));
   return array(entries);
}

std::string scripted_world::answer_server(const std::string& name, const scripted_sentinel& s) {
   if (name == "CLIENT") return "+OK\r\n";
   if (name == "HELLO" && s.knows_hello) return texts({"server", "redis", "mode", "standalone", "role", s.role});
   const std::string host = s.follows.host;
   const std::string port = std::to_string(s.follows.port);
   if (name == "ROLE" && s.knows_role) {
      if (s.role == "master") return array({bulk("master"), ":0\r\n", "*0\r\n"});
      return array({bulk("slave"), bulk(host), ":" + port + "\r\n", bulk("connected"), ":0\r\n"});
   }
   if (name == "INFO")
      return bulk("# Replication\r\nrole:" + s.role + "\r\nmaster_host:" + host + "\r\nmaster_port:" + port + "\r\n");
   return "-ERR unknown command\r\n";
}

void scripted_world::lose(const connection_ptr& c, const std::string& why) {
   later(one_way, [this, c, why] {
      if (c->link->serial() != c->serial) return;
      c->link->lost(why, now);
   });
}

void scripted_world::publish(const endpoint& sentinel, std::string_view channel, std::string_view payload) {
   for (const auto& c : connections_) {
      if (c->where != sentinel || !c->subscribed || !alive(*c)) continue;
      reply(c, texts({"message", std::string(channel), std::string(payload)}));
   }
}

void scripted_world::cut(const endpoint& sentinel) {
   for (const auto& c : connections_) {
      if (c->where == sentinel) lose(c, "the connection was closed by the server");
   }
}

void scripted_world::cut_subscription(const endpoint& sentinel) {
   for (const auto& c : connections_) {
      if (c->where == sentinel && c->subscribed) lose(c, "the connection was closed by the server");
   }
}

void scripted_world::cut_questions(const endpoint& sentinel) {
   for (const auto& c : connections_) {
      if (c->where == sentinel && !c->subscribed) lose(c, "the connection was closed by the server");
   }
}

void scripted_world::set(const endpoint& sentinel, scripted_sentinel::condition is) {
   at(sentinel).is = is;
   for (const auto& c : connections_) {
      if (c->where != sentinel) continue;
      if (is == scripted_sentinel::condition::refusing) lose(c, "the connection was closed by the server");
      if (is != scripted_sentinel::condition::working) continue;
      for (const auto& bytes : std::exchange(c->held, {})) later(0ms, [this, c, bytes] { serve(c, bytes); });
   }
}

unsigned scripted_world::subscriptions(const endpoint& sentinel) const {
   return static_cast<unsigned>(std::count_if(connections_.begin(), connections_.end(), [&](const auto& c) {
      return c->where == sentinel && c->subscribed && alive(*c);
   }));
}

unsigned scripted_world::connections(const endpoint& where) const {
   return static_cast<unsigned>(std::count_if(connections_.begin(), connections_.end(),
                                              [&](const auto& c) { return c->where == where && alive(*c); }));
}

}  // namespace holdfast::impl::test
