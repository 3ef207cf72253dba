#include "bench/wholes/worker.hpp"

#include "bench/wholes/allocations.hpp"
#include "bench/wholes/system_call_log.hpp"

#include <time.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <istream>
#include <latch>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace holdfast::bench {
namespace {

std::int64_t processor_time() {
   timespec t = {};
   ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
   return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

class stopwatch {
 public:
   std::string text() const {
      const auto wall = std::chrono::steady_clock::now() - begin_;
      return "ok " + std::to_string(std::chrono::nanoseconds(wall).count()) + " " +
             std::to_string(processor_time() - used_);
   }

 private:
   std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
   std::int64_t used_ = processor_time();
};

// All begin at once; the first that fails is told.
std::string run_in_threads(std::vector<std::unique_ptr<caller>>& callers, std::size_t n, std::size_t rounds) {
   std::latch ready(static_cast<std::ptrdiff_t>(n));
   std::latch go(1);
   std::vector<std::exception_ptr> failures(n);
   std::vector<std::jthread> threads;
   for (std::size_t i = 0; i < n; ++i) {
      threads.emplace_back([&, i] {
         ready.count_down();
         go.wait();
         try {
            callers[i]->run(rounds);
         } catch (...) {
            failures[i] = std::current_exception();
         }
      });
   }
   ready.wait();
   const stopwatch time;
   go.count_down();
   for (std::jthread& t : threads) t.join();
   std::string taken = time.text();
   for (const std::exception_ptr& f : failures)
      if (f) std::rethrow_exception(f);
   return taken;
}

std::size_t resident_kib() {
   std::ifstream pages("/proc/self/statm");
   std::size_t all = 0;
   std::size_t resident = 0;
   pages >> all >> resident;
   return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

std::string on_one_line(std::string text) {
   for (char& c : text)
      if (c == '\n') c = ' ';
   return text;
}

}  // namespace

worker::worker(const client_kind& k, server_addresses real, server_addresses canned)
   : kind_(k), addresses_{{server_kind::real, std::move(real)}, {server_kind::canned, std::move(canned)}} {}

void worker::serve(std::istream& requests, std::ostream& answers) {
   for (std::string line; std::getline(requests, line);) {
      try {
         answers << answer(line) << std::endl;
      } catch (const std::exception& e) {
         answers << "error " << on_one_line(e.what()) << std::endl;
      }
   }
}

std::string worker::answer(const std::string& request) {
   std::istringstream words(request);
   std::string what;
   words >> what;
   if (what == "grow") {
      std::size_t n = 0;
      words >> n;
      return grow(n);
   }
   std::string name;
   std::size_t rounds = 0;
   words >> name >> rounds;
   const workload& w = workload_named(name);
   return what == "count" ? count(w, rounds) : run(w, rounds);
}

worker::pool& worker::pool_of(server_kind where, std::size_t callers) {
   pool& p = pools_[where];
   if (!p.source) p.source = kind_.make(addresses_.at(where));
   while (p.callers.size() < callers) p.callers.push_back(p.source->another());
   return p;
}

worker::pool& worker::prepared(const workload& w) {
   pool& p = pool_of(w.server, w.callers);
   for (std::size_t i = 0; i < w.callers; ++i) p.callers[i]->prepare(w);
   return p;
}

std::string worker::run(const workload& w, std::size_t rounds) {
   pool& p = prepared(w);
   if (w.how == shape::caller_each_thread) return run_in_threads(p.callers, w.callers, rounds);
   const stopwatch time;
   p.callers.front()->run(rounds);
   return time.text();
}

std::string worker::count(const workload& w, std::size_t rounds) {
   caller& c = *prepared(w).callers.front();
   c.run(2);  // what is made once is made
   const std::uint64_t before = allocations();
   count_allocations(true);
   VALGRIND_PRINTF("%s\n", counted_from_here);
   CALLGRIND_ZERO_STATS;
   c.run(rounds);
   CALLGRIND_DUMP_STATS;
   VALGRIND_PRINTF("%s\n", counted_to_here);
   count_allocations(false);
   return "ok " + std::to_string(allocations() - before);
}

std::string worker::grow(std::size_t n) {
   pool& p = pool_of(server_kind::real, n);
   const workload& get = workload_named("get");
   for (const auto& c : p.callers) {
      c->prepare(get);
      c->run(1);
   }
   const std::filesystem::directory_iterator all("/proc/self/fd");
   return "ok " + std::to_string(resident_kib()) + " " + std::to_string(std::distance(begin(all), end(all)));
}

}  // namespace holdfast::bench
