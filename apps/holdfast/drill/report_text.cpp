#include "drill/report_text.hpp"

#include "drill/counted.hpp"
#include "drill/losses.hpp"
#include "drill/summary.hpp"
#include "drill/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::drill {
namespace {

constexpr std::size_t text_columns = 76;

struct look {
   char letter;
   colour tint;
};

look look_of(mark_kind kind) {
   switch (kind) {
      case mark_kind::fault: return {'F', colour::red};
      case mark_kind::down: return {'D', colour::yellow};
      case mark_kind::selected: return {'S', colour::yellow};
      case mark_kind::promoted: return {'P', colour::magenta};
      case mark_kind::client_back: return {'C', colour::green};
      case mark_kind::named: return {'N', colour::blue};
      case mark_kind::breaker: return {'B', colour::red};
      case mark_kind::budget: return {'R', colour::red};
   }
   return {'?', colour::none};
}

std::string bar(const timeline& t, const colours& tint) {
   std::string text;
   const unsigned most = std::max(1U, *std::max_element(t.acked.begin(), t.acked.end()));
   for (std::size_t i = 0; i < t.acked.size(); ++i) {
      if (t.failed[i] != 0)
         text += tint(colour::red, "x");
      else if (t.acked[i] == 0)
         text += tint(colour::grey, "·");
      else
         text += tint(colour::green, t.acked[i] * 2 >= most ? "█" : "▄");
   }
   return text;
}

// The marks' letters below the bar. Where two fall on one place, the later one stands to the right of it.
std::string letters(const timeline& t, const colours& tint) {
   std::vector<std::string> cells(t.acked.size() + t.marks.size(), " ");
   std::size_t free = 0;
   for (const mark& m : t.marks) {
      const double share = (m.at_ms - t.from_ms) / (t.to_ms - t.from_ms);
      const auto wanted = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(t.acked.size()));
      const std::size_t at = std::min(std::max(wanted, free), cells.size() - 1);
      const look l = look_of(m.kind);
      cells[at] = tint(l.tint, std::string(1, l.letter));
      free = at + 1;
   }
   std::string text;
   for (const std::string& cell : cells) text += cell;
   return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string counts(const totals& t) {
   std::string text = fmt::format("{} acknowledged", t.acked);
   if (t.not_executed != 0) text += fmt::format(", {} not executed", t.not_executed);
   if (t.unknown != 0) text += fmt::format(", {} unknown", t.unknown);
   if (t.executed != 0) text += fmt::format(", {} executed but failed", t.executed);
   if (t.lost != 0) text += fmt::format(", {} lost", t.lost);
   if (t.duplicated != 0) text += fmt::format(", {} applied twice", t.duplicated);
   return text;
}

// The failed ones, each with its explanation; of many, the first few.
std::string failures(const record& r, const colours& tint) {
   constexpr std::size_t most_shown = 8;
   std::string text;
   std::size_t count = 0;
   for (const operation& o : r.operations) {
      if (o.acked || o.cancelled || ++count > most_shown) continue;
      text += fmt::format("     {} {} {} at {:.1f} ms: {}\n", tint(colour::red, to_string(o.outcome)), word_of(o.kind),
                          o.number, lab::ms_between(r.fault_at, o.end), o.why);
   }
   if (count > most_shown) text += fmt::format("     ... and {} more\n", count - most_shown);
   return text;
}

std::string title_of(const record& r) {
   const std::string_view trouble = lab::words_of(r.trouble_of_sentinel);
   return r.fault + (trouble.empty() ? "" : fmt::format(" ({})", trouble));
}

// Which writes are lost, and what the old master was given; nothing where there is nothing to tell.
std::string losses(const record& r, const figures& f) {
   std::string text;
   if (!f.lost_before_fault_ms.empty()) {
      const auto [last, first] = std::minmax_element(f.lost_before_fault_ms.begin(), f.lost_before_fault_ms.end());
      text +=
         fmt::format("   lost: acknowledged from {:+.1f} to {:+.1f} ms; {} not in the last {} ms before the fault\n",
                     -*first, -*last, f.lost_out_of_time, last_moments_ms);
   }
   if (f.old_master_writes)
      text += fmt::format("   {} reached {} that should not\n", counted(*f.old_master_writes, "write"),
                          to_string(r.forbidden));
   return text;
}

std::string runs_were(std::size_t count) { return counted(count, "run") + (count == 1 ? " was" : " were"); }

std::string ms(const spread& s, bool maximum) {
   if (s.count == 0) return "-";
   const double value = maximum ? s.max : s.median;
   return value < 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

// From the naming of the new master to the client's first write on it. An eager client does not wait for the naming.
std::string after_named(double after_ms) {
   if (after_ms < 0) return fmt::format("{:.1f} ms before a Sentinel named the new master", -after_ms);
   return fmt::format("{:.1f} ms after a Sentinel named the new master (judged: at most {:.0f})", after_ms,
                      after_named_at_most_ms);
}

std::string after_named(const fault_summary& s) {
   const bool always_before = s.before_named_ms.count == s.after_named_ms.count;
   if (always_before)
      return fmt::format("first write before a Sentinel named the new master, by {} ms in the median",
                         ms(s.before_named_ms, false));
   std::string text = fmt::format(
      "first write after a Sentinel named the new master: median {} ms, max {} ms "
      "(judged: at most {:.0f})",
      ms(s.after_named_ms, false), ms(s.after_named_ms, true), after_named_at_most_ms);
   if (s.before_named_ms.count != 0)
      text += fmt::format("; before it in {} of {}", s.before_named_ms.count, counted(s.after_named_ms.count, "run"));
   return text;
}

std::string table_line(const fault_summary& s, const colours& tint) {
   if (s.runs == s.skipped)
      return fmt::format("{:<16}{:>4}", s.fault, s.runs) + tint(colour::yellow, "  skipped") + "\n";
   const auto zero_is_good = [&](int columns, std::uint64_t n) {
      return tint(n == 0 ? colour::none : colour::red, fmt::format("{:>{}}", n, columns));
   };
   return fmt::format("{:<16}{:>4}{:>9}{:>7}{:>8}{:>7}{:>8}{:>7}{:>5}", s.fault, s.runs, ms(s.promoted_ms, false),
                      ms(s.sentinel_named_ms, false), ms(s.client_added_ms, false), ms(s.client_added_ms, true),
                      ms(s.longest_gap_ms, false), ms(s.longest_gap_ms, true), s.all.unknown) +
          zero_is_good(5, s.all.errors() - s.all.unknown) + fmt::format("{:>6}", s.all.lost) +
          zero_is_good(6, s.all.duplicated) + "\n";
}

std::string table_head(const colours& tint) {
   return tint(colour::bold,
               fmt::format("{:<16}{:>4}{:>9}{:>7}{:>15}{:>15}{:>10}{:>6}{:>6}", "fault", "runs", "promoted", "named",
                           "client added", "longest gap", "errors", "lost", "twice")) +
          "\n" +
          fmt::format("{:<16}{:>4}{:>9}{:>7}{:>8}{:>7}{:>8}{:>7}{:>5}{:>5}\n", "", "", "ms", "ms", "median", "max ms",
                      "median", "max ms", "unkn", "oth");
}

}  // namespace

std::string describe_run(const judged& j, const colours& tint) {
   const record& r = j.seen;
   const figures& f = j.found;
   if (!r.skipped.empty())
      return fmt::format("\n{} {}\n", tint(colour::bold, r.fault), tint(colour::yellow, "skipped: " + r.skipped));
   const timeline t = timeline_of(j, text_columns);
   std::string text = fmt::format("\n{} run {}{}\n", tint(colour::bold, title_of(r)), r.run,
                                  r.cut_short ? tint(colour::yellow, "  (cut short)") : "");
   text += "   " + bar(t, tint) + "\n   " + letters(t, tint) + "\n";
   for (const mark& m : t.marks) {
      const look l = look_of(m.kind);
      text += fmt::format("   {}{:>9.1f} ms   {}\n", tint(l.tint, std::string(1, l.letter)), m.at_ms, m.text);
   }
   text += fmt::format("   longest time without an acknowledged write: {:.1f} ms\n", f.longest_gap_ms);
   if (f.after_named_ms) text += fmt::format("   first write {}\n", after_named(*f.after_named_ms));
   if (!r.held) text += tint(colour::yellow, "   not compared with what the master holds\n");
   text += "   " + counts(f.all) + "\n" + losses(r, f) + failures(r, tint);
   if (r.breaker && f.breaker_opened == 0) text += "   the circuit breaker was on, and stayed closed\n";
   if (f.budget_exhausted != 0)
      text += fmt::format("   the retry budget held {} back\n", counted(f.budget_exhausted, "command"));
   if (f.late) text += tint(colour::yellow, "   the fault lasted longer than a command's deadline: told apart\n");
   if (f.second_failover) text += tint(colour::yellow, "   a second failover followed: told apart\n");
   for (const std::string& promise : f.broken) text += tint(colour::red, "   broken: " + promise) + "\n";
   return text;
}

std::string describe_all(const std::vector<judged>& runs, const colours& tint) {
   std::string text = "\n" + table_head(tint);
   std::size_t broken = 0;
   std::size_t apart = 0;
   std::size_t skipped = 0;
   bool unshown = false;
   for (const fault_summary& s : summarise(runs)) {
      text += table_line(s, tint);
      broken += s.promises_broken;
      apart += s.runs - s.skipped - s.ordinary;
      skipped += s.skipped;
      unshown = unshown || s.showed_nothing();
   }
   for (const fault_summary& s : summarise(runs)) {
      if (s.after_named_ms.count == 0) continue;
      text += fmt::format("{}: {}\n", s.fault, after_named(s));
   }
   for (const fault_summary& s : summarise(runs)) {
      if (s.most_lost != 0)
         text += fmt::format("{}: nothing lost in {} of {}, at most {} in one\n", s.fault, s.runs_without_loss,
                             counted(s.ordinary, "run"), s.most_lost);
      if (s.old_master_writes.value_or(0) != 0)
         text += tint(colour::red, fmt::format("{}: {} reached a node that should get none\n", s.fault,
                                               counted(*s.old_master_writes, "write")));
   }
   if (apart != 0) {
      text += fmt::format(
         "{} told apart (longer than a deadline, a second failover) or cut short; the times leave them out.\n",
         runs_were(apart));
   }
   if (skipped != 0)
      text += tint(colour::yellow, fmt::format("{} skipped, of which nothing is known.\n", runs_were(skipped)));
   if (skipped == runs.size()) return text;
   text +=
      "Lost: acknowledged by a master before its replicas had it. Replication is asynchronous, and acks are off.\n";
   const bool cut = std::any_of(runs.begin(), runs.end(), [](const judged& j) { return j.seen.cut_short; });
   if (cut && broken == 0) return text + "Cut short: no promise was seen broken until then.\n";
   if (unshown && broken == 0)
      return text + "No promise was seen broken, but not every fault has shown that it is kept.\n";
   text += broken == 0 ? tint(colour::green, "All promises kept: ")
                       : tint(colour::red, counted(broken, "promise") + " broken: ");
   text +=
      "no write failed that could wait or be sent again, none was applied twice, none ran that was\n"
      "reported as not executed, none reached a master that was left, at most one is unknown for each\n"
      "connection lost, and the client came back.\n";
   return text;
}

}  // namespace holdfast::drill
