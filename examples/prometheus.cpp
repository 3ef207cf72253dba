// Metrics for Prometheus: a client's numbers, read when they are asked for, and a histogram for each command and
// outcome.
#include <holdfast/holdfast.hpp>

#include <prometheus/collectable.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// [collect]
// What a client counts anyway. A scrape reads it from a thread of its own, and stops nobody.
class client_metrics : public prometheus::Collectable {
 public:
   explicit client_metrics(const holdfast::client& of) : client_(of) {}

   std::vector<MetricFamily> Collect() const override {
      const holdfast::stats s = client_.stats();
      return {
         counter("holdfast_commands_total", "Commands that have ended.", "outcome",
                 {{"succeeded", s.succeeded},
                  {"executed", s.executed_with_error},
                  {"not_executed", s.not_executed},
                  {"unknown", s.unknown}}),
         counter("holdfast_bytes_total", "Bytes on all connections.", "direction",
                 {{"written", s.bytes_written}, {"read", s.bytes_read}}),
         counter("holdfast_recoveries_total", "What failures took.", "kind",
                 {{"resend", s.resends}, {"reconnect", s.reconnects}, {"cutover", s.cutovers}}),
         gauge("holdfast_commands", "Commands under way.", "state", {{"in_flight", s.in_flight}, {"queued", s.queued}}),
         latency(s.latency),
      };
   }
   // [collect]

 private:
   using numbers = std::vector<std::pair<std::string, std::uint64_t>>;

   static MetricFamily counter(std::string name, std::string help, const std::string& label, const numbers& all) {
      MetricFamily family{std::move(name), std::move(help), MetricType::Counter, {}};
      for (const auto& [value, n] : all) metric(family, label, value).counter.value = static_cast<double>(n);
      return family;
   }
   static MetricFamily gauge(std::string name, std::string help, const std::string& label, const numbers& all) {
      MetricFamily family{std::move(name), std::move(help), MetricType::Gauge, {}};
      for (const auto& [value, n] : all) metric(family, label, value).gauge.value = static_cast<double>(n);
      return family;
   }
   static ClientMetric& metric(MetricFamily& family, const std::string& label, const std::string& value) {
      ClientMetric& m = family.metric.emplace_back();
      m.label.push_back({label, value});
      return m;
   }
   // Each power of two as a bucket: a quarter of what the client has.
   static MetricFamily latency(const holdfast::latency_histogram& from) {
      ClientMetric::Histogram to;
      for (std::size_t i = 0; i < from.size; ++i) {
         to.sample_count += from.counts[i];
         if (i % 4 != 0) continue;
         const std::chrono::duration<double> bound = from.upper_bound(i);
         to.bucket.push_back({to.sample_count, bound.count()});
      }
      to.bucket.push_back({to.sample_count, std::numeric_limits<double>::infinity()});
      to.sample_sum = from.sum.count();
      MetricFamily family{
         "holdfast_latency_seconds", "From the call to the end of a command.", MetricType::Histogram, {}};
      family.metric.emplace_back().histogram = std::move(to);
      return family;
   }

   const holdfast::client& client_;
};

}  // namespace

int main(int count, char** words) {
   holdfast::config settings = holdfast::config::from_uri(count > 1 ? words[1] : "redis://127.0.0.1").value();

   // [observe]
   prometheus::Registry registry;
   auto& took = prometheus::BuildHistogram()
                   .Name("redis_command_duration_seconds")
                   .Help("From the call to the end, by command and outcome.")
                   .Register(registry);
   const std::vector<double> bounds{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};
   settings.command_observer = [&](const holdfast::ended_command& e) {
      const std::string outcome(e.failed != nullptr ? to_string(e.failed->outcome) : "succeeded");
      took.Add({{"command", std::string(e.name)}, {"outcome", outcome}}, bounds)
         .Observe(std::chrono::duration<double>(e.took()).count());
   };
   // [observe]

   holdfast::client redis{settings};
   const client_metrics numbers{redis};
   for (int i = 0; i < 10; ++i) redis.incr("visits").value();
   redis.set("name", "not a number").value();
   const auto refused = redis.incr("name");

   // In a service: prometheus::Exposer exposer{"0.0.0.0:9464"}, and RegisterCollectable for both of them.
   std::vector<MetricFamily> all = numbers.Collect();
   for (auto& family : registry.Collect()) all.push_back(std::move(family));
   std::cout << prometheus::TextSerializer().Serialize(all);
   return refused ? 1 : 0;
}
