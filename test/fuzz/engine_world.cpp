#include "fuzz/engine_world.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::fuzz {
namespace {

config settings_of(input& in) {
   config c;
   if (in.one_in(3)) {
      c.server = in.one_in(2) ? endpoint{"redis.example", 6379} : node_a;
   } else {
      for (int i = 1; i != 4; ++i) c.sentinels.push_back({"10.0.1." + std::to_string(i), sentinel_port});
      c.master = "mymaster";
   }
   const std::uint8_t bits = in.byte();
   if (bits & 1) c.breaker.emplace();
   if (bits & 2) c.limits.in_flight = 2;
   if (bits & 4) c.resend.max_resends = 1;
   if (bits & 8) c.deadline = 700ms;
   if (bits & 16) c.limits.parked_commands = 3;
   if (bits & 32) c.resend.budget = {.ratio = 0, .per_second = 0};
   if (bits & 64) c.reconnect_spread = 50ms;
   if (bits & 128) c.db = 1;
   c.limits.reply_bytes = 1 << 16;
   c.limits.reply_elements = 1 << 12;
   c.observer = [](const any_event&) {};
   require(validate(c).has_value(), "the settings are sound");
   return c;
}

}  // namespace

engine_world::engine_world(input& in) : in_(in), settings_(settings_of(in)), master_(node_a) {
   held_names_ = in.one_in(4);
   const std::uint8_t seed = in.byte();
   lists_replicas_ = (seed & 0x80) && !settings_.sentinels.empty();
   if (lists_replicas_) {
      settings_.warm_replicas = !(seed & 0x40);
      settings_.follow_role_hint = seed & 0x20;
      if (seed & 0x10) settings_.cutover = cutover::confirmed;
      if (seed & 0x08) settings_.hold_on_selected = {};
      nodes_[node_c].role = "slave";
   }
   subject_ = std::make_unique<impl::engine>(settings_, seed);
   nodes_[node_b].role = "slave";
   nodes_[node_a].role = "master";
}

void engine_world::run() {
   for (unsigned steps = 0; !in_.empty() && steps != 1500; ++steps) {
      step();
      look();
   }
   heal();
}

engine_world::connection* engine_world::some(std::size_t which) const {
   if (live_.empty()) return nullptr;
   return std::next(live_.begin(), static_cast<std::ptrdiff_t>(which % live_.size()))->second.get();
}

void engine_world::step() {
   const auto what = in_.below(lists_replicas_ ? 32 : 24);
   if (what >= 24) return step_of_failover(what);
   if (what < 4) return submit();
   if (what == 4) return cancel();
   if (what == 5) return pass(in_.byte() * 1ms);
   if (what == 6) return pass(in_.byte() * 20ms);
   if (what == 7) {  // nobody looks for a while
      now_ += in_.byte() * 50ms;
      return tick();
   }
   if (what == 8) return fail_over();
   if (what == 9) return publish();
   if (what == 10) return void(nodes_[in_.one_in(2) ? node_a : node_b].gate = static_cast<unsigned>(in_.below(10)));
   if (what == 11) {
      if (!gone_.empty()) serve(*gone_[in_.byte() % gone_.size()]);
      return;
   }
   if (what < 16) {
      for (std::size_t rounds = 1 + in_.below(8); rounds != 0 && settle(); --rounds) {
      }
      return;
   }
   connection* const c = some(in_.byte());
   if (c == nullptr) return;
   switch (what) {
      case 16: return c->is == connection::state::resolving ? resolve(*c) : open(live_[c->link], !in_.one_in(4));
      case 17: return accept(*c, in_.number());
      case 18: return serve(*c);
      case 19: return deliver(*c, in_.byte());
      case 20: return garbage(*c);
      case 21: return cut(*c, in_.one_in(2));
      case 22: return stale(*c);
      default: return deliver(*c, c->replies.size());
   }
}

// ---- the callers ---------------------------------------------------------------------------------------------------

void engine_world::submit() {
   if (calls_.size() == 300) return;
   call& c = calls_.emplace_back();
   const std::string number = std::to_string(calls_.size() - 1);
   c.what = static_cast<kind>(in_.below(8));
   constexpr std::string_view states[] = {"0", "3", "99"};
   switch (c.what) {
      case kind::push: c.commands.push_back({"RPUSH", "l", number}); break;
      case kind::set: c.commands.push_back({"SET", "k", number}); break;
      case kind::get: c.commands.push_back({"GET", "k" + number}); break;
      case kind::transaction: c.commands = {command{"MULTI"}, command{"RPUSH", "l", number}, command{"EXEC"}}; break;
      case kind::pop: c.commands.push_back({"BLPOP", "q" + number, in_.below(3)}); break;
      case kind::state: c.commands.push_back({"SELECT", states[in_.below(3)]}); break;
      case kind::script: c.commands.push_back({"EVAL", "return 1", 0, number}); break;
      case kind::any: {
         std::vector<std::string_view> words;
         for (std::size_t n = 1 + in_.below(4); n != 0; --n) words.push_back(in_.line());
         c.commands.push_back(command::from(words));
      }
   }
   constexpr std::array promises{delivery::automatic, delivery::at_most_once, delivery::at_least_once};
   c.op.delivery = promises[in_.below(3)];
   c.repeats = c.op.delivery == delivery::at_least_once || c.what == kind::get || c.what == kind::state ||
               c.what == kind::any || (c.op.delivery == delivery::automatic && c.what == kind::set);
   c.results.resize(c.commands.size());
   c.op.commands = c.commands;
   c.op.results = c.results.data();
   c.op.submitted = now_;
   const auto patience = in_.below(4);
   c.op.default_deadline = patience == 0;
   c.op.deadline = patience == 0   ? never
                   : patience == 3 ? now_
                                   : now_ + in_.byte() * (patience == 1 ? duration(1ms) : duration(100ms));
   if (settings_.deadline && patience == 0) c.op.deadline = now_ + *settings_.deadline;
   c.excused = std::any_of(live_.begin(), live_.end(), [](const auto& l) { return l.second->lying; });
   ++active_;
   subject_->submit(c.op, now_);
   carry_out();
}

void engine_world::cancel() {
   if (calls_.empty()) return;
   call& c = calls_[in_.byte() % calls_.size()];
   if (c.ended) return;
   subject_->cancel(c.op, now_);
   carry_out();
   require(c.ended, "what is cancelled has ended");
}

void engine_world::finished(call& c) {
   require(!c.ended, "an operation ends once");
   require(c.op.done, "what is handed back is done");
   c.ended = true;
   --active_;
   const auto& last = c.results.back();
   const std::string said = to_string(c.commands.back()) + " -> " + (last ? to_string(*last) : last.error().what());
   if (!last) {
      const std::string what = last.error().what();
      require(std::none_of(what.begin(), what.end(), [](char ch) { return static_cast<unsigned char>(ch) < ' '; }),
              "an error is one line");
   }
   if (c.excused || c.what == kind::any || c.what == kind::state) return;
   if (last) {
      require(c.whole > c.refused, "what is answered was written", said);
      if (c.what == kind::push || c.what == kind::transaction) require(c.runs != 0, "what is acknowledged ran", said);
   } else if (last.error().outcome == outcome::not_executed) {
      require(c.whole == c.refused, "not executed: no server has it that did not refuse it", said);
      require(c.runs == 0 || c.what == kind::set, "not executed: it did not run", said);
   } else if (last.error().outcome == outcome::unknown) {
      const auto& causes = last.error().causes;
      const bool fenced = std::none_of(causes.begin(), causes.end(),
                                       [](const auto& cause) { return cause.find("not fenced") != std::string::npos; });
      if (!fenced) return;  // the rest of it may still be written
      require(c.whole > c.refused, "unknown: a server may have it", said);
      c.unknown_ended = settings_.sentinels.empty() && c.what != kind::get;
   }
}

// ---- the runtime ---------------------------------------------------------------------------------------------------

void engine_world::carry_out() {
   impl::io_request a;
   for (unsigned n = 0; subject_->has_io() || subject_->has_done(); ++n) {
      require(n < 1000, "what is asked of the runtime comes to an end");
      while (subject_->next_io(a)) {
         require(++n < 1000, "what is asked of the runtime comes to an end");
         carry_out(a);
      }
      while (impl::operation* const op = subject_->take_done(now_)) {
         const auto of = std::find_if(calls_.begin(), calls_.end(), [&](const call& c) { return &c.op == op; });
         require(of != calls_.end(), "what is handed back was submitted");
         finished(*of);
      }
   }
   std::vector<any_event> told;
   subject_->events().take(told);
   require(told.size() < 2000, "no flood of events from one step");
}

void engine_world::carry_out(const impl::io_request& a) {
   using asked = impl::io_request::kind;
   const auto found = live_.find(a.link);
   const auto begin = [&] {
      auto& c = live_[a.link] = std::make_shared<connection>();
      c->link = a.link;
      c->serial = a.serial;
      c->where = a.where;
      return c;
   };
   switch (a.what) {
      case asked::resolve:
         require(found == live_.end(), "a connection is ended before the next one of its link is dialled");
         begin();
         if (!held_names_) subject_->resolved(a.link, a.serial, {a.where}, {}, now_);
         return;
      case asked::connect: {
         // Another address of the same name is dialled without the name being asked for again.
         if (found != live_.end() && found->second->serial != a.serial) return;
         const auto c = found == live_.end() ? begin() : found->second;
         c->is = connection::state::connecting;
         c->where = a.where.host == "redis.example" ? node_a : a.where;
         require(++dials_at_once_ < 100, "nobody is dialled again and again at once");
         return;
      }
      case asked::write:
         if (found == live_.end() || found->second->serial != a.serial) return;
         require(found->second->is == connection::state::open, "only what is open is written to");
         require(subject_->to_write(a.link, a.serial).size() <= 160 * 1024, "the bytes to be written are bounded");
         return;
      case asked::close:
      case asked::abort:
         if (found == live_.end()) return;
         gone_.push_back(found->second);
         live_.erase(found);
         return;
   }
}

void engine_world::resolve(connection& c) {
   std::vector<endpoint> addresses;
   for (std::size_t n = in_.below(4); n != 0; --n) addresses.push_back(in_.one_in(2) ? node_a : c.where);
   const impl::link_id link = c.link;
   const std::uint32_t serial = c.serial;
   if (addresses.empty()) live_.erase(link);
   subject_->resolved(link, serial, std::move(addresses), "no such host", now_);
   carry_out();
}

void engine_world::open(connection_ptr c, bool succeeds) {
   if (c->is != connection::state::connecting) return;
   if (succeeds) {
      c->is = connection::state::open;
      c->id = ++connections_;
      subject_->connected(c->link, c->serial, now_);
   } else {
      c->is = connection::state::resolving;
      const impl::link_id link = c->link;
      subject_->lost(link, c->serial, "connection refused", now_);
      // It may go on with another address of the name.
      if (subject_->space(link, c->serial).empty()) live_.erase(link);
   }
   carry_out();
}

void engine_world::accept(connection& c, std::size_t n) {
   if (c.is != connection::state::open) return;
   const auto bytes = subject_->to_write(c.link, c.serial);
   n = std::min(n, bytes.size());
   if (n == 0) return;
   const auto space = c.in.prepare(n);
   std::memcpy(space.data(), bytes.data(), n);
   c.in.commit(n);
   arrived(c);
   subject_->wrote(c.link, c.serial, n, now_);
   carry_out();
}

void engine_world::deliver(connection& c, std::size_t n) {
   if (c.is != connection::state::open) return;
   n = std::min(n, c.replies.size());
   if (n == 0) return;
   const auto space = subject_->space(c.link, c.serial);
   n = std::min(n, space.size());
   std::memcpy(space.data(), c.replies.data(), n);
   c.replies.erase(0, n);
   c.sent += n;
   for (; !c.marks.empty() && c.marks.front().end <= c.sent; c.marks.pop_front())
      if (c.marks.front().refused != nullptr) ++c.marks.front().refused->refused;
   subject_->received(c.link, c.serial, n, now_);
   carry_out();
}

// Bytes that answer nothing, or are no reply. From then on nothing that this server says proves anything.
void engine_world::garbage(connection& c) {
   if (c.is != connection::state::open) return;
   constexpr std::string_view some_bytes[] = {"+OK\r\n",
                                              "-READONLY You can't write against a read only replica.\r\n",
                                              ">2\r\n+a\r\n+b\r\n",
                                              "*-1\r\n",
                                              "-WRONGPASS invalid\r\n",
                                              ":1\r\n"};
   const auto which = in_.below(8);
   const std::string_view bytes = which < std::size(some_bytes) ? some_bytes[which] : in_.take(in_.byte());
   if (bytes.empty()) return;
   c.lying = true;
   if (c.where.port == sentinel_port) polluted_ = true;
   excuse_all();
   c.replies.insert(0, bytes);
   c.marks.clear();
   deliver(c, bytes.size());
}

void engine_world::excuse_all() {
   for (call& c : calls_) c.excused = c.excused || !c.ended;
}

void engine_world::cut(connection& c, bool by_server) {
   if (c.is != connection::state::open) return;
   c.dead = by_server;
   const auto keep = live_.extract(c.link).mapped();
   gone_.push_back(keep);
   subject_->lost(keep->link, keep->serial, "connection reset by peer", now_);
   carry_out();
}

// Reports of a connection that was given up, such as a runtime may still have in hand.
void engine_world::stale(connection& c) {
   const std::uint32_t old = c.serial - 1;
   const impl::link_id link = c.link;
   require(subject_->space(link, old).empty(), "there is no space for what is gone");
   require(subject_->to_write(link, old).empty(), "there is nothing to write to what is gone");
   subject_->resolved(link, old, {node_b}, {}, now_);
   subject_->connected(link, old, now_);
   subject_->received(link, old, 0, now_);
   subject_->wrote(link, old, 0, now_);
   subject_->lost(link, old, "late news", now_);
   require(!subject_->has_io() && !subject_->has_done(), "what is gone changes nothing");
}

}  // namespace holdfast::fuzz
