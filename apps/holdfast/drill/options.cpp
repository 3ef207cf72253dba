#include "drill/options.hpp"

#include "drill/system_under_test.hpp"
#include "lab/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace holdfast::drill {
namespace {

// To a terminal of 80 columns. The name stands alone at the beginning of a line: completions look for it there.
std::string wrapped(const std::string& text, const std::string& indent) {
   constexpr std::size_t columns = 80;
   std::string out;
   std::string line = indent;
   std::istringstream words(text);
   for (std::string word; words >> word;) {
      if (line.size() + 1 + word.size() > columns && line != indent) {
         out += line + "\n";
         line = indent;
      }
      line += (line == indent ? "" : " ") + word;
   }
   return out + line + "\n";
}

std::string fault_names() {
   std::string names;
   for (const auto& f : lab::every_fault()) names += (names.empty() ? "" : ", ") + std::string(f->name());
   return wrapped(names, "  ");
}

std::string check_fault(const std::string& name) {
   if (name == "all" || name == "help" || lab::fault_named(name) != nullptr) return {};
   std::string known;
   for (const auto& f : lab::every_fault()) known += " " + std::string(f->name());
   return "there is no fault \"" + name + "\"; there are:" + known;
}

delivery delivery_named(std::string name) {
   std::replace(name.begin(), name.end(), '-', '_');
   for (const delivery d :
        {delivery::automatic, delivery::at_most_once, delivery::at_least_once, delivery::exactly_once})
      if (to_string(d) == name) return d;
   throw CLI::ValidationError("--delivery", "is one of automatic, at-most-once, at-least-once, exactly-once");
}

unsigned acks_from(const std::string& text) {
   if (text == "all") return ~0U;
   try {
      std::size_t end = 0;
      const unsigned long n = std::stoul(text, &end);
      if (end == text.size() && n <= 1000) return static_cast<unsigned>(n);
   } catch (const std::exception&) {
      // told below
   }
   throw CLI::ValidationError("--acks", "is a number of replicas, or \"all\"");
}

cutover cutover_named(const std::string& name) {
   for (const cutover c : {cutover::eager, cutover::confirmed})
      if (to_string(c) == name) return c;
   throw CLI::ValidationError("--cutover", "is one of eager, confirmed");
}

lab::trouble trouble_named(const std::string& name) {
   if (const auto trouble = lab::trouble_named(name)) return *trouble;
   throw CLI::ValidationError("--sentinel-trouble", "is one of none, stopped, deaf, stale");
}

std::string footer() {
   return "Starts a master, replicas and Sentinels (real processes on free loopback ports,\n"
          "in a temporary folder), writes uniquely numbered entries through the client,\n"
          "injects each fault, draws what happened, and compares what was acknowledged with\n"
          "what the final master holds. Leaves no process and no file behind. A fault that\n"
          "cannot be done on this machine is skipped, and shown as such. One whose runs all\n"
          "had a promotion later than a command's deadline, or a failover too many, is run\n"
          "up to twice more: what errors mean in those nobody can say.\n\n"
          "With --sentinel-trouble something is the matter with the first Sentinel of the\n"
          "client's list before each failover: it hangs (stopped), somebody who never\n"
          "answers listens at its place (deaf), or it is cut off and goes on naming the old\n"
          "master (stale).\n\n"
          "Faults (--fault help says what each does and shows):\n" +
          fault_names() +
          "\nExit status: 0 all promises kept (with --exec: the program did not fail); 1 a\n"
          "promise was broken, the drill was interrupted or could not be carried out, all\n"
          "of it was skipped, or no run of a fault went as it was meant; 2 usage.\n\n"
          "  holdfast drill --fault kill,stop --runs 5 --html drill.html\n"
          "  holdfast drill --breaker --fault kill      a failover never opens the breaker\n"
          "  holdfast drill --fault stop --sentinel-trouble deaf    two troubles at once\n"
          "  holdfast drill --client recipe --fault kill    what a loop of retries does\n"
          "  holdfast drill --fault failover --exec './my-service --redis {uri}'";
}

void add_client_options(CLI::App& drill, const std::shared_ptr<settings>& s) {
   drill
      .add_option_function<std::string>(
         "--delivery", [s](const std::string& name) { s->delivery = delivery_named(name); },
         "automatic, at-most-once, at-least-once or exactly-once")
      ->default_str("automatic");
   drill.add_option_function<std::string>(
      "--acks", [s](const std::string& text) { s->acks = acks_from(text); },
      "Replicas that must have each write: a number, or \"all\"");
   drill.add_option("--client", s->client, "The client: " + known_subjects())->capture_default_str();
   drill
      .add_option_function<std::string>(
         "--cutover", [s](const std::string& name) { s->cutover = cutover_named(name); },
         "When the client leaves the old master: eager or confirmed")
      ->default_str(std::string(to_string(s->cutover)));
   drill.add_flag("--follow-role-hint", s->follow_role_hint, "The client takes a node's own word (takeover)");
   drill.add_flag("--breaker", s->breaker, "Switch the client's circuit breaker on");
}

void add_deployment_options(CLI::App& drill, const std::shared_ptr<settings>& s) {
   drill.add_option("--replicas", s->replicas, "Replicas")->check(CLI::Range(0U, 16U))->capture_default_str();
   drill.add_option("--sentinels", s->sentinels, "Sentinels")->check(CLI::Range(0U, 15U))->capture_default_str();
   drill.add_option("--down-after", s->down_after_ms, "The Sentinels' down-after-milliseconds")
      ->check(CLI::Range(100U, 600000U))
      ->capture_default_str();
   drill
      .add_option_function<std::string>(
         "--sentinel-trouble", [s](const std::string& name) { s->sentinel_trouble = trouble_named(name); },
         "The client's first Sentinel: none, stopped, deaf or stale")
      ->default_str("none");
}

}  // namespace

std::string fault_help() {
   std::string text;
   for (const auto& f : lab::every_fault()) {
      text += fmt::format("{}\n", f->name()) + wrapped(std::string(f->description()) + ".", "   ");
      if (!f->shows().empty()) text += wrapped(fmt::format("Shows: {}.", f->shows()), "   ");
      if (const std::string why = f->unavailable(); !why.empty()) text += wrapped("Not here: " + why + ".", "   ");
   }
   return text;
}

void add_options(CLI::App& drill, const std::shared_ptr<settings>& s) {
   drill.footer(footer());
   drill.add_option("--fault", s->faults, "Which, comma separated; \"all\"; \"help\" explains each")
      ->delimiter(',')
      ->check(check_fault)
      ->default_str("all");
   drill.add_option("--runs", s->runs, "Runs of each fault")->check(CLI::Range(1U, 1000U))->capture_default_str();
   drill.add_option("--seconds", s->seconds, "Length of the workload of a run, at least")
      ->check(CLI::Range(1U, 3600U))
      ->capture_default_str();
   add_client_options(drill, s);
   add_deployment_options(drill, s);
   drill.add_option("--json", s->json, "Write JSON to FILE, or to stdout (-) instead of text")->type_name("FILE");
   drill.add_option("--html", s->html, "Write a page with the timelines to FILE")->type_name("FILE");
   drill.add_option("--exec", s->exec, "Run this program instead; {uri} becomes the address")
      ->type_name("'PROGRAM {uri}'");
}

}  // namespace holdfast::drill
