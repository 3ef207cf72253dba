#include "unit/lane/script.hpp"

#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace holdfast::impl::test {

std::string hello(std::string_view role, std::string_view mode) {
   return "%4\r\n" + bulk("server") + bulk("redis") + bulk("proto") + number(3) + bulk("mode") + bulk(mode) +
          bulk("role") + bulk(role);
}

std::string verbatim(std::string_view text) {
   return "=" + std::to_string(text.size() + 4) + "\r\ntxt:" + std::string(text) + "\r\n";
}

std::string client_info(unsigned id, std::string_view address, std::string_view run_id) {
   const std::string seen = address.empty() ? "10.9.9.9:" + std::to_string(40'000 + id) : std::string(address);
   const std::string line = "id=" + std::to_string(id) + " addr=" + seen + " laddr=10.0.0.1:6379 fd=8 name= db=0\n";
   return verbatim(line) + server_info(run_id);
}

std::string server_info(std::string_view run_id) {
   return verbatim("# Server\r\nredis_version:7.0.15\r\nrun_id:" + std::string(run_id) + "\r\ntcp_port:6379\r\n");
}

settings with_password(std::string user, std::string password) {
   settings s;
   s.initial.username = std::move(user);
   s.initial.password = std::move(password);
   return s;
}

namespace {

constexpr std::string_view code_names[] = {
   "none",
   "deadline_exceeded",
   "connection_lost",
   "no_sentinel",
   "unknown_master",
   "no_master",
   "refused",
   "authentication_failed",
   "server_error",
   "protocol_error",
   "queue_full",
   "limit_exceeded",
   "circuit_open",
   "retry_budget_exhausted",
   "cancelled",
   "not_durable",
   "not_supported",
   "type_mismatch",
   "invalid_argument",
   "concurrent_use",
};

std::string joined(const std::vector<std::string>& parts) {
   std::string all;
   for (const auto& p : parts) all += (all.empty() ? "" : "; ") + p;
   return all;
}

std::vector<std::string> whole_commands(reader& in) {
   std::vector<std::string> found;
   while (in.next() == reader::status::reply) {
      const value_view c = in.reply();
      std::string text;
      for (std::size_t i = 0; i < c.size(); ++i) text += (i == 0 ? "" : " ") + std::string(c[i].text());
      found.push_back(text);
   }
   return found;
}

std::string text_of(const command& c) {
   std::string text;
   for (const auto argument : c.arguments()) text += (text.empty() ? "" : " ") + std::string(argument);
   return text;
}

std::string text_of(const value& v) {
   const bool is_text = v.kind() == kind::string || v.kind() == kind::status;
   return is_text ? v.as<std::string>() : to_string(v);
}

}  // namespace

command words(std::string_view line) {
   std::vector<std::string_view> arguments;
   while (!line.empty()) {
      const auto end = std::min(line.find(' '), line.size());
      arguments.push_back(line.substr(0, end));
      line.remove_prefix(std::min(end + 1, line.size()));
   }
   return command::from(arguments);
}

std::string call::says() const {
   if (!op.done) return "waiting";
   if (results.back()) return text_of(*results.back());
   const auto code = static_cast<std::size_t>(error().code().value());
   return std::string(to_string(error().outcome)) + ", " + std::string(code_names[code]);
}

bool call::has_cause(std::string_view part) const {
   if (!op.done || results.back()) return false;
   return std::any_of(error().causes.begin(), error().causes.end(),
                      [&](const std::string& c) { return c.find(part) != std::string::npos; });
}

void scripted_topology::publish() {
   constexpr auto all = std::numeric_limits<std::uint64_t>::max();
   ++view.version;
   port.update({std::make_shared<const topology_view>(view), answers ? all : answered_});
}

void scripted_topology::take_requests() {
   const auto r = port.take_requests();
   asked = static_cast<unsigned>(r.asked);
   needed = r.commands_wait;
   for (const auto& one : r.reports) {
      roles_told.push_back(one.where.host + " is " + (one.verified ? "master" : one.role));
      generation_told = one.generation;
   }
}

script::script(settings s, retry_budget_settings b)
   : budget(b),
     main(list, limits{}),
     probe_link(list, limits{}),
     subject(std::move(s), main, probe_link, watch.port, budget, events, counts, 1) {}

// Every call ends at most once, and what ended is no longer anywhere in the lane.
script::~script() {
   for (const call& c : calls_) {
      EXPECT_EQ(std::count(finished_.begin(), finished_.end(), &c.op), c.op.done ? 1 : 0);
      EXPECT_TRUE(!c.op.done || c.op.is == operation::state::idle);
   }
}

call& script::submit_unit(std::initializer_list<std::string_view> lines, terms t) {
   std::vector<command> commands;
   for (const auto& line : lines) commands.push_back(words(line));
   return submit_commands(std::move(commands), t);
}

call& script::submit_commands(std::vector<command> commands, terms t) {
   call& c = calls_.emplace_back();
   c.commands = std::move(commands);
   c.results.resize(c.commands.size());
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   c.op.delivery = t.delivery;
   c.op.group = t.group;
   c.op.form = t.form;
   c.op.pinned_to = t.pinned_to;
   c.op.submitted = now;
   c.op.default_deadline = !t.deadline;
   if (t.deadline) c.op.deadline = after(now, *t.deadline);
   watch.publish();
   subject.submit(c.op, now);
   settle();
   return c;
}

void script::cancel(call& c) {
   watch.publish();
   subject.cancel(c.op, now);
   settle();
}

void script::open() {
   watch.publish();
   ASSERT_EQ(main.now(), link::state::dialing);
   at_server_.reset();
   unanswered = 0;
   main.opened(now);
   settle();
}

std::string script::accept() {
   std::string all;
   while (pending() != 0) {
      const std::string more = accept(pending());
      if (!more.empty()) all += (all.empty() ? "" : "; ") + more;
   }
   return all;
}

std::string script::accept(std::size_t n) {
   watch.publish();
   const auto bytes = main.out.pending();
   n = std::min(n, bytes.size());
   put(at_server_, {bytes.data(), n});
   const auto commands = whole_commands(at_server_);
   unanswered += commands.size();
   arrived.insert(arrived.end(), commands.begin(), commands.end());
   main.wrote(n, now);
   settle();
   return joined(commands);
}

void script::answer(std::string_view bytes, std::size_t chunk) {
   const auto serial = main.serial();
   watch.publish();
   while (!bytes.empty() && main.serial() == serial) {
      const auto n = chunk == 0 ? bytes.size() : std::min(chunk, bytes.size());
      put(main.in, bytes.substr(0, n));
      bytes.remove_prefix(n);
      main.received(now);
      settle();
   }
}

void script::lose(std::string_view why) {
   watch.publish();
   ASSERT_NE(main.now(), link::state::closed);
   main.lost(why, now);
   settle();
}

std::string script::connect(unsigned id, std::string_view kill_reply) {
   open();
   const std::string asked = accept();
   const auto first = static_cast<std::ptrdiff_t>(arrived.size() - unanswered);
   const std::vector<std::string> steps(arrived.begin() + first, arrived.end());
   unanswered = 0;
   for (const auto& step : steps) {
      if (step.starts_with("HELLO"))
         answer(hello());
      else if (step == "CLIENT INFO")
         answer(client_info(id, {}, run_id_of(main.where())));  // INFO server's with it
      else if (step != "INFO server")
         answer(step.starts_with("CLIENT KILL") ? kill_reply : std::string_view(ok));
   }
   return asked;
}

void script::warm_up() {
   const call& first = submit("PING");
   connect();
   EXPECT_EQ(accept(), "PING");
   answer(pong);
   EXPECT_EQ(first.says(), "PONG");
   arrived.clear();
   unanswered = 0;
   pending_io();
}

void script::answer_all() {
   for (; unanswered != 0; --unanswered) answer(ok);
}

call& script::send_unit(std::initializer_list<std::string_view> lines, terms t) {
   call& c = submit_unit(lines, t);
   const std::string whole = joined({lines.begin(), lines.end()});
   EXPECT_NE(accept().find(whole), std::string::npos) << whole << " was not taken";
   return c;
}

call& script::refused(std::string_view line, std::string_view replies, terms t) {
   call& c = send(line, t);
   answer(replies);
   return c;
}

call& script::lost(std::string_view line, terms t) {
   call& c = send(line, t);
   lose();
   return c;
}

void script::await_dial() {
   for (const time_point end = now + 2s; main.now() != link::state::dialing && now < end;) advance(1ms);
}

std::string script::reconnects_to(const endpoint& node, unsigned id, std::string_view kill_reply) {
   await_dial();
   EXPECT_EQ(main.where(), node);
   return connect(id, kill_reply);
}

std::string script::reconnects(unsigned id, std::string_view kill_reply) {
   lose();
   await_dial();
   return connect(id, kill_reply);
}

std::string script::greet(std::string_view replies) {
   open();
   std::string asked = accept();
   answer(replies);
   return asked;
}

void script::serve(std::string_view commands, std::string_view replies, std::source_location l) {
   const testing::ScopedTrace here(l.file_name(), static_cast<int>(l.line()), "these commands, which are answered");
   EXPECT_EQ(accept(), commands);
   answer(replies);
}

void script::expect_sent(std::initializer_list<const call*> calls, std::string_view replies, std::source_location l) {
   const testing::ScopedTrace here(l.file_name(), static_cast<int>(l.line()), "these calls and their replies");
   std::vector<std::string> lines;
   for (const call* c : calls)
      for (const command& each : c->commands) lines.push_back(text_of(each));
   EXPECT_EQ(accept(), joined(lines));
   reader in{limits{}};
   put(in, replies);
   std::vector<std::string> last;
   for (const call* c : calls) {
      for (std::size_t i = 0; i < c->commands.size(); ++i) ASSERT_EQ(in.next(), reader::status::reply);
      last.push_back(text_of(value(in.reply())));
   }
   answer(replies);
   for (std::size_t i = 0; i < calls.size(); ++i) EXPECT_EQ(calls.begin()[i]->says(), last[i]);
}

void script::expect_resent(std::initializer_list<const call*> calls, std::string_view replies, std::source_location l) {
   expect_sent(calls, replies, l);
   const testing::ScopedTrace here(l.file_name(), static_cast<int>(l.line()), "sent again");
   for (const call* c : calls) EXPECT_GT(c->op.attempts, 1U);
}

void expect_end(const call& c, std::string_view says, std::string_view cause, std::source_location l) {
   const testing::ScopedTrace here(l.file_name(), static_cast<int>(l.line()), "how this call ended");
   EXPECT_EQ(c.says(), says);
   EXPECT_TRUE(c.has_cause(cause)) << cause;
}

void expect_refused(const call& c, std::string_view says, std::string_view server_text, std::source_location l) {
   const testing::ScopedTrace here(l.file_name(), static_cast<int>(l.line()), "what the server said of this call");
   EXPECT_EQ(c.says(), says);
   ASSERT_TRUE(c.done());
   EXPECT_EQ(c.error().server_text, server_text);
}

void script::expect_fenced(const call& c, std::source_location l) {
   const testing::ScopedTrace here(l.file_name(), static_cast<int>(l.line()), "unknown, and fenced");
   EXPECT_EQ(c.says(), "unknown, connection_lost");
   EXPECT_FALSE(c.has_cause("not fenced"));
}

std::string script::probe(std::string_view reply) {
   open_probe();
   std::string asked = accept_probe();
   if (!reply.empty()) answer_probe(reply);
   return asked;
}

void script::open_probe() {
   ASSERT_EQ(probe_link.now(), link::state::dialing);
   probe_link.opened(now);
   settle();
}

std::string script::accept_probe() {
   reader in{limits{}};
   const auto bytes = probe_link.out.pending();
   put(in, {bytes.data(), bytes.size()});
   probe_link.out.wrote(bytes.size());
   return joined(whole_commands(in));
}

void script::answer_probe(std::string_view bytes) {
   put(probe_link.in, bytes);
   probe_link.received(now);
   settle();
}

void script::lose_probe() {
   probe_link.lost("closed by the other side", now);
   settle();
}

void script::advance(duration d) {
   watch.publish();
   const time_point end = now + d;
   while (subject.next_deadline() <= end) {
      now = std::max(now, subject.next_deadline());
      if (way && subject.wants_transit(now)) main.measured(*way, now);
      subject.tick(now);
      settle();
      ASSERT_GT(subject.next_deadline(), now) << "it asks for a tick that changes nothing";
   }
   now = end;
}

void script::on_view() {
   watch.publish();
   subject.on_view(now);
   settle();
}

void script::name(const endpoint& where, std::uint64_t epoch, std::string run_id) {
   watch.name(where, epoch, std::move(run_id));
   on_view();
}

void script::agree_on_down(bool is_down) {
   watch.view.objectively_down = is_down;
   on_view();
}

std::string script::news() {
   std::vector<std::string> all;
   for (; news_read_ < history.size(); ++news_read_) {
      const any_event& e = history[news_read_];
      if (std::holds_alternative<event::suspected>(e)) all.emplace_back("suspected");
      if (std::holds_alternative<event::suspicion_cleared>(e)) all.emplace_back("cleared");
      if (std::holds_alternative<event::connection_lost>(e)) all.emplace_back("lost");
   }
   return joined(all);
}

std::string script::pending_io() { return joined(std::exchange(pending_, {})); }

void script::settle() {
   watch.take_requests();
   while (const auto next = list.take()) {
      const auto& [id, l, pending] = next;
      const bool is_probe = l == &probe_link;
      if (pending.close != link::ending::none) {
         const bool abortive = pending.close == link::ending::abortive;
         pending_.emplace_back(is_probe ? "unprobe" : abortive ? "abort" : "close");
      }
      if (pending.dial) pending_.push_back((is_probe ? "probe " : "dial ") + l->where().host);
   }
   std::vector<any_event> fresh;
   events.take(fresh);
   history.insert(history.end(), fresh.begin(), fresh.end());
   while (operation* op = subject.take_done()) {
      EXPECT_TRUE(op->done);
      finished_.push_back(op);
   }
   if (calls_.size() > 20) return;  // it would take as long as the square of their number
   const auto is_in_flight = [](const call& c) { return c.op.is == operation::state::in_flight; };
   EXPECT_EQ(counts.snapshot().in_flight, std::count_if(calls_.begin(), calls_.end(), is_in_flight));
}

}  // namespace holdfast::impl::test
