#include "drill/report_json.hpp"

#include "drill/summary.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::drill {
namespace {

using json = nlohmann::ordered_json;

double rounded(double ms) { return std::round(ms * 1000) / 1000; }

json or_null(const std::optional<double>& ms) { return ms ? json(rounded(*ms)) : json(nullptr); }

json or_null(const std::optional<std::uint64_t>& count) { return count ? json(*count) : json(nullptr); }

void put(json& into, const totals& t) {
   into["acked"] = t.acked;
   into["errors"] = t.errors();
   into["not_executed"] = t.not_executed;
   into["unknown"] = t.unknown;
   into["executed"] = t.executed;
   into["lost"] = t.lost;
   into["duplicated"] = t.duplicated;
}

json failures(const record& r) {
   json all = json::array();
   for (const operation& o : r.operations) {
      if (o.acked || o.cancelled) continue;
      all.push_back({{"command", word_of(o.kind)},
                     {"number", o.number},
                     {"at_ms", rounded(lab::ms_between(r.fault_at, o.start))},
                     {"took_ms", rounded(lab::ms_between(o.start, o.end))},
                     {"outcome", to_string(o.outcome)},
                     {"error", o.code},
                     {"why", o.why}});
   }
   return all;
}

json events(const record& r) {
   json all = json::array();
   for (const told& t : r.events) {
      all.push_back({{"at_ms", rounded(lab::ms_between(r.fault_at, t.at))},
                     {"event", name_of(t.what)},
                     {"text", to_string(t.what)}});
   }
   return all;
}

// What the checker saw, for whoever doubts the figures.
json evidence(const record& r) {
   json out = {{"promotions", json::array()}, {"namings", json::array()}};
   for (const lab::promotion& p : r.promotions) {
      out["promotions"].push_back({{"at_ms", rounded(lab::ms_between(r.fault_at, p.at))},
                                   {"accepted_ms", rounded(lab::ms_between(r.fault_at, p.accepted))},
                                   {"node", to_string(p.node)}});
   }
   for (const lab::naming& n : r.namings) {
      out["namings"].push_back({{"at_ms", rounded(lab::ms_between(r.fault_at, n.at))},
                                {"sentinel", n.sentinel},
                                {"master", to_string(n.master)}});
   }
   return out;
}

json breaker_changes(const record& r) {
   json all = json::array();
   for (const told& t : r.events)
      if (const auto* changed = std::get_if<event::breaker_changed>(&t.what))
         all.push_back({{"at_ms", rounded(lab::ms_between(r.fault_at, t.at))}, {"state", changed->state}});
   return all;
}

json footprint_json(const footprint& f) {
   return {{"connections", f.connections}, {"sockets", f.sockets}, {"resident_kib", f.resident_kib}};
}

json run_json(const judged& j) {
   const record& r = j.seen;
   const figures& f = j.found;
   json out = {{"fault", r.fault},
               {"run", r.run},
               {"skipped", r.skipped.empty() ? json(nullptr) : json(r.skipped)},
               {"promoted_ms", or_null(f.promoted_ms)},
               {"sentinel_named_ms", or_null(f.sentinel_named_ms)},
               {"first_ok_ms", or_null(f.first_ok_ms)},
               {"client_added_ms", or_null(f.client_added_ms)},
               {"after_sentinel_named_ms", or_null(f.after_named_ms)},
               {"longest_gap_ms", rounded(f.longest_gap_ms)},
               {"late", f.late},
               {"second_failover", f.second_failover}};
   put(out, f.all);
   for (const write_kind kind : every_kind) {
      json& command = out["by_command"][std::string(word_of(kind))];
      put(command, f.by_command[static_cast<std::size_t>(kind)]);
   }
   json& losses = out["lost_before_fault_ms"] = json::array();
   for (const double ms : f.lost_before_fault_ms) losses.push_back(rounded(ms));
   out["lost_late"] = f.lost_out_of_time;
   out["old_master_writes"] = or_null(f.old_master_writes);
   out["connections_lost"] = f.connections_lost;
   out["breaker"] = {{"on", r.breaker}, {"opened", f.breaker_opened}, {"changes", breaker_changes(r)}};
   out["budget_exhausted"] = f.budget_exhausted;
   out["before"] = footprint_json(r.before);
   out["after"] = footprint_json(r.after);
   out["delivery"] = to_string(r.delivery);
   out["cutover"] = to_string(r.cutover);
   out["sentinel_trouble"] = to_string(r.trouble_of_sentinel);
   out["broken_promises"] = f.broken;
   out["cut_short"] = r.cut_short;
   out["checker"] = evidence(r);
   out["failures"] = failures(r);
   out["events"] = events(r);
   return out;
}

json spread_json(const spread& s) {
   return s.count == 0 ? json(nullptr) : json{{"median", rounded(s.median)}, {"max", rounded(s.max)}};
}

json fault_json(const fault_summary& s) {
   json out = {{"runs", s.runs},
               {"skipped", s.skipped},
               {"ordinary", s.ordinary},
               {"late", s.late},
               {"second_failovers", s.second_failovers},
               {"told_apart", s.told_apart},
               {"promoted_ms", spread_json(s.promoted_ms)},
               {"sentinel_named_ms", spread_json(s.sentinel_named_ms)},
               {"first_ok_ms", spread_json(s.first_ok_ms)},
               {"client_added_ms", spread_json(s.client_added_ms)},
               {"longest_gap_ms", spread_json(s.longest_gap_ms)},
               {"after_sentinel_named_ms", spread_json(s.after_named_ms)},
               {"before_sentinel_named_ms", spread_json(s.before_named_ms)}};
   put(out, s.all);
   out["runs_without_loss"] = s.runs_without_loss;
   out["most_lost"] = s.most_lost;
   out["lost_late"] = s.lost_out_of_time;
   out["old_master_writes"] = or_null(s.old_master_writes);
   out["promises_broken"] = s.promises_broken;
   return out;
}

}  // namespace

nlohmann::ordered_json as_json(const std::vector<judged>& runs) {
   json out = {{"runs", json::array()}, {"summary", {{"runs", runs.size()}}}};
   std::uint64_t broken = 0;
   totals all;
   for (const judged& j : runs) {
      out["runs"].push_back(run_json(j));
      broken += j.found.broken.size();
      all += j.found.all;
   }
   json& summary = out["summary"];
   put(summary, all);
   summary["promises_broken"] = broken;
   summary["skipped"] =
      std::count_if(runs.begin(), runs.end(), [](const judged& j) { return !j.seen.skipped.empty(); });
   summary["faults"] = json::object();
   for (const fault_summary& s : summarise(runs)) summary["faults"][s.fault] = fault_json(s);
   return out;
}

}  // namespace holdfast::drill
