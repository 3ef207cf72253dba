#include "bench/wholes/report_json.hpp"

#include "bench/wholes/target.hpp"

#include <nlohmann/json.hpp>

namespace holdfast::bench {
namespace {

using json = nlohmann::ordered_json;

json number(const std::optional<double>& n) { return n ? json(*n) : json(); }

json object(const spread& s) { return {{"median", s.median}, {"min", s.least}, {"max", s.most}}; }
json object(const std::optional<spread>& s) { return s ? object(*s) : json(); }

json object(const std::optional<counts>& c) {
   if (!c) return {};
   return {{"instructions", c->instructions}, {"allocations", c->allocations}, {"system_calls", c->system_calls}};
}

json object(const results& r, const measured& m) {
   return {{"workload", m.what->name},
           {"title", m.what->title},
           {"client", m.who->name},
           {"client_title", m.who->title},
           {"callers", m.what->callers},
           {"growth", m.what->is_growth},
           {"operations_per_second", object(rate_of(m))},
           {"processor_ns", processor_time_of(m)},
           {"throughput_to_raw", object(r.throughput_ratio(m, "raw"))},
           {"processor_to_raw", object(r.processor_ratio(m, "raw"))},
           {"per_operation", object(m.counted)}};
}

json object(const target& t) {
   return {{"what", t.what},
           {"unit", t.unit},
           {t.at_most ? "at_most" : "at_least", t.limit},
           {"aim", number(t.aim)},
           {"measured", number(t.measured)},
           {"met", t.is_met()}};
}

}  // namespace

std::string json_of(const results& r, const machine& m) {
   json all{{"date", m.date},
            {"processor", m.processor},
            {"cores", m.cores},
            {"kernel", m.kernel},
            {"compiler", m.compiler},
            {"server", m.server},
            {"load_before", m.load_before},
            {"load_after", m.load_after},
            {"rounds", m.rounds}};
   all["results"] = json::array();
   for (const measured& one : r.all()) all["results"].push_back(object(r, one));
   all["holdings"] = json::array();
   for (const holding& h : r.holdings())
      all["holdings"].push_back({{"client", h.who->name},
                                 {"callers", h.callers},
                                 {"resident_kib", h.resident},
                                 {"descriptors", h.descriptors}});
   all["targets"] = json::array();
   for (const target& t : targets_of(r)) all["targets"].push_back(object(t));
   return all.dump(2) + "\n";
}

}  // namespace holdfast::bench
