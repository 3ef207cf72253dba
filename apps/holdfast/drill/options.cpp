#include "drill/options.hpp"

#include "config/parse.hpp"
#include "drill/network.hpp"
#include "drill/system_under_test.hpp"
#include "lab/fault.hpp"

#include <holdfast/call_options.hpp>

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
   for (const auto& f : lab::every_fault()) names += (names.empty() ? "" : ", ") + f.name;
   return wrapped(names, "  ");
}

std::string check_fault(const std::string& name) {
   if (name == "all" || name == "help" || lab::fault_named(name)) return {};
   std::string known;
   for (const auto& f : lab::every_fault()) known += " " + f.name;
   return "there is no fault \"" + name + "\"; there are:" + known;
}

std::string read_delivery(const std::string& word, delivery& into) {
   const auto read = parse_delivery(word);
   into = read.value_or(into);
   return read ? "" : "is one of automatic, at-most-once, at-least-once, exactly-once";
}

std::string read_acks(const std::string& word, unsigned& into) {
   const auto number = parse_number<unsigned>(word);
   into = number.value_or(all_replicas);
   return (number && *number <= 1000) || word == "all" ? "" : "is a number of replicas, or \"all\"";
}

std::string read_cutover(const std::string& word, cutover& into) {
   for (const cutover c : {cutover::eager, cutover::confirmed}) {
      if (to_string(c) != word) continue;
      into = c;
      return {};
   }
   return "is one of eager, confirmed";
}

std::string read_trouble(const std::string& word, lab::trouble& into) {
   const auto read = lab::trouble_named(word);
   into = read.value_or(into);
   return read ? "" : "is one of none, stopped, deaf, stale";
}

std::string footer() {
   return "Starts a master, replicas and Sentinels (real processes on free loopback ports,\n"
          "in a temporary folder), writes uniquely numbered entries through the client,\n"
          "injects each fault, draws what happened, and compares what was acknowledged with\n"
          "what the final master holds. Leaves no process and no file behind. A fault that\n"
          "cannot be done on this machine is skipped, and shown as such. One whose runs all\n"
          "took longer than a command's deadline, or had a failover too many, is run up to\n"
          "twice more: what errors mean in those nobody can say.\n\n"
          "With --sentinel-trouble something is the matter with the first Sentinel of the\n"
          "client's list before each failover: it hangs (stopped), somebody who never\n"
          "answers listens at its place (deaf), or it is cut off and goes on naming the old\n"
          "master (stale).\n\n"
          "With --network a proxy stands before each server and Sentinel, at the address\n"
          "that the world knows it by, and does this to the client's connections, or those\n"
          "of the program of --exec (servers and Sentinels reach each other unharmed):\n" +
          network_help() +
          "One direction is chosen by @requests or @replies, as in cut=100@requests. Else a\n"
          "delay and a rate are of both, and the bytes are those of the replies.\n\n"
          "Faults (--fault help says what each does and shows):\n" +
          fault_names() +
          "\nExit status: 0 all promises kept (with --exec: the program did not fail); 1 a\n"
          "promise was broken, the drill was interrupted or could not be carried out, all\n"
          "of it was skipped, or no run of a fault went as it was meant; 2 usage.\n\n"
          "  holdfast drill --fault kill,stop --runs 5 --html drill.html\n"
          "  holdfast drill --breaker --fault kill      a failover never opens the breaker\n"
          "  holdfast drill --fault stop --sentinel-trouble deaf    two troubles at once\n"
          "  holdfast drill --network delay=20ms --fault kill    over a slow network\n"
          "  holdfast drill --client recipe --fault kill    what a loop of retries does\n"
          "  holdfast drill --fault failover --exec './my-service --redis {uri}'";
}

void add_client_options(cli::subcommand& drill, const std::shared_ptr<settings>& s) {
   drill.add_read(
      "--delivery", [s](const std::string& word) { return read_delivery(word, s->delivery); },
      "automatic, at-most-once, at-least-once or exactly-once", "TEXT", "automatic");
   drill.add_read(
      "--acks", [s](const std::string& word) { return read_acks(word, s->acks); },
      "Replicas that must have each write: a number, or \"all\"", "TEXT");
   drill.add_text("--client", s->client, "The client: " + known_clients());
   drill.add_read(
      "--cutover", [s](const std::string& word) { return read_cutover(word, s->cutover); },
      "When the client leaves the old master: eager or confirmed", "TEXT", std::string(to_string(s->cutover)));
   drill.add_flag("--follow-role-hint", s->follow_role_hint, "The client takes a node's own word (takeover)");
   drill.add_flag("--breaker", s->breaker, "Switch the client's circuit breaker on");
}

void add_deployment_options(cli::subcommand& drill, const std::shared_ptr<settings>& s) {
   drill.add_number("--replicas", s->replicas, 0, 16, "Replicas");
   drill.add_number("--sentinels", s->sentinels, 0, 15, "Sentinels");
   drill.add_number("--down-after", s->down_after_ms, 100, 600'000, "The Sentinels' down-after-milliseconds");
   drill.add_read(
      "--sentinel-trouble", [s](const std::string& word) { return read_trouble(word, s->sentinel_trouble); },
      "The client's first Sentinel: none, stopped, deaf or stale", "TEXT", "none");
   drill.add_read(
      "--network", [s](const std::string& words) { return read_network(words, s->network); },
      "The client's network, like delay=20ms,cut=5000 (see below)", "FAULTS");
}

}  // namespace

std::string fault_help() {
   std::string text;
   for (const auto& f : lab::every_fault()) {
      text += fmt::format("{}\n", f.name) + wrapped(f.description + ".", "   ");
      if (!f.shows.empty()) text += wrapped(fmt::format("Shows: {}.", f.shows), "   ");
      if (const std::string why = f.unavailable; !why.empty()) text += wrapped("Not here: " + why + ".", "   ");
   }
   return text;
}

cli::subcommand add_line(cli::command_line& line, const std::shared_ptr<settings>& s) {
   cli::subcommand drill =
      line.add("drill", "Break real deployments, and see what became of writes", "[OPTIONS]", footer());
   drill.add_words("--fault", s->faults, check_fault, "Which, comma separated; \"all\"; \"help\" explains each");
   drill.add_number("--runs", s->runs, 1, 1000, "Runs of each fault");
   drill.add_number("--seconds", s->seconds, 1, 3600, "Length of the workload of a run, at least");
   add_client_options(drill, s);
   add_deployment_options(drill, s);
   drill.add_text("--json", s->json, "Write JSON to FILE, or to stdout (-) instead of text", "FILE");
   drill.add_text("--html", s->html, "Write a page with the timelines to FILE", "FILE");
   drill.add_text("--exec", s->exec, "Run this program instead; {uri} becomes the address", "'PROGRAM {uri}'");
   return drill;
}

}  // namespace holdfast::drill
