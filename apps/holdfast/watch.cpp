// `holdfast watch`: what happens in a deployment, as it happens.
#include "drill/colour.hpp"
#include "exit_status.hpp"
#include "explain.hpp"
#include "help.hpp"
#include "interrupt.hpp"
#include "json.hpp"
#include "options.hpp"
#include "subcommands.hpp"
#include "terminal.hpp"
#include "uri.hpp"

#include <holdfast/client.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <memory>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using drill::colour;
using drill::colours;

struct watch_settings {
   std::string uri = {};
   bool json = false;
};

// Where the commands go now, what keeps them from going there, and what is about to change that.
colour colour_of(const any_event& e) {
   const std::string_view name = name_of(e);
   const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), name) != names.end();
   };
   if (is_one_of({"connected", "suspicion_cleared"})) return colour::green;
   if (is_one_of({"connection_lost", "dial_failed", "master_lost", "sentinel_down"})) return colour::red;
   if (is_one_of({"suspected", "role_refused", "stale_answer", "master_withdrawn"})) return colour::yellow;
   if (is_one_of({"master_named", "master_confirmed", "new_lineage"})) return colour::cyan;
   return colour::none;
}

std::string line_of(const any_event& e, bool as_json, const colours& tint) {
   const auto now = std::chrono::system_clock::now();
   const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
   const auto time = std::chrono::system_clock::to_time_t(now);
   if (as_json) {
      json line = {{"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(time), ms)}};
      line.update(event_as_json(e));
      return one_line(line) + "\n";
   }
   return tint(colour::grey, fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03}", fmt::localtime(time), ms)) + "  " +
          tint(colour_of(e), to_string(e)) + "\n";
}

// A client that does nothing but look: it asks the master now and then, so that it sees its end.
class watcher {
 public:
   watcher(const watch_settings& s, uri_choice chosen, config servers)
      : as_json_(s.json),
        tint_(colours::for_descriptor(STDOUT_FILENO)),
        chosen_(std::move(chosen)),
        servers_(std::move(servers)) {
      servers_.observer = [this](const any_event& e) { on(e); };
   }

   exit_status run() {
      const interrupt signals;
      const std::stop_callback end_on_signal(signals.token(), [this] { end_.request_stop(); });
      client redis(servers_);
      const auto first = redis.ping({.stop = end_.get_token()});
      if (!first && !ended() && hopeless(first.error())) {
         complain(explain_unreachable(first.error(), servers_) + chosen_.reminder());
         return exit_status_of_search(first.error());
      }
      while (!ended()) {
         turn_ = std::stop_source();
         const std::stop_callback pass_on(end_.get_token(), [this] { turn_.request_stop(); });
         redis.wait_for_events(1s, turn_.get_token());
         // Waits until there is a master again, if need be; all that happens meanwhile is told.
         if (!ended()) (void)redis.ping({.deadline = 24h, .stop = end_.get_token()});
      }
      return writable_ ? exit_status::done : exit_status::failed;
   }

 private:
   bool ended() const { return end_.stop_requested(); }

   void on(const any_event& e) {
      // Of our own PINGs nobody wants to hear.
      if (std::holds_alternative<event::resent>(e) || std::holds_alternative<event::outcome_unknown>(e)) return;
      if (std::holds_alternative<event::sentinel_up>(e)) sentinels_answer_ = true;
      writable_ = writable_ && print(line_of(e, as_json_, tint_));
      if (!writable_) end_.request_stop();
      // Look for the next master at once.
      if (std::holds_alternative<event::connection_lost>(e)) turn_.request_stop();
   }

   // Whether watching on can't show anything, as far as can be known.
   bool hopeless(const error& e) const {
      const bool may_pass = e.code() == errc::no_master || e.code() == errc::deadline_exceeded ||
                            e.code() == errc::server_error || e.code() == errc::refused;
      return !may_pass || !sentinels_answer_;
   }

   bool as_json_;
   colours tint_;
   uri_choice chosen_;
   config servers_;
   std::stop_source end_;
   std::stop_source turn_;
   bool sentinels_answer_ = false;
   bool writable_ = true;
};

exit_status watch(const watch_settings& s) {
   const uri_choice chosen = choose_uri(s.uri);
   auto servers = read_uri(chosen);
   if (!servers) {
      complain(explain(servers.error(), config{}));
      return exit_status_of(servers.error());
   }
   return watcher(s, chosen, *servers).run();
}

}  // namespace

void add_watch(command_line& line) {
   auto s = std::make_shared<watch_settings>();
   subcommand watch_line =
      line.add("watch", "Print what happens in a deployment, one event a line", "[OPTIONS]", help_of_watch());
   add_uri(watch_line, s->uri);
   watch_line.add_flag("--json", s->json, "Print each event as one line of JSON");
   watch_line.when_chosen([s] { return watch(*s); });
}

}  // namespace holdfast::cli
