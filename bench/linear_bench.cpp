// What grows with its subject, and must grow no faster: the keys of a long command, and lists whose deadline passes
// while they are under way. Time per item is to be the same for all lengths; how late the lists end is counted as
// `late_ms`.
#include "commands/command_table.hpp"
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace holdfast;

void keys_of_del(benchmark::State& state) {
   std::vector<std::string> words{"DEL"};
   for (std::int64_t i = 0; i < state.range(0); ++i) words.push_back("key:" + std::to_string(i));
   const command del = command::from(words);
   const auto* const entry = resp::find_command(del);
   for (auto _ : state) {
      std::size_t bytes = 0;
      resp::for_each_key(entry, del, [&](std::string_view key) { bytes += key.size(); });
      benchmark::DoNotOptimize(bytes);
   }
   state.SetItemsProcessed(state.iterations() * state.range(0));
}

void list_past_its_deadline(benchmark::State& state) {
   static lab::deployment one({.replicas = 0, .sentinels = 0});
   client redis(config{.server = one.node(0).own_address()});
   const std::vector<command> list(static_cast<std::size_t>(state.range(0)), command{"SET", "k", "v"});
   const call_options options{.deadline = std::chrono::milliseconds(20)};
   double late = 0;
   for (auto _ : state) {
      const auto begin = std::chrono::steady_clock::now();
      const auto replies = redis.run(list, options);
      late += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count() - 20;
      benchmark::DoNotOptimize(replies.data());
   }
   state.counters["late_ms"] = late / static_cast<double>(state.iterations());
}

BENCHMARK(keys_of_del)->Arg(100)->Arg(10'000)->Arg(60'000);
BENCHMARK(list_past_its_deadline)->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace
