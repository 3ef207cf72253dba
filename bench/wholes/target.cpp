#include "bench/wholes/target.hpp"

namespace holdfast::bench {
namespace {

using figure = std::optional<double>;
constexpr std::string_view alone = "sentinel";
constexpr std::string_view shared = "deployment";

figure median(const std::optional<spread>& s) { return s ? figure(s->median) : std::nullopt; }

figure counted(const results& r, std::string_view workload, std::string_view client, double counts::* what) {
   const measured* m = r.find(workload, client);
   return m != nullptr && m->counted ? figure((*m->counted).*what) : std::nullopt;
}

figure throughput(const results& r, std::string_view workload, std::string_view client, std::string_view to) {
   const measured* m = r.find(workload, client);
   return m != nullptr ? median(r.throughput_ratio(*m, to)) : std::nullopt;
}

figure processor(const results& r, std::string_view workload) {
   const measured* m = r.find(workload, shared);
   return m != nullptr ? median(r.processor_ratio(*m, "raw")) : std::nullopt;
}

// How many per cent more instructions one GET costs than with a fixed server.
figure extra(const results& r, std::string_view client) {
   const figure more = counted(r, "get", client, &counts::instructions);
   const figure fixed = counted(r, "get", "fixed", &counts::instructions);
   return more && fixed ? figure(100 * (*more / *fixed - 1)) : std::nullopt;
}

figure held(const results& r, std::string_view client, double holding::* what) {
   const auto one = r.of_one_caller(client);
   return one ? figure((*one).*what) : std::nullopt;
}

// A list of targets, as it is filled.
class target_list {
 public:
   void at_most(double limit, std::string what, std::string unit, figure measured, figure aim = {}) {
      all_.push_back({std::move(what), std::move(unit), limit, true, aim, measured});
   }
   void at_least(double limit, std::string what, std::string unit, figure measured, figure aim = {}) {
      all_.push_back({std::move(what), std::move(unit), limit, false, aim, measured});
   }
   std::vector<target> take() { return std::move(all_); }

 private:
   std::vector<target> all_;
};

void add_get(const results& r, std::string_view client, const std::string& get, target_list& all) {
   all.at_most(0, get, "heap allocations", counted(r, "get", client, &counts::allocations));
   all.at_most(3, get, "system calls", counted(r, "get", client, &counts::system_calls));
   all.at_most(2300, get, "instructions", counted(r, "get", client, &counts::instructions), 1800);
   all.at_most(3, get, "% more instructions than with a fixed server", extra(r, client));
   all.at_least(0.9, get, "x the throughput of hiredis", throughput(r, "get", client, "hiredis"), 1);
   all.at_least(0.9, get + ", one core", "x the throughput of hiredis",
                throughput(r, "get_one_core", client, "hiredis"), 1);
}

void add_caller(const results& r, std::string_view client, const std::string& one, double kib, double descriptors,
                target_list& all) {
   all.at_most(kib, one, "KiB of resident memory", held(r, client, &holding::resident));
   all.at_most(descriptors, one, "descriptors", held(r, client, &holding::descriptors));
}

}  // namespace

std::vector<target> targets_of(const results& r) {
   target_list all;
   add_get(r, alone, "one GET, Sentinels of its own", all);
   add_get(r, shared, "one GET, client of a deployment", all);
   const auto list = counted(r, "list", shared, &counts::instructions);
   all.at_most(900, "1 024 GETs, list built before", "instructions of each", list, 600);
   all.at_least(0.45, "the same, canned server", "x the throughput of raw",
                throughput(r, "list_canned", "fixed", "raw"));
   all.at_most(2.5, "LRANGE of 1 000", "x the processor time of raw", processor(r, "lrange"));
   all.at_most(2.5, "HGETALL of 1 000", "x the processor time of raw", processor(r, "hgetall"));
   all.at_most(2.5, "MGET of 1 000", "x the processor time of raw", processor(r, "mget"));
   all.at_most(1.5, "GET of 1 MiB", "x the processor time of raw", processor(r, "mebibyte"));
   all.at_least(3, "64 threads on one shared_client", "x the throughput of hiredis",
                throughput(r, "threads_64", "shared", "hiredis"));
   add_caller(r, shared, "one more client of a deployment", 4, 2, all);
   add_caller(r, alone, "one more client with Sentinels of its own", 60, 7, all);
   return all.take();
}

}  // namespace holdfast::bench
