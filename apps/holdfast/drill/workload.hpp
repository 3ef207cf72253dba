// Uniquely numbered writes in a closed loop, and the log of each.
#pragma once

#include "drill/record.hpp"
#include "drill/system_under_test.hpp"

#include <atomic>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::drill {

// RPUSH drill:list n; INCR drill:counter; SET drill:<n> n; then the next n: one in flight, a millisecond of pause after
// each. Runs in a thread of its own from its construction on.
class workload {
 public:
   workload(const system_options&, std::stop_token interrupted);
   ~workload();

   // Lets the command in flight end (unless interrupted), then ends.
   void finish();

   // The log so far, which does not grow meanwhile: `look(operations, events)`.
   template <class Look>
   auto look(Look&& look) const {
      const std::lock_guard lock(guard_);
      return std::forward<Look>(look)(std::span<const operation>(operations_), std::span<const told>(events_));
   }
   std::uint64_t acked() const { return acked_; }
   std::uint64_t failed() const { return failed_; }
   // Nothing more will come: the client refused to work (see the last operation) or threw (see `thrown`).
   bool over() const { return over_; }
   std::string thrown() const;
   // Moves the log out; after `finish`.
   void surrender(record&);

 private:
   void run(const system_options&);
   bool perform(system_under_test&, write_kind, std::uint64_t number);

   std::stop_token interrupted_;
   mutable std::mutex guard_;
   std::vector<operation> operations_;  // by guard_, as are the next two
   std::vector<told> events_;
   std::string thrown_;
   std::atomic<std::uint64_t> acked_ = 0;
   std::atomic<std::uint64_t> failed_ = 0;
   std::atomic<bool> finishing_ = false;
   std::atomic<bool> over_ = false;
   std::thread thread_;  // last: it uses the others
};

}  // namespace holdfast::drill
