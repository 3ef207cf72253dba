// Plays everything around a lane, by script: the callers who submit, the topology that names the master, the runtime
// that dials and takes n bytes of a write, the server that reads whole commands and answers in any chunks, and a clock
// that is counted by hand. Tests read what happened as short texts.
#pragma once

#include "lane/command_lane.hpp"

#include <holdfast/command.hpp>
#include <holdfast/event.hpp>
#include <holdfast/policy/retry_budget.hpp>
#include <holdfast/result.hpp>
#include <holdfast/value.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::impl::test {

using namespace std::chrono_literals;

inline const endpoint node_a{"10.0.0.1", 6379};
inline const endpoint node_b{"10.0.0.2", 6379};

// ---- replies, as bytes ----
inline std::string bulk(std::string_view text) {
   return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}
std::string hello(std::string_view role = "master", std::string_view mode = "standalone");
inline const std::string run_a(40, 'a');  // the process at node_a
inline const std::string run_b(40, 'b');
inline const std::string& run_id_of(const endpoint& where) { return where == node_b ? run_b : run_a; }
std::string verbatim(std::string_view text);
// The answers to CLIENT INFO, as to connection `id`, and to INFO server.
std::string client_info(unsigned id, std::string_view address = {}, std::string_view run_id = run_a);
std::string server_info(std::string_view run_id = run_a);  // the latter alone
inline const std::string ok = "+OK\r\n";
inline const std::string queued = "+QUEUED\r\n";
inline const std::string pong = "+PONG\r\n";
inline std::string refuses(std::string_view text) { return "-" + std::string(text) + "\r\n"; }
inline std::string number(long long n) { return ":" + std::to_string(n) + "\r\n"; }
inline const std::string readonly = refuses("READONLY You can't write against a read only replica.");
inline const std::string loading = refuses("LOADING Redis is loading the dataset in memory");
inline const std::string no_replicas = refuses("NOREPLICAS Not enough good replicas to write.");
inline const std::string busy =
   refuses("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.");
inline const std::string oom = refuses("OOM command not allowed when used memory > 'maxmemory'.");
inline const std::string no_auth = refuses("NOAUTH Authentication required.");
inline const std::string wrong_pass = refuses("WRONGPASS invalid username-password pair or user is disabled.");
inline const std::string wrong_type = refuses("WRONGTYPE Operation against a key holding the wrong kind of value");
inline const std::string no_kill = refuses("NOPERM User ann has no permissions to run the 'client|kill' command");
inline const std::string role_master = "*3\r\n" + bulk("master") + number(0) + "*0\r\n";
inline const std::string aborted = refuses("EXECABORT Transaction discarded because of previous errors.");

// What a handshake asks, and what it asks where connection `id` is to be proven dead.
inline const std::string greeting = "HELLO 3; CLIENT INFO; INFO server";
inline std::string greeting_and_kill(unsigned id) {
   return greeting + "; CLIENT KILL ID " + std::to_string(id) + " ADDR 10.9.9.9:" + std::to_string(40'000 + id);
}

settings with_password(std::string user, std::string password);
template <class T>
settings with(T settings::* member, std::type_identity_t<T> value) {
   settings s;
   s.*member = value;
   return s;
}

// "SET k 1" as a command.
command words(std::string_view line);

// ---- the topology's part ----
// A test sets what the next view says; what the lane requests is noted.
class scripted_topology {
 public:
   topology_view view = {.master = master_node{node_a, 5, 1}};
   bool answers = true;  // each question at once; false: a round goes on until `finish_rounds`

   unsigned asked = 0;
   bool needed = false;
   std::vector<std::string> roles_told = {};
   std::uint64_t generation_told = 0;  // of the last report

   void name(const endpoint& where, std::uint64_t epoch, std::string run_id = {}) {
      view.master = master_node{where, epoch, ++generation_, std::move(run_id)};
   }
   void finish_rounds() { answered_ = asked; }

   void publish();        // the lane sees it with the event that comes next
   void take_requests();  // after each event

   lane_topology port;

 private:
   std::uint64_t generation_ = 1;
   std::uint64_t answered_ = 0;
};

// ---- a caller's part ----
struct call {
   std::vector<command> commands = {};
   std::vector<result<value>> results = {};
   operation op = {};

   bool done() const { return op.done; }
   const holdfast::error& error() const { return results.back().error(); }
   // "waiting", the reply, or outcome and code: "unknown, connection_lost".
   std::string says() const;
   bool has_cause(std::string_view part) const;
};

struct terms {
   std::optional<duration> deadline = {};  // unset: the default
   holdfast::delivery delivery = holdfast::delivery::automatic;
   std::uint64_t group = 0;
   exchange* form = nullptr;
   std::uint32_t pinned_to = 0;
};

// ---- all of it ----
class script {
 public:
   explicit script(settings = {}, retry_budget_settings = {});
   ~script();

   // The callers.
   call& submit(std::string_view line, terms t = {}) { return submit_unit({line}, t); }  // "SET k 1"
   call& submit_unit(std::initializer_list<std::string_view> lines, terms = {});         // MULTI ... EXEC
   call& submit_commands(std::vector<command>, terms = {});
   void cancel(call& c);

   // The runtime and the server, on the lane's connection. What a test sees as `accept` is what the kernel took.
   void open();
   std::string accept();               // all; the whole commands that arrived with it, "GET k; SET k 1"
   std::string accept(std::size_t n);  // at most n bytes
   std::size_t pending() const { return main.out.size(); }
   void answer(std::string_view bytes, std::size_t chunk = 0);  // 0: in one
   void lose(std::string_view why = "closed by the other side");
   // Opens, and answers a whole handshake as connection `id` of a master would; what it was asked.
   std::string connect(unsigned id = 7, std::string_view kill_reply = ":1\r\n");
   // Connected, and one command answered: nothing is left to be proven.
   void warm_up();
   // Answers each whole command that was accepted and not yet answered, "+OK" for all.
   void answer_all();

   // What most tests do. A command is submitted, and the kernel takes it with all that was to be sent before it; ...
   call& send(std::string_view line, terms t = {}) { return send_unit({line}, t); }
   call& send_unit(std::initializer_list<std::string_view> lines, terms = {});
   // ... these are the replies to all that is unanswered, one of them an error at least;
   call& refused(std::string_view line, std::string_view replies, terms = {});
   call& lost(std::string_view line, terms = {});  // ... or the connection ends.
   // Waits until this node is dialled, and connects; what the handshake asked.
   std::string reconnects_to(const endpoint&, unsigned id = 8, std::string_view kill_reply = ":1\r\n");
   // The connection ends, and the next one is made; what the handshake asked.
   std::string reconnects(unsigned id = 8, std::string_view kill_reply = ":1\r\n");
   // Opens, and answers what the handshake asked, which is returned.
   std::string greet(std::string_view replies);
   // Exactly these commands arrive, and the server says this to them.
   void serve(std::string_view commands, std::string_view replies,
              std::source_location = std::source_location::current());
   // Exactly these calls arrive, in this order, and each ends with its reply.
   void expect_sent(std::initializer_list<const call*>, std::string_view replies,
                    std::source_location = std::source_location::current());
   void expect_sent(const call& c, std::string_view reply, std::source_location l = std::source_location::current()) {
      expect_sent({&c}, reply, l);
   }
   // The same, and none of them for the first time.
   void expect_resent(std::initializer_list<const call*>, std::string_view replies,
                      std::source_location = std::source_location::current());
   void expect_resent(const call& c, std::string_view reply, std::source_location l = std::source_location::current()) {
      expect_resent({&c}, reply, l);
   }
   // It may have run, and the connection that it was lost with is proven dead.
   static void expect_fenced(const call& c, std::source_location = std::source_location::current());
   std::string sent_after(duration d) { return advance(d), accept(); }
   std::string sent_after_loss(unsigned id = 8) { return reconnects(id), accept(); }

   // The probe's connection.
   void open_probe();
   std::string accept_probe();
   void answer_probe(std::string_view bytes);
   void lose_probe();
   std::string probe(std::string_view reply);  // opens, and answers what was asked, which is returned

   // Time. Ticks whenever the lane asks for it, which it must not ask in vain. What the kernel measures is `way`.
   std::optional<transit> way = {};
   void advance(duration d);
   time_point now = time_point{} + 1h;

   // What the lane wished since it was last asked: "dial 10.0.0.1", "abort", "close", "probe 10.0.0.1", "unprobe".
   std::string pending_io();
   std::string io_after(duration d) { return advance(d), pending_io(); }
   // The lane gets the view as it is now.
   void on_view();
   // ... with another master, or with what the Sentinels agree on.
   void name(const endpoint& where, std::uint64_t epoch, std::string run_id = {});
   void agree_on_down(bool is_down = true);

   template <class Event>
   std::vector<Event> told() const {
      std::vector<Event> found;
      for (const auto& e : history) {
         if (const auto* x = std::get_if<Event>(&e)) found.push_back(*x);
      }
      return found;
   }

   // What was told of the lane's suspicion and of its end since this was last asked, "suspected; lost", or "cleared".
   std::string news();
   std::string news_after(duration d) { return advance(d), news(); }

   scripted_topology watch;
   std::vector<any_event> history;
   std::vector<std::string> arrived;  // the whole commands of all connections, in order
   std::size_t unanswered = 0;        // of those on the present connection

   event_queue events{true};
   counters counts;
   retry_budget budget;
   io_queue list;
   link main;
   link probe_link;
   command_lane subject;

 private:
   void await_dial();
   void settle();  // after every event: requests, pending_io, events, what is done
   std::string read_commands();

   std::deque<call> calls_;
   std::vector<const operation*> finished_;
   std::vector<std::string> pending_;
   std::size_t news_read_ = 0;  // of the history
   reader at_server_{limits{}};
};

// It ended like this ("unknown, connection_lost"), and of its causes one has these words; or the server said this.
void expect_end(const call&, std::string_view says, std::string_view cause,
                std::source_location = std::source_location::current());
void expect_refused(const call&, std::string_view says, std::string_view server_text,
                    std::source_location = std::source_location::current());

// A command waits, and no connection was made yet.
struct waiting_script : script {
   explicit waiting_script(settings with = {}, terms t = {}) : script(std::move(with)), get(submit("GET k", t)) {}
   call& get;
};

// Its lane is connected, and nothing is left to be proven.
struct warm_script : script {
   explicit warm_script(settings s = {}, retry_budget_settings b = {}) : script(std::move(s), b) { warm_up(); }
};

// A test that begins with one.
struct warm_lane : testing::Test {
   warm_script s;
};

}  // namespace holdfast::impl::test
