// No event may cost more than linear time in the operations, or the keys, that it is about. Each event is timed for a
// size and for ten times as much; a ratio above 12 is marked. Where keys are looked up a part of that is the
// processor's caches: test/unit/lane/linear_test.cpp counts steps instead. The server is played here, in memory, so
// that nothing but the library is timed.
//
// Then how late a list ends whose deadline has passed, with a real server. An argument chooses the events whose name
// contains it; "lists" chooses the lists.
#include "engine/engine.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <malloc.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;
using impl::io_request;

constexpr double most = 12;  // times as long, for ten times as much
constexpr int runs = 7;      // of each size; the fastest counts

double milliseconds(duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// The time of the processor, which other programs on the machine do not add to.
class stopwatch {
 public:
   double ms() const { return milliseconds(now() - begin_); }

 private:
   static duration now() {
      timespec t = {};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
      return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
   }
   duration begin_ = now();
};

std::string bulk(std::string_view text) {
   return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

config settings_for(std::size_t n) {
   config c{.server = {"10.0.0.1", 6379}};
   c.limits.parked_commands = n + 10;
   c.limits.parked_bytes = std::size_t{1} << 32;
   c.limits.in_flight = c.limits.in_flight_before_first_reply = n + 10;
   c.resend.budget.unlimited = true;
   return c;
}

// An engine, its runtime and a server, whose clock is counted by hand.
class world {
 public:
   explicit world(std::size_t n) : engine_(settings_for(n), 1) {}

   // Each has `apart` less time than the one before.
   void submit(const std::vector<command>& commands, duration deadline, duration apart = {}) {
      operations_ = std::vector<impl::operation>(commands.size());
      results_ = std::vector<result<value>>(commands.size());
      for (std::size_t i = 0; i < commands.size(); ++i) {
         impl::operation& op = operations_[i];
         op.commands = {&commands[i], 1};
         op.results = &results_[i];
         op.submitted = now_;
         op.deadline = now_ + deadline - apart * static_cast<int>(i);
         engine_.submit(op, now_);
      }
   }
   // Carries out all that is asked for; without a server the connections are refused.
   void settle() {
      io_request a;
      for (bool more = true; more;) {
         more = false;
         for (; engine_.next_io(a); more = true) carry_out(a);
         while (engine_.take_done(now_) != nullptr) ++ended_;
      }
   }
   // Answers all that was written and not answered: with these, in turn.
   void answer(std::initializer_list<std::string_view> replies) {
      std::string all;
      for (std::size_t i = 0; i < unanswered_; ++i) all += replies.begin()[i % replies.size()];
      unanswered_ = 0;
      receive(all);
      settle();
   }
   void answer_each(std::string_view reply) {
      for (std::size_t left = std::exchange(unanswered_, 0); left != 0; --left) {
         receive(reply);
         settle();
      }
   }
   void lose() {
      unanswered_ = 0;
      at_server_.reset();
      engine_.lost(link_, serial_, "closed by the other side", now_);
      settle();
   }
   void pass(duration d) {
      now_ += d;
      engine_.tick(now_);
      settle();
   }
   void cancel_each() {
      for (impl::operation& op : operations_) {
         engine_.cancel(op, now_);
      }
      settle();
   }

   // Of so many, one after the other, answered at once.
   double time_of_reads(std::size_t n) {
      const command get{"GET", "other"};
      result<value> into = value();
      stopwatch timer;
      for (std::size_t i = 0; i < n; ++i) {
         impl::operation op;
         op.commands = {&get, 1};
         op.results = &into;
         op.submitted = now_;
         engine_.submit(op, now_);
         settle();
         answer({"$-1\r\n"});
      }
      return timer.ms();
   }

   bool takes_bytes = true;
   std::string_view says_to_hello = "%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$6\r\nmaster\r\n";
   std::size_t ended() const { return ended_; }
   std::size_t unanswered() const { return unanswered_; }

 private:
   void carry_out(const io_request& a) {
      switch (a.what) {
         case io_request::kind::resolve: return engine_.resolved(a.link, a.serial, {a.where}, {}, now_);
         case io_request::kind::connect:
            link_ = a.link;
            serial_ = a.serial;
            return engine_.connected(a.link, a.serial, now_);
         case io_request::kind::write: return write(a);
         case io_request::kind::close:
         case io_request::kind::abort: unanswered_ = 0; return at_server_.reset();
      }
   }
   void write(const io_request& a) {
      for (auto bytes = engine_.to_write(a.link, a.serial); !bytes.empty() && takes_bytes;
           bytes = engine_.to_write(a.link, a.serial)) {
         serve(bytes);
         engine_.wrote(a.link, a.serial, bytes.size(), now_);
      }
      receive(std::exchange(handshake_, {}));
   }
   void serve(std::span<const char> bytes) {
      const auto space = at_server_.prepare(bytes.size());
      std::copy(bytes.begin(), bytes.end(), space.begin());
      at_server_.commit(bytes.size());
      while (at_server_.next() == impl::reader::status::reply) {
         const value_view c = at_server_.reply();
         const auto name = c[0].text();
         if (name == "HELLO")
            handshake_ += says_to_hello;
         else if (name == "CLIENT" && c[1].text() == "KILL")
            handshake_ += ":1\r\n";
         else if (name == "CLIENT")
            handshake_ += bulk("id=7 addr=10.9.9.9:7\n");
         else if (name == "INFO")
            handshake_ += bulk("# Server\r\nrun_id:0123456789012345678901234567890123456789\r\n");
         else
            ++unanswered_;
      }
   }
   void receive(std::string_view bytes) {
      while (!bytes.empty()) {
         const auto space = engine_.space(link_, serial_);
         if (space.empty()) return;
         const std::size_t n = std::min(space.size(), bytes.size());
         std::copy_n(bytes.begin(), n, space.begin());
         bytes.remove_prefix(n);
         engine_.received(link_, serial_, n, now_);
      }
   }

   impl::engine engine_;
   time_point now_ = time_point{} + 1h;
   std::vector<impl::operation> operations_;
   std::vector<result<value>> results_;
   impl::link_id link_ = 0;
   std::uint32_t serial_ = 0;
   impl::reader at_server_{impl::limits{.reply_bytes = std::size_t{1} << 31}};
   std::string handshake_;
   std::size_t unanswered_ = 0;
   std::size_t ended_ = 0;
};

// `words` with %d replaced by the number of each.
std::vector<command> many(std::size_t n, std::vector<std::string> words) {
   std::vector<command> all;
   all.reserve(n);
   for (std::size_t i = 0; i < n; ++i) {
      auto these = words;
      for (auto& w : these) {
         if (w.ends_with('%')) w.replace(w.size() - 1, 1, std::to_string(i));
      }
      all.push_back(command::from(these));
   }
   return all;
}

command of_keys(std::size_t n, std::string name) {
   std::vector<std::string> words{std::move(name)};
   for (std::size_t i = 0; i < n; ++i) words.push_back("key:" + std::to_string(i));
   return command::from(words);
}

// Commands of so many keys each: `keys` in all.
std::vector<command> of_some_keys(std::size_t keys, std::size_t each, bool each_other_reads = false) {
   std::vector<command> all;
   for (std::size_t i = 0; i < keys / each; ++i) {
      const bool reads = each_other_reads && i % 2 != 0;
      std::vector<std::string> words{reads ? "MGET" : "MSET"};
      for (std::size_t k = 0; k < each; ++k) {
         words.push_back("key:" + std::to_string(i * each + k));
         if (!reads) words.emplace_back("v");
      }
      all.push_back(command::from(words));
   }
   return all;
}
std::vector<command> of_hundred_keys(std::size_t keys) { return of_some_keys(keys, 100); }
std::vector<command> writes_and_reads(std::size_t keys) { return of_some_keys(keys, 100, true); }

const auto ok = "+OK\r\n";
const auto no_replicas = "-NOREPLICAS Not enough good replicas to write.\r\n";

double lost_at_once(std::size_t n, const std::vector<command>& commands) {
   world w(n);
   w.submit(commands, 1h);
   w.settle();
   stopwatch timer;
   w.lose();
   return timer.ms();
}

// Of commands with one deadline: how long its passing takes, after what `before` does.
template <class Before>
double deadline_of_all(const std::vector<command>& commands, Before&& before) {
   world w(commands.size());
   w.submit(commands, 50ms);
   before(w);
   stopwatch timer;
   w.pass(50ms);
   return timer.ms();
}

double lost_and_answered(std::size_t n, const std::vector<command>& commands, std::string_view reply) {
   world w(n);
   w.submit(commands, 1h);
   w.settle();
   w.lose();
   for (int i = 0; i < 100 && w.unanswered() == 0; ++i) w.pass(100ms);
   stopwatch timer;
   w.answer({reply});
   return timer.ms();
}

struct subject {
   std::string_view name;
   std::size_t size;
   std::function<double(std::size_t)> time;  // in milliseconds
};

const subject subjects[] = {
   {"writes in flight, lost at once", 1'000,
    [](std::size_t n) { return lost_at_once(n, many(n, {"SET", "key:%", "v"})); }},
   {"INCR in flight, lost at once", 1'000, [](std::size_t n) { return lost_at_once(n, many(n, {"INCR", "key:%"})); }},
   {"reads of one key in flight, lost at once", 1'000,
    [](std::size_t n) { return lost_at_once(n, many(n, {"GET", "key"})); }},
   {"sent again, all answered", 1'000,
    [](std::size_t n) { return lost_and_answered(n, many(n, {"SET", "key:%", "v"}), ok); }},
   {"sent again, all refused for good", 1'000,
    [](std::size_t n) {
       return lost_and_answered(n, many(n, {"SET", "key:%", "v"}),
                                "-NOPERM this user has no permissions to run the 'set' command\r\n");
    }},
   {"sent again, all turned away", 1'000,
    [](std::size_t n) {
       return lost_and_answered(n, many(n, {"SET", "key:%", "v"}), "-LOADING Redis is loading\r\n");
    }},
   {"keys of commands, lost at once", 10'000, [](std::size_t n) { return lost_at_once(n, of_hundred_keys(n)); }},
   {"keys of commands sent again, answered", 10'000,
    [](std::size_t n) { return lost_and_answered(n, of_hundred_keys(n), ok); }},
   {"keys of writes and reads, lost at once", 10'000,
    [](std::size_t n) { return lost_at_once(n, writes_and_reads(n)); }},
   {"keys of writes turned away, reads answered", 10'000,
    [](std::size_t n) {
       world w(n);
       const auto commands = writes_and_reads(n);
       w.submit(commands, 1h);
       w.settle();
       stopwatch timer;
       w.answer({no_replicas, "*0\r\n"});
       return timer.ms();
    }},
   {"keys of one DEL, lost", 6'000, [](std::size_t n) { return lost_at_once(n, {of_keys(n, "DEL")}); }},
   {"one deadline of all, waiting for a server", 1'000,
    [](std::size_t n) { return deadline_of_all(many(n, {"SET", "key:%", "v"}), [](world&) {}); }},
   {"one deadline of all, in flight", 1'000,
    [](std::size_t n) { return deadline_of_all(many(n, {"SET", "key:%", "v"}), [](world& w) { w.settle(); }); }},
   {"one deadline of all, ten keys each, in flight", 10'000,
    [](std::size_t keys) { return deadline_of_all(of_some_keys(keys, 10), [](world& w) { w.settle(); }); }},
   {"one deadline of all, to be sent again", 1'000,
    [](std::size_t n) {
       return deadline_of_all(many(n, {"SET", "key:%", "v"}), [](world& w) {
          w.settle();
          w.lose();
       });
    }},
   {"refused: a queue that is full", 1'000,
    [](std::size_t n) {
       world w(10);
       const auto commands = many(n, {"SET", "key:%", "v"});
       stopwatch timer;
       w.submit(commands, 1h);
       w.settle();
       return timer.ms();
    }},
   {"refused: the password is wrong", 1'000,
    [](std::size_t n) {
       world w(n);
       w.says_to_hello = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
       const auto commands = many(n, {"SET", "key:%", "v"});
       w.submit(commands, 1h);
       stopwatch timer;
       w.settle();
       return timer.ms();
    }},
   {"submitted and answered", 1'000,
    [](std::size_t n) {
       world w(n);
       const auto commands = many(n, {"SET", "key:%", "v"});
       stopwatch timer;
       w.submit(commands, 1h);
       w.settle();
       w.answer({ok});
       return timer.ms();
    }},
   {"deadlines one by one, in flight", 1'000,
    [](std::size_t n) {
       world w(n);
       const auto commands = many(n, {"SET", "key:%", "v"});
       w.submit(commands, 1h + 1us * n, 1us);
       w.settle();
       stopwatch timer;
       w.pass(1h);
       for (std::size_t i = 0; i < n; ++i) w.pass(1us);
       return timer.ms();
    }},
   {"a gate turns them away, one by one", 1'000,
    [](std::size_t n) {
       world w(n);
       const auto commands = many(n, {"SET", "key:%", "v"});
       w.submit(commands, 1h);
       w.settle();
       stopwatch timer;
       w.answer_each(no_replicas);
       return timer.ms();
    }},
   {"cancelled one by one, behind a closed gate", 1'000,
    [](std::size_t n) {
       world w(n);
       const auto commands = many(n, {"SET", "key:%", "v"});
       w.submit(commands, 1h);
       w.settle();
       w.answer({no_replicas});
       stopwatch timer;
       w.cancel_each();
       return timer.ms();
    }},
   {"a read passes a closed gate, of as many behind it", 1'000,
    [](std::size_t n) {
       world w(n);
       const auto commands = many(n, {"SET", "key:%", "v"});
       w.submit(commands, 1h);
       w.settle();
       w.answer({no_replicas});
       return w.time_of_reads(n);
    }},
   {"cancelled one by one, waiting for a server", 1'000,
    [](std::size_t n) {
       world w(n);
       const auto commands = many(n, {"SET", "key:%", "v"});
       w.submit(commands, 1h);
       stopwatch timer;
       w.cancel_each();
       return timer.ms();
    }},
};

double fastest(const subject& s, std::size_t n) {
   double best = s.time(n);
   for (int i = 1; i < runs; ++i) best = std::min(best, s.time(n));
   return best;
}

void show(const subject& s, std::size_t n) {
   const double one = fastest(s, n);
   const double ten = fastest(s, n * 10);
   const double ratio = ten / one;
   std::printf("%-46s %7zu: %9.3f ms   %8zu: %9.3f ms   ratio %5.1f%s\n", std::string(s.name).c_str(), n, one, n * 10,
               ten, ratio, ratio > most ? "  above 12" : "");
   std::fflush(stdout);
}

// How long after its deadline a list ends.
void show_late(std::size_t n, duration deadline) {
   static lab::deployment server({.replicas = 0, .sentinels = 0});
   client redis(config{.server = server.node(0).own_address()});
   const std::vector<command> list(n, command{"SET", "k", "v"});
   std::vector<double> late;
   for (int i = 0; i < runs; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const auto replies = redis.run(list, {.deadline = deadline});
      late.push_back(milliseconds(std::chrono::steady_clock::now() - begin - deadline));
   }
   std::sort(late.begin(), late.end());
   std::printf("a list of %zu ends %.1f ms after its deadline of %.0f ms (of %d runs %.1f to %.1f ms)\n", n,
               late[runs / 2], milliseconds(deadline), runs, late.front(), late.back());
}

}  // namespace

int main(int count, char** arguments) {
   const std::string_view only = count > 1 ? arguments[1] : "";
   if (only != "lists" && ::fork() == 0) {
      // Memory that was given back and is asked for again costs a page fault each 4 KiB: the kernel's time, not ours.
      ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
      ::mallopt(M_MMAP_MAX, 0);
      for (const subject& s : subjects)
         if (s.name.find(only) != std::string_view::npos) show(s, s.size);
      ::_exit(0);
   }
   if (only != "lists") ::wait(nullptr);
   if (!only.empty() && only != "lists") return 0;
   show_late(100'000, 20ms);
   show_late(1'000'000, 20ms);
   show_late(1'000'000, 1s);
}
