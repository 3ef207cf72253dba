#include "unit/lane/random_world.hpp"

#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

namespace holdfast::impl::test {

random_world::random_world(std::uint64_t seed) : seed_(seed), random_(seed), kill_is_forbidden_(chance(15)) {
   nodes_.resize(2);
   nodes_[0].where = node_a;
   nodes_[1].where = node_b;
   settings s;
   s.attempt_timeout = 300ms;
   s.connecting.connect_timeout = 150ms;
   if (chance(20)) s.in_flight = 3;
   if (chance(20)) s.max_resends = 2;
   lane_ = std::make_unique<command_lane>(s, main_, probe_, topology_.port, budget_, events_, seed);
   topology_.publish();
}

void random_world::run(unsigned steps) {
   for (unsigned i = 0; i < steps; ++i) {
      step();
      carry_out();
   }
   finish();
}

void random_world::step() {
   const auto roll = below(100);
   if (roll < 14) return submit();
   if (roll < 30) return open();
   if (roll < 48) return accept(chance(50) ? 1 + below(60) : 100'000);
   if (roll < 66) {
      auto& n = nodes_[below(nodes_.size())];
      if (!n.connections.empty()) serve(*n.connections[below(n.connections.size())]);
      return;
   }
   if (roll < 84) return deliver(chance(50) ? 1 + below(20) : 100'000);
   if (roll < 87) return break_connection(false);
   if (roll < 89) return break_connection(true);
   if (roll < 91) return fail_over();
   if (roll < 92) return restart();
   if (roll < 93) return cancel_one();
   if (roll < 94) return void(nodes_[below(2)].loading = chance(30));
   if (roll < 95) return void(nodes_[below(2)].full = chance(30));
   pass(std::chrono::milliseconds(1 + below(chance(20) ? 400 : 30)));
}

// ---- the callers ---------------------------------------------------------------------------------------------------

void random_world::submit() {
   client_call& c = calls_.emplace_back();
   c.id = calls_.size() - 1;
   c.kind = static_cast<what>(below(4));
   const std::string id = std::to_string(c.id);
   switch (c.kind) {
      case what::push: c.commands = {words("RPUSH l " + id)}; break;
      case what::set: c.commands = {words("SET k " + id)}; break;
      case what::transaction: c.commands = {words("MULTI"), words("RPUSH l " + id), words("EXEC")}; break;
      case what::read: c.commands = {words("GET k")}; break;
   }
   c.results.resize(c.commands.size());
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   c.op.submitted = now_;
   c.op.deadline = now_ + std::chrono::milliseconds(20 + below(2000));
   if (chance(25)) c.op.delivery = chance(50) ? delivery::at_most_once : delivery::at_least_once;
   lane_->submit(c.op, now_);
}

void random_world::cancel_one() {
   if (calls_.empty()) return;
   client_call& c = calls_[below(calls_.size())];
   if (!c.op.done) lane_->cancel(c.op, now_);
}

// ---- the runtime ---------------------------------------------------------------------------------------------------

void random_world::carry_out() {
   while (const auto next = io_.take()) {
      // What the kernel has taken goes on its way, whatever becomes of the connection.
      const auto& pending = next.pending_io;
      if (next.holder == &main_ && (pending.close != link::ending::none || pending.dial)) now_connected_.reset();
   }
   std::vector<any_event> told;
   events_.take(told);
   for (const auto& e : told) resent_ += std::holds_alternative<event::resent>(e) ? 1 : 0;
   while (lane_->take_done() != nullptr) {
   }
}

void random_world::open() {
   if (main_.now() != link::state::dialing) return;
   if (chance(10)) return main_.lost("connection refused", now_);
   now_connected_ = std::make_shared<connection>();
   now_connected_->id = ++connections_;
   now_connected_->node = main_.where() == node_a ? 0 : 1;
   now_connected_->address = "10.9.9.9:" + std::to_string(connections_);
   nodes_[now_connected_->node].connections.push_back(now_connected_);
   main_.opened(now_);
}

void random_world::accept(std::size_t n) {
   if (!now_connected_ || !main_.is_open()) return;
   const auto bytes = main_.out.pending();
   n = std::min(n, bytes.size());
   if (!now_connected_->dead) {
      put(now_connected_->in, {bytes.data(), n});
      while (now_connected_->in.next() == reader::status::reply) {
         const value_view c = now_connected_->in.reply();
         auto& arguments = now_connected_->unread.emplace_back();
         for (std::size_t i = 0; i < c.size(); ++i) arguments.emplace_back(c[i].text());
      }
   }
   main_.wrote(n, now_);
}

void random_world::deliver(std::size_t n) {
   if (!now_connected_ || !main_.is_open()) return;
   n = std::min(n, now_connected_->replies.size());
   if (n == 0) return;
   put(main_.in, {now_connected_->replies.data(), n});
   now_connected_->replies.erase(0, n);
   main_.received(now_);
}

// By the network, and what was written may still run; or by the server, and it does not.
void random_world::break_connection(bool by_server) {
   if (!now_connected_ || !main_.is_open()) return;
   if (by_server) now_connected_->dead = true;
   now_connected_.reset();
   main_.lost("connection reset by peer", now_);
}

void random_world::pass(duration d) {
   const time_point end = now_ + d;
   while (lane_->next_deadline() <= end) {
      now_ = std::max(now_, lane_->next_deadline());
      lane_->tick(now_);
      carry_out();
      ASSERT_GT(lane_->next_deadline(), now_) << "seed " << seed_;
   }
   now_ = end;
}

// ---- the servers ---------------------------------------------------------------------------------------------------

// The replica has all that the master ran. The old master goes on running what reaches it, and is cleaned (its
// clients killed, its history replaced) when it becomes the master again.
void random_world::fail_over() {
   const std::size_t next = 1 - master_;
   for (auto& c : nodes_[next].connections) c->dead = true;
   nodes_[next].connections.clear();
   nodes_[next].history = nodes_[master_].history;
   nodes_[next].loading = false;
   master_ = next;
   topology_.name(nodes_[next].where, ++epoch_);
   topology_.publish();
   lane_->on_view(now_);
}

void random_world::restart() {
   ++nodes_[master_].processes;
   for (auto& c : nodes_[master_].connections) c->dead = true;
   nodes_[master_].connections.clear();
   if (now_connected_ && now_connected_->node == master_) break_connection(true);
}

void random_world::serve(connection& c) {
   if (c.dead || c.unread.empty()) return;
   const auto arguments = c.unread.front();
   c.unread.pop_front();
   c.replies += answer(c, arguments);
}

std::string random_world::refusal(const connection& c, const std::string& name) const {
   const node& n = nodes_[c.node];
   if (n.full && (name == "SET" || name == "RPUSH")) return "OOM command not allowed when used memory > 'maxmemory'.";
   if (n.loading) return "LOADING Redis is loading the dataset in memory";
   return {};
}

std::string random_world::answer(connection& c, const std::vector<std::string>& words) {
   const std::string& name = words[0];
   if (name == "HELLO") return hello();
   const std::string process = std::to_string(c.node) + "-" + std::to_string(nodes_[c.node].processes);
   if (name == "CLIENT" && words[1] == "INFO") return client_info(c.id, c.address, process);  // and INFO server
   if (name == "INFO") return {};
   if (name == "ROLE") return "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";  // a HELLO that broke off is asked the old way
   if (name == "CLIENT") return kill(words);
   if (name == "MULTI") return c.in_multi = true, ok;
   if (name == "EXEC") return answer_exec(c);
   if (const auto why = refusal(c, name); !why.empty()) {
      c.failed_multi = c.failed_multi || c.in_multi;
      return refuses(why);
   }
   if (c.in_multi) return c.queued.push_back(words), queued;
   if (name == "PING") return pong;
   return run_write(c, words);
}

std::string random_world::run_write(connection& c, const std::vector<std::string>& words) {
   if (words[0] == "GET") return "_\r\n";
   const std::size_t id = std::stoul(words[2]);
   ++calls_[id].runs;
   nodes_[c.node].history.push_back(id);
   return words[0] == "SET" ? ok : number(1);
}

std::string random_world::answer_exec(connection& c) {
   c.in_multi = false;
   const auto all = std::exchange(c.queued, {});
   if (std::exchange(c.failed_multi, false)) {
      return refuses("EXECABORT Transaction discarded because of previous errors.");
   }
   for (const auto& words : all) {
      if (const auto why = refusal(c, words[0]); !why.empty()) {
         return refuses("EXECABORT Transaction discarded because of: " + why);
      }
   }
   std::string out = "*" + std::to_string(all.size()) + "\r\n";
   for (const auto& words : all) out += run_write(c, words);
   return out;
}

std::string random_world::kill(const std::vector<std::string>& words) {
   if (kill_is_forbidden_) return refuses("NOPERM User ann has no permissions to run the 'client|kill' command");
   long long killed = 0;
   for (auto& n : nodes_) {
      for (auto& c : n.connections) {
         if (c->dead || std::to_string(c->id) != words[3] || (words.size() > 5 && c->address != words[5])) continue;
         c->dead = true;
         ++killed;
      }
   }
   return number(killed);
}

// ---- the end -------------------------------------------------------------------------------------------------------

bool random_world::all_done() const {
   return std::all_of(calls_.begin(), calls_.end(), [](const client_call& c) { return c.op.done; });
}

void random_world::finish() {
   for (auto& n : nodes_) n.loading = n.full = false;
   for (unsigned i = 0; i < 2000 && !all_done(); ++i) {
      if (main_.now() == link::state::dialing) open();
      accept(100'000);
      if (now_connected_) {
         while (!now_connected_->dead && !now_connected_->unread.empty()) serve(*now_connected_);
      }
      deliver(100'000);
      carry_out();
      pass(5ms);
      carry_out();
   }
   for (auto& n : nodes_) {
      for (auto& c : n.connections) {
         while (!c->dead && !c->unread.empty()) serve(*c);
      }
   }
}

void random_world::check_outcomes() const {
   EXPECT_TRUE(all_done()) << "seed " << seed_;
   for (const client_call& c : calls_) check_call(c);
   if (!kill_is_forbidden_) check_order();
}

void random_world::check_call(const client_call& c) const {
   if (!c.op.done || c.kind == what::read) return;
   const auto& last = c.results.back();
   const auto& kept = nodes_[master_].history;
   const auto times = std::count(kept.begin(), kept.end(), c.id);
   const bool repeats =
      c.op.delivery == delivery::at_least_once || (c.op.delivery == delivery::automatic && c.kind == what::set);
   const std::string name = "seed " + std::to_string(seed_) + ", call " + std::to_string(c.id);
   if (last) {
      EXPECT_GE(times, 1) << name << ": acknowledged, and not there";
      EXPECT_TRUE(repeats || c.runs == 1) << name << ": ran " << c.runs << " times";
      return;
   }
   switch (last.error().outcome) {
      case outcome::not_executed: EXPECT_EQ(c.runs, 0U) << name << ": not executed, " << last.error().what(); return;
      case outcome::unknown:
         EXPECT_TRUE(repeats || c.runs <= 1) << name << ": ran " << c.runs << " times";
         EXPECT_GE(last.error().attempts, 1U) << name;
         return;
      case outcome::executed: ADD_FAILURE() << name << ": nothing here fails after it ran";
   }
}

// What was acknowledged stands in the order in which it was given.
void random_world::check_order() const {
   std::set<std::size_t> counted;
   std::size_t newest = calls_.size();
   const auto& kept = nodes_[master_].history;
   for (auto id = kept.rbegin(); id != kept.rend(); ++id) {
      if (!calls_[*id].results.back() || !counted.insert(*id).second) continue;
      EXPECT_LT(*id, newest) << "seed " << seed_ << ": call " << *id << " has overtaken call " << newest;
      newest = *id;
   }
}

unsigned random_world::count(std::string_view how) const {
   unsigned n = 0;
   for (const client_call& c : calls_) {
      const auto& last = c.results.back();
      n += (last ? "ok" : to_string(last.error().outcome)) == how ? 1 : 0;
   }
   return n;
}

namespace {

TEST(random_worlds, nobody_is_told_what_is_not_true) {
   unsigned fine = 0, unknown = 0, not_run = 0, resent = 0;
   for (std::uint64_t seed = 1; seed <= 2500 && !testing::Test::HasFailure(); ++seed) {
      random_world w(seed);
      w.run(400);
      w.check_outcomes();
      fine += w.count("ok");
      unknown += w.count("unknown");
      not_run += w.count("not_executed");
      resent += w.resent();
   }
   // The test is worth something only if all of it happens.
   EXPECT_GT(fine, 20'000U);
   EXPECT_GT(unknown, 1000U);
   EXPECT_GT(not_run, 1000U);
   EXPECT_GT(resent, 1000U);
}

}  // namespace
}  // namespace holdfast::impl::test
