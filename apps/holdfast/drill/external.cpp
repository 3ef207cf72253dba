#include "drill/external.hpp"

#include "lab/clients.hpp"
#include "lab/promotion.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <deque>
#include <fstream>

namespace holdfast::drill {
namespace {

using lab::milliseconds;

constexpr milliseconds between_looks(20);
constexpr milliseconds patience_for_start(15000);
constexpr milliseconds patience_for_election(40000);
constexpr milliseconds under_way(500);  // from its first connection to the fault
constexpr milliseconds to_end(2000);    // from SIGTERM to SIGKILL

std::string with_uri(std::string command, const std::string& uri) {
   constexpr std::string_view placeholder = "{uri}";
   const std::string quoted = "'" + uri + "'";
   for (std::size_t at = 0; (at = command.find(placeholder, at)) != std::string::npos; at += quoted.size())
      command.replace(at, placeholder.size(), quoted);
   return command;
}

// A program that runs below the lab's supervisor, which ends it whatever happens to us.
class program {
 public:
   program(lab::deployment& d, const std::string& command)
      : processes_(d.processes()),
        log_(d.folder() / "program"),
        pid_(processes_.start({"/bin/sh", "-c", command}, log_)) {}

   std::optional<int> status() {
      if (!ended_)
         if (const auto status = processes_.reaped(pid_))
            ended_ = WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
      return ended_;
   }

   void end() {
      for (const int signal : {SIGTERM, SIGKILL}) {
         if (status()) return;
         ::kill(-pid_, signal);  // the shell and what it started
         lab::became_true([this] { return status().has_value(); }, to_end);
      }
   }

   std::string output_end() const {
      std::ifstream file(log_);
      std::deque<std::string> last;
      for (std::string line; std::getline(file, line);) {
         last.push_back(std::move(line));
         if (last.size() > 10) last.pop_front();
      }
      std::string text;
      for (const std::string& line : last) text += line + "\n";
      return text;
   }

 private:
   lab::supervisor& processes_;
   std::filesystem::path log_;
   pid_t pid_;
   std::optional<int> ended_ = {};
};

}  // namespace

external_run perform_external_run(const lab::fault& f, unsigned number, const settings& s,
                                  const std::stop_token& interrupted, const progress_listener& listener) {
   external_run run;
   run.fault = f.name;
   run.run = number;
   run.skipped = f.unavailable;
   if (!run.skipped.empty()) return run;
   listener({"starting servers"});
   lab::deployment d(shape_for(f, s));
   using sign = lab::promotion_watch::sign;
   lab::promotion_watch promotions(d, f.past_the_sentinels ? sign::role : sign::end);
   lab::naming_watch namings(d);
   program system_under_test(d, with_uri(s.exec, d.uri()));

   clock::time_point fault_at;
   const auto reached = [&](const std::string& phase, milliseconds patience, const auto& fact) {
      const auto look = [&] {
         listener({phase, fault_at == clock::time_point() ? 0 : lab::ms_between(fault_at, clock::now())});
         return fact() || interrupted.stop_requested();
      };
      return lab::became_true(look, patience, between_looks) && !interrupted.stop_requested();
   };
   const auto for_a_while = [&](const std::string& phase, milliseconds time) {
      const auto end = clock::now() + time;
      reached(phase, time + milliseconds(1000), [&] { return clock::now() >= end || system_under_test.status(); });
   };
   const auto last_failover = [&] {
      return lab::last_expected(promotions.seen(), namings.changes(), std::max(1U, f.failovers));
   };
   try {
      lab::control master = d.node(0).connect();
      const auto connected = [&] { return !lab::workload_clients(master).empty() || system_under_test.status(); };
      if (!reached("no connection yet", patience_for_start, connected) || system_under_test.status()) {
         run.trouble =
            system_under_test.status() ? "the program ended before the fault" : "the program does not connect";
      } else {
         for_a_while("it is connected", under_way);
         fault_at = f.inject(d, interrupted);
         if (f.promotes && reached("no master yet", milliseconds(s.down_after_ms) + patience_for_election,
                                   [&] { return promotions.seen().size() >= f.failovers; })) {
            f.after_promotion(d, interrupted);
            if (!f.past_the_sentinels)
               reached("no Sentinel says so", milliseconds(10000),
                       [&] { return last_failover() && last_failover()->named_at; });
         }
         for_a_while("going on", milliseconds(1000 * s.seconds));
      }
   } catch (const std::exception& e) {
      run.trouble = e.what();
   }
   if (const auto last = last_failover()) {
      run.promoted_ms = lab::ms_between(fault_at, last->promoted.at);
      if (last->named_at) run.sentinel_named_ms = lab::ms_between(fault_at, *last->named_at);
      if (!f.promotes && run.trouble.empty())
         run.trouble = "a replica was promoted, though the fault is to promote none";
   }
   run.exit_status = system_under_test.status();
   system_under_test.end();
   run.output_end = system_under_test.output_end();
   return run;
}

}  // namespace holdfast::drill
