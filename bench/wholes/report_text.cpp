#include "bench/wholes/report_text.hpp"

#include "bench/wholes/target.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace holdfast::bench {
namespace {

// Three digits are more than the figures are worth.
std::string number(double n) {
   const double size = std::abs(n);
   if (size >= 100) return fmt::format("{:.0f}", n);
   if (size >= 10) return fmt::format("{:.1f}", n);
   return size < 0.005 ? "0" : fmt::format("{:.2f}", n);
}

std::string number(const std::optional<double>& n) { return n ? number(*n) : ""; }

std::string range(const std::optional<spread>& s) {
   return s ? fmt::format("{} ({} to {})", number(s->median), number(s->least), number(s->most)) : "";
}

std::string line_of(const results& r, const measured& m) {
   const auto counted = [&](double counts::* what) { return m.counted ? number((*m.counted).*what) : ""; };
   return fmt::format("   {:33}{:>12.0f}   {:22}{:22}{:>12}{:>13}{:>14}\n", m.who->title, rate_of(m).median,
                      range(r.throughput_ratio(m, "raw")), range(r.processor_ratio(m, "raw")),
                      counted(&counts::instructions), counted(&counts::allocations), counted(&counts::system_calls));
}

std::string ratios(const results& r) {
   std::string text =
      fmt::format("{:36}{:>12}   {:22}{:22}{:>12}{:>13}{:>14}\n", "of one operation (median, least to most)",
                  "in a second", "throughput x raw", "processor x raw", "instructions", "allocations", "system calls");
   const workload* last = nullptr;
   for (const measured& m : r.all()) {
      if (m.what->is_growth && m.what->callers != 64) continue;
      if (m.what != last) text += m.what->title + "\n";
      last = m.what;
      text += line_of(r, m);
   }
   return text;
}

std::string growth(const results& r) {
   std::map<std::size_t, std::string> lines;
   std::string head = fmt::format("{:>8}", "threads");
   for (const measured& m : r.all()) {
      if (!m.what->is_growth) continue;
      std::string& line = lines[m.what->callers];
      if (line.empty()) line = fmt::format("{:8}", m.what->callers);
      if (lines.size() == 1) head += fmt::format("   {:>33}", m.who->title);
      std::string held;
      for (const holding& h : r.holdings())
         if (h.who == m.who && h.callers == m.what->callers)
            held = fmt::format(", {:.0f} KiB, {:.0f} fds", h.resident, h.descriptors);
      line += fmt::format("   {:>33}", fmt::format("{:.0f}/s{}", rate_of(m).median, held));
   }
   if (lines.empty()) return {};
   std::string text =
      "\nMore and more threads, each with a client of its own or all on one shared_client: GETs in a second, resident "
      "memory and descriptors of the process\n";
   text += head + "\n";
   for (const auto& [n, line] : lines) text += line + "\n";
   return text;
}

std::string targets(const results& r) {
   std::string text = "\nWhat the clients are to reach\n";
   for (const target& t : targets_of(r)) {
      if (!t.measured) continue;
      const std::string limit = fmt::format("{} {}{}", t.at_most ? "at most" : "at least", number(t.limit),
                                            t.aim ? ", aim " + number(*t.aim) : "");
      text += fmt::format("   {:44}{:46}{:24}{:>9}   {}\n", t.what, t.unit, limit, number(t.measured),
                          t.is_met() ? "met" : "missed");
   }
   return text;
}

}  // namespace

std::string text_of(const results& r, const machine& m) {
   return ratios(r) + growth(r) + targets(r) +
          fmt::format("\n{} rounds; {} cores of {}, {}, Redis {}, {}; load {:.1f} before, {:.1f} after\n", m.rounds,
                      m.cores, m.processor, m.kernel, m.server, m.compiler, m.load_before, m.load_after);
}

}  // namespace holdfast::bench
