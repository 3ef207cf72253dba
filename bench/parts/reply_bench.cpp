// What it costs to read an array of 1000 texts of 16 bytes that is there already: the limit (a walker that checks
// nothing), the library's reader, what a caller takes out of it, and hiredis with and without its objects.
#include "resp/reader.hpp"

#include <holdfast/value.hpp>

#include <benchmark/benchmark.h>
#include <hiredis/hiredis.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using holdfast::impl::reader;

constexpr std::size_t elements = 1000;

const std::string& array_of_texts() {
   static const std::string bytes = [] {
      std::string all = "*" + std::to_string(elements) + "\r\n";
      for (std::size_t i = 0; i < elements; ++i) all += "$16\r\n0123456789abcdef\r\n";
      return all;
   }();
   return bytes;
}

void of_so_many(benchmark::State& state) {
   state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(elements));
   state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(array_of_texts().size()));
}

void read_walker(benchmark::State& state) {
   std::vector<char> buffer(array_of_texts().size());
   for (auto _ : state) {
      std::memcpy(buffer.data(), array_of_texts().data(), buffer.size());
      const char* at = static_cast<const char*>(std::memchr(buffer.data(), '\n', buffer.size())) + 1;
      std::size_t sum = 0;
      for (std::size_t i = 0; i < elements; ++i) {
         std::size_t length = 0;
         for (++at; *at != '\r'; ++at) length = length * 10 + static_cast<std::size_t>(*at - '0');
         sum += length;
         at += 2 + length + 2;
      }
      benchmark::DoNotOptimize(sum);
   }
   of_so_many(state);
}

// The next reply of a reader that has just received the array.
holdfast::value_view received(reader& r) {
   const auto space = r.prepare(array_of_texts().size());
   std::memcpy(space.data(), array_of_texts().data(), array_of_texts().size());
   r.commit(array_of_texts().size());
   (void)r.next();
   return r.reply();
}

void read_in_place(benchmark::State& state) {
   reader r(holdfast::impl::limits{});
   for (auto _ : state) {
      benchmark::DoNotOptimize(received(r).size());
      if (r.next() != reader::status::incomplete) return state.SkipWithError("more than was sent");
   }
   of_so_many(state);
}

void read_and_copy(benchmark::State& state) {
   reader r(holdfast::impl::limits{});
   for (auto _ : state) {
      const holdfast::value copy(received(r));
      benchmark::DoNotOptimize(copy.size());
      (void)r.next();
   }
   of_so_many(state);
}

void read_as_strings(benchmark::State& state) {
   reader r(holdfast::impl::limits{});
   for (auto _ : state) {
      const auto texts = received(r).as<std::vector<std::string>>();
      benchmark::DoNotOptimize(texts.data());
      (void)r.next();
   }
   of_so_many(state);
}

void read_with_hiredis(benchmark::State& state, bool objects) {
   redisReader* r = ::redisReaderCreate();
   if (!objects) r->fn = nullptr;
   for (auto _ : state) {
      void* reply = nullptr;
      ::redisReaderFeed(r, array_of_texts().data(), array_of_texts().size());
      if (::redisReaderGetReply(r, &reply) != REDIS_OK || reply == nullptr) state.SkipWithError("no reply");
      if (objects) ::freeReplyObject(reply);
   }
   ::redisReaderFree(r);
   of_so_many(state);
}

void read_hiredis_objects(benchmark::State& state) { read_with_hiredis(state, true); }
void read_hiredis_no_objects(benchmark::State& state) { read_with_hiredis(state, false); }

BENCHMARK(read_walker);
BENCHMARK(read_in_place);
BENCHMARK(read_and_copy);
BENCHMARK(read_as_strings);
BENCHMARK(read_hiredis_no_objects);
BENCHMARK(read_hiredis_objects);

}  // namespace
