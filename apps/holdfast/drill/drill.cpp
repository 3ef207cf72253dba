#include "drill/drill.hpp"

#include "drill/external.hpp"
#include "drill/live_view.hpp"
#include "drill/options.hpp"
#include "drill/report_html.hpp"
#include "drill/report_json.hpp"
#include "drill/report_text.hpp"
#include "drill/summary.hpp"
#include "drill/system_under_test.hpp"
#include "interrupt.hpp"
#include "terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

namespace holdfast::drill {
namespace {

using fault_list = std::vector<lab::fault>;

// Why the trouble of a Sentinel would show nothing besides that fault. Empty: it would.
std::string why_not(lab::trouble trouble, const lab::fault& f) {
   if (trouble == lab::trouble::none) return {};
   if (!f.promotes) return "promotes nobody";
   if (f.touches_sentinels) return "does something to the Sentinels itself";
   // Of three Sentinels two are left, and often lose one election of two.
   return f.failovers > 1 ? "needs all Sentinels for its second failover" : "";
}

// "all": those that the client, as it is set, is to ride out.
fault_list chosen_faults(const settings& s) {
   fault_list chosen;
   for (const std::string& name : s.faults) {
      if (name != "all") {
         chosen.push_back(*lab::fault_named(name));
         continue;
      }
      for (auto& f : lab::every_fault())
         if (why_not(s.sentinel_trouble, f).empty() && (!f.past_the_sentinels || s.follow_role_hint))
            chosen.push_back(std::move(f));
   }
   return chosen;
}

void save(const std::string& file, const std::string& text) {
   if (file == "-") {
      fmt::print("{}\n", text);
      return;
   }
   std::ofstream out(file);
   out << text << '\n';
   if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

// Further runs of a fault of which none went as it was meant: by chance an election is lost, and the next comes late.
constexpr unsigned most_further_runs = 2;

// One run after the other, until all are done or the user has had enough. `perform` says whether the run showed what it
// was for.
template <class Perform>
bool for_each_run(const settings& s, live_view& display, const std::stop_token& interrupted, Perform perform) {
   for (auto& chosen : chosen_faults(s)) {
      const auto fault = lab::with_trouble(s.sentinel_trouble, std::move(chosen));
      bool shown = false;
      for (unsigned run = 1; run <= s.runs || (!shown && run <= s.runs + most_further_runs); ++run) {
         display.begin(fault.name, run, std::max(run, s.runs));
         if (perform(fault, run)) shown = true;
         if (interrupted.stop_requested()) return false;
      }
   }
   return true;
}

// The runs before it, and those to come, are worth no less.
record not_performed(const lab::fault& f, unsigned number, const settings& s, const std::string& why) {
   record r;
   r.fault = f.name;
   r.run = number;
   r.delivery = s.delivery;
   r.start = r.fault_at = clock::now();
   r.end = r.start + lab::milliseconds(1);
   r.trouble = why;
   return r;
}

cli::exit_status drill_a_client(const settings& s) {
   const cli::interrupt signals;
   const bool text_wanted = s.json != "-";
   const colours tint = colours::for_descriptor(STDOUT_FILENO);
   live_view display;
   std::vector<judged> runs;
   const bool complete = for_each_run(s, display, signals.token(), [&](const lab::fault& f, unsigned number) {
      judged j;
      try {
         j.seen = perform_run(f, number, s, signals.token(), [&](const progress& p) { display.show(p); });
      } catch (const drill_refused& e) {
         if (runs.empty()) throw;
         j.seen = not_performed(f, number, s, std::string("the client refuses: ") + e.what());
      } catch (const std::exception& e) {
         j.seen = not_performed(f, number, s, e.what());
      }
      j.found = judge(j.seen);
      display.clear();
      if (text_wanted) fmt::print("{}", describe_run(j, tint));
      std::fflush(stdout);
      runs.push_back(std::move(j));
      return runs.back().found.ordinary() || !runs.back().found.broken.empty();
   });
   if (text_wanted) fmt::print("{}", describe_all(runs, tint));
   if (!s.json.empty()) save(s.json, as_json(runs).dump(2));
   if (!s.html.empty()) save(s.html, as_html(runs));
   if (!complete) {
      const judged& last = runs.back();
      fmt::print(stderr, "holdfast: interrupted in {} run {}; what is reported is what was seen until then\n",
                 last.seen.fault, last.seen.run);
      return cli::exit_status::failed;
   }
   const bool all_skipped =
      std::all_of(runs.begin(), runs.end(), [](const judged& j) { return !j.seen.skipped.empty(); });
   if (all_skipped) return cli::exit_status::failed;  // nothing was tried, so nothing was kept
   bool kept = std::all_of(runs.begin(), runs.end(), [](const judged& j) { return j.found.broken.empty(); });
   for (const fault_summary& f : summarise(runs)) {
      if (!f.showed_nothing()) continue;
      kept = false;
      fmt::print(
         stderr,
         "holdfast: {}: each run outlasted a command's deadline or had a failover too many; nothing was shown\n",
         f.fault);
   }
   return kept ? cli::exit_status::done : cli::exit_status::failed;
}

std::string describe(const external_run& r) {
   if (!r.skipped.empty()) return fmt::format("{:<15} skipped: {}\n", r.fault, r.skipped);
   const auto ms = [](const std::optional<double>& value) {
      return value ? fmt::format("{:.1f} ms", *value) : std::string("-");
   };
   std::string text = fmt::format("{:<15} run {}   promoted {:>10}   Sentinel named it {:>10}   ", r.fault, r.run,
                                  ms(r.promoted_ms), ms(r.sentinel_named_ms));
   text += r.exit_status ? fmt::format("the program exited with {}", *r.exit_status) : "the program went on";
   text += r.trouble.empty() ? "\n" : "\n   " + r.trouble + "\n";
   return text + r.output_end;
}

cli::exit_status drill_a_program(const settings& s) {
   const cli::interrupt signals;
   live_view display;
   bool well = true;
   std::size_t skipped = 0;
   auto json = nlohmann::ordered_json::array();
   const bool complete = for_each_run(s, display, signals.token(), [&](const lab::fault& f, unsigned number) {
      const external_run r =
         perform_external_run(f, number, s, signals.token(), [&](const progress& p) { display.show(p); });
      display.clear();
      skipped += !r.skipped.empty();
      well = well && r.trouble.empty() && r.exit_status.value_or(0) == 0;
      if (s.json != "-") fmt::print("{}", describe(r));
      std::fflush(stdout);
      json.push_back({{"fault", r.fault}, {"run", r.run}});
      const auto put = [&](const char* name, const auto& value) {
         json.back()[name] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
      };
      put("promoted_ms", r.promoted_ms);
      put("sentinel_named_ms", r.sentinel_named_ms);
      put("exit_status", r.exit_status);
      json.back()["skipped"] = r.skipped.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(r.skipped);
      json.back()["trouble"] = r.trouble;
      json.back()["output_end"] = r.output_end;
      return true;
   });
   if (!s.json.empty()) save(s.json, nlohmann::ordered_json{{"runs", json}}.dump(2));
   if (!complete) fmt::print(stderr, "holdfast: interrupted\n");
   return complete && well && skipped < json.size() ? cli::exit_status::done : cli::exit_status::failed;
}

bool writable(const std::string& file) {
   if (file.empty() || file == "-") return true;
   std::error_code unknown;
   const bool was_there = std::filesystem::exists(file, unknown);
   const bool good = std::ofstream(file, std::ios::app).good();
   if (good && !was_there) std::filesystem::remove(file, unknown);
   return good;
}

// What cannot be told by looking at one option alone. Empty: nothing is wrong.
std::string complaint(const settings& s) {
   const auto known = known_clients();
   if ((", " + known + ",").find(" " + s.client + ",") == std::string::npos)
      return "--client: there is no such client to drill; there are: " + known;
   for (const auto& f : chosen_faults(s)) {
      const lab::deployment_options shape = shape_for(f, s);
      if (f.promotes && (shape.replicas == 0 || shape.sentinels == 0))
         return fmt::format("--fault {}: needs at least one replica and one Sentinel", f.name);
      if (const std::string why = why_not(s.sentinel_trouble, f); !why.empty())
         return fmt::format("--sentinel-trouble: not with --fault {}, which {}", f.name, why);
   }
   // Better now than when all is done.
   if (!writable(s.json)) return "--json: cannot write " + s.json;
   if (!writable(s.html)) return "--html: cannot write " + s.html;
   if (!s.exec.empty() && !s.html.empty()) return "--html: not with --exec, which has nothing to draw";
   return {};
}

cli::exit_status perform(const settings& s) {
   try {
      if (const std::string wrong = complaint(s); !wrong.empty()) {
         cli::complain(wrong);
         return cli::exit_status::usage;
      }
      return s.exec.empty() ? drill_a_client(s) : drill_a_program(s);
   } catch (const drill_refused& e) {
      cli::complain(std::string("the client refuses: ") + e.what());
      return cli::exit_status::usage;
   } catch (const std::exception& e) {
      cli::complain(e.what());
      return cli::exit_status::failed;
   }
}

}  // namespace

void add_drill(cli::command_line& line) {
   auto s = std::make_shared<settings>();
   cli::subcommand drill = add_line(line, s);
   drill.when_chosen([s] {
      if (std::find(s->faults.begin(), s->faults.end(), "help") == s->faults.end()) return perform(*s);
      return cli::print(fault_help()) ? cli::exit_status::done : cli::exit_status::failed;
   });
}

}  // namespace holdfast::drill
