#include "drill/report_html.hpp"

#include "drill/counted.hpp"
#include "drill/losses.hpp"
#include "drill/summary.hpp"
#include "drill/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::drill {
namespace {

constexpr double width = 900;
constexpr double bar_height = 46;
constexpr std::size_t slices = 300;

// What servers and errors say must not become part of the page.
std::string escaped(std::string_view text) {
   std::string out;
   for (const char c : text) {
      switch (c) {
         case '&': out += "&amp;"; break;
         case '<': out += "&lt;"; break;
         case '>': out += "&gt;"; break;
         case '"': out += "&quot;"; break;
         default: out += c;
      }
   }
   return out;
}

std::string_view class_of(mark_kind kind) {
   switch (kind) {
      case mark_kind::fault: return "fault";
      case mark_kind::down: return "down";
      case mark_kind::selected: return "selected";
      case mark_kind::promoted: return "promoted";
      case mark_kind::client_back: return "back";
      case mark_kind::named: return "named";
      case mark_kind::breaker:
      case mark_kind::budget: return "policy";
   }
   return "";
}

std::string drawing(const timeline& t) {
   const auto x = [&](double ms) { return (ms - t.from_ms) / (t.to_ms - t.from_ms) * width; };
   const double height = bar_height + 18 + 16 * static_cast<double>(t.marks.size());
   std::string svg = fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\">\n", width, height);
   svg += fmt::format("<rect class=\"ground\" width=\"{:.0f}\" height=\"{:.0f}\"/>\n", width, bar_height);
   svg += fmt::format("<rect class=\"gap\" x=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\"/>\n", x(t.gap_from_ms),
                      std::max(1.0, x(t.gap_to_ms) - x(t.gap_from_ms)), bar_height);
   const unsigned most = std::max(1U, *std::max_element(t.acked.begin(), t.acked.end()));
   const double step = width / static_cast<double>(t.acked.size());
   for (std::size_t i = 0; i < t.acked.size(); ++i) {
      const double left = step * static_cast<double>(i);
      const double tall = bar_height * t.acked[i] / most;
      if (t.acked[i] != 0)
         svg += fmt::format("<rect class=\"ok\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\"/>\n", left,
                            bar_height - tall, step, tall);
      if (t.failed[i] != 0)
         svg += fmt::format("<rect class=\"failed\" x=\"{:.1f}\" width=\"3\" height=\"{:.0f}\"/>\n", left, bar_height);
   }
   double line = bar_height + 16;
   for (const mark& m : t.marks) {
      const bool flip = x(m.at_ms) > width * 0.6;
      svg += fmt::format("<g class=\"{}\"><line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"0\" y2=\"{:.1f}\"/>", class_of(m.kind),
                         x(m.at_ms), x(m.at_ms), line);
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{:.1f} ms: {}</text></g>\n",
                         x(m.at_ms) + (flip ? -5 : 5), line, flip ? "end" : "start", m.at_ms, escaped(m.text));
      line += 16;
   }
   return svg + "</svg>\n";
}

std::string row(const fault_summary& s) {
   const auto ms = [](const spread& values, double value) {
      return values.count == 0 ? std::string("–") : fmt::format("{:.1f}", value);
   };
   const auto of = [&](const spread& values) { return ms(values, values.median) + " / " + ms(values, values.max); };
   if (s.runs == s.skipped)
      return fmt::format("<tr><th>{}</th><td colspan=\"12\" class=\"skipped\">skipped</td></tr>\n", escaped(s.fault));
   return fmt::format(
      "<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
      escaped(s.fault), s.runs, of(s.promoted_ms), of(s.sentinel_named_ms), of(s.client_added_ms), of(s.longest_gap_ms),
      s.all.acked, s.all.unknown, s.all.errors() - s.all.unknown, s.all.lost, s.most_lost,
      s.old_master_writes ? std::to_string(*s.old_master_writes) : "–", s.all.duplicated);
}

std::string section(const judged& j) {
   const record& r = j.seen;
   const figures& f = j.found;
   const std::string_view trouble = lab::words_of(r.trouble_of_sentinel);
   std::string html = fmt::format("<section><h2>{} <small>run {}{}{}{}</small></h2>\n", escaped(r.fault), r.run,
                                  trouble.empty() ? "" : "; ", trouble, r.cut_short ? "; cut short" : "");
   if (!r.skipped.empty()) return html + "<p class=\"skipped\">Skipped: " + escaped(r.skipped) + "</p></section>\n";
   html += drawing(timeline_of(j, slices));
   html += fmt::format(
      "<p>{} acknowledged, {} errors ({} of them unknown), {} lost, {} applied twice; longest time "
      "without an acknowledged write {:.1f} ms.",
      f.all.acked, f.all.errors(), f.all.unknown, f.all.lost, f.all.duplicated, f.longest_gap_ms);
   if (f.lost_out_of_time != 0)
      html += fmt::format(" {} of the lost were not acknowledged in the last {} ms before the fault.",
                          f.lost_out_of_time, last_moments_ms);
   if (f.old_master_writes)
      html +=
         fmt::format(" {} reached {} that should not.", counted(*f.old_master_writes, "write"), to_string(r.forbidden));
   if (f.late) html += " The fault lasted longer than a command's deadline.";
   if (r.breaker && f.breaker_opened == 0) html += " The circuit breaker was on, and stayed closed.";
   if (f.budget_exhausted != 0)
      html += fmt::format(" The retry budget held {} back.", counted(f.budget_exhausted, "command"));
   if (f.second_failover) html += " A second failover followed.";
   html += "</p>\n<ul>\n";
   for (const std::string& promise : f.broken) html += "<li class=\"broken\">broken: " + escaped(promise) + "</li>\n";
   for (const operation& o : r.operations) {
      if (o.acked || o.cancelled) continue;
      html += fmt::format("<li>{} {} {}: {}</li>\n", to_string(o.outcome), word_of(o.kind), o.number, escaped(o.why));
   }
   html += "</ul>\n<details><summary>what the client told</summary>\n<table class=\"events\">\n";
   for (const told& t : r.events) {
      html += fmt::format("<tr><td>{:.1f} ms</td><td>{}</td></tr>\n", lab::ms_between(r.fault_at, t.at),
                          escaped(to_string(t.what)));
   }
   return html + "</table></details></section>\n";
}

constexpr std::string_view head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Holdfast drill</title>
<style>
:root { color-scheme: light dark; --ink: #1d2329; --ground: #eef1f4; --page: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe5ea; --ground: #22282e; --page: #14181c } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
       color: var(--ink); background: var(--page) }
table { border-collapse: collapse; width: 100% } td, th { padding: .2rem .5rem; text-align: right }
th:first-child, .events td { text-align: left } thead th { border-bottom: 1px solid }
svg { width: 100%; height: auto } svg text { font-size: 12px; fill: currentColor;
  colours-order: stroke; stroke: var(--page); stroke-width: 3px }
small { font-weight: normal } .ground { fill: var(--ground) } .gap { fill: #f2b8b5; opacity: .55 }
.ok { fill: #2e9e5b } .failed, .broken { fill: #d32f2f; color: #d32f2f } svg line { stroke-width: 1.5 }
.fault line { stroke: #d32f2f } .down line, .selected line { stroke: #d79b00 } .promoted line { stroke: #a03ad0 }
.back line { stroke: #2e9e5b } .named line { stroke: #2f6fd3 }
.policy line { stroke: #d32f2f } .skipped { color: #b37700 }
</style></head><body><h1>Holdfast drill</h1>
<p>Each bar is the workload's acknowledged writes over time; the shaded part is the longest time without one. Times
count from the fault, in milliseconds (median / maximum in the table).</p>
)";

}  // namespace

std::string as_html(const std::vector<judged>& runs) {
   std::string html(head);
   html +=
      "<table><thead><tr><th>fault</th><th>runs</th><th>promoted</th><th>named</th><th>client added</th>"
      "<th>longest gap</th><th>acked</th><th>unknown</th><th>other "
      "errors</th><th>lost</th><th>most in a run</th><th>to the old master</th><th>twice</th></tr></thead>\n";
   for (const fault_summary& s : summarise(runs)) html += row(s);
   html += "</table>\n";
   for (const judged& j : runs) html += section(j);
   return html + "</body></html>\n";
}

}  // namespace holdfast::drill
