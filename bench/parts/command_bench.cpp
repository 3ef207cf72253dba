// What it costs to put a command together, as bytes: `command`, and hiredis' formatter.
#include <holdfast/command.hpp>

#include <benchmark/benchmark.h>
#include <hiredis/hiredis.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using holdfast::command;

const std::string key = "bench:text";

void build_get(benchmark::State& state) {
   for (auto _ : state) {
      const command get{"GET", key};
      benchmark::DoNotOptimize(get.bytes().data());
   }
}

void build_get_hiredis(benchmark::State& state) {
   for (auto _ : state) {
      char* bytes = nullptr;
      benchmark::DoNotOptimize(::redisFormatCommand(&bytes, "GET %b", key.data(), key.size()));
      ::redisFreeCommand(bytes);
   }
}

void build_set_with_numbers(benchmark::State& state) {
   for (auto _ : state) {
      const command set{"SET", key, 123456789, "EX", 3600};
      benchmark::DoNotOptimize(set.bytes().data());
   }
}

void build_set_with_numbers_hiredis(benchmark::State& state) {
   for (auto _ : state) {
      char* bytes = nullptr;
      benchmark::DoNotOptimize(
         ::redisFormatCommand(&bytes, "SET %b %d EX %d", key.data(), key.size(), 123456789, 3600));
      ::redisFreeCommand(bytes);
   }
}

void build_mget_of_1000(benchmark::State& state) {
   std::vector<std::string> words(1001, key);
   words.front() = "MGET";
   for (auto _ : state) {
      const command mget = command::from(words);
      benchmark::DoNotOptimize(mget.bytes().data());
   }
}

void build_mget_of_1000_hiredis(benchmark::State& state) {
   std::vector<const char*> words(1001, key.data());
   std::vector<std::size_t> sizes(1001, key.size());
   words.front() = "MGET";
   sizes.front() = 4;
   for (auto _ : state) {
      char* bytes = nullptr;
      benchmark::DoNotOptimize(
         ::redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), words.data(), sizes.data()));
      ::redisFreeCommand(bytes);
   }
}

BENCHMARK(build_get);
BENCHMARK(build_get_hiredis);
BENCHMARK(build_set_with_numbers);
BENCHMARK(build_set_with_numbers_hiredis);
BENCHMARK(build_mget_of_1000);
BENCHMARK(build_mget_of_1000_hiredis);

}  // namespace
