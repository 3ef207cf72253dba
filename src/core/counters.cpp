#include "core/counters.hpp"

#include <algorithm>
#include <chrono>

namespace holdfast::impl {

void counters::connected(const endpoint& node, std::string_view run_id, bool again) {
   const bool is_same_process = !run_id.empty() && run_id == run_id_;
   if (!node_.empty() && node != node_ && !is_same_process) cutovers_.add();
   if (again) reconnects_.add();
   node_ = node;
   run_id_ = run_id;
}

void counters::begin_anew() {
   for (counter* c : {&submitted_, &in_flight_, &succeeded_, &wrote_, &received_, &time_, &resends_, &reconnects_,
                      &cutovers_, &observer_exceptions_})
      c->clear();
   for (counter& c : failed_) c.clear();
   for (counter& c : ended_) c.clear();
   node_ = {};
   run_id_.clear();
}

std::uint64_t counters::all_ended() const {
   return succeeded_.read() + failures_of(outcome::executed) + failures_of(outcome::not_executed) +
          failures_of(outcome::unknown);
}

stats counters::snapshot() const {
   stats s;
   s.succeeded = succeeded_.read();
   s.executed_with_error = failures_of(outcome::executed);
   s.not_executed = failures_of(outcome::not_executed);
   s.unknown = failures_of(outcome::unknown);
   // A reader that sleeps between two of these numbers would take what ended meanwhile for queued: then they are read
   // once more.
   constexpr int most_tries = 16;
   for (int i = 0; i < most_tries; ++i) {
      const std::uint64_t ended = all_ended();
      s.in_flight = in_flight_.read();
      const std::uint64_t submitted = submitted_.read();
      const std::uint64_t under_way = submitted - std::min(submitted, ended);
      s.queued = under_way - std::min(under_way, s.in_flight);
      if (ended == all_ended()) break;
   }
   s.resends = resends_.read();
   s.reconnects = reconnects_.read();
   s.cutovers = cutovers_.read();
   s.bytes_written = wrote_.read();
   s.bytes_read = received_.read();
   s.observer_exceptions = observer_exceptions_.read();
   for (std::size_t i = 0; i < ended_.size(); ++i) s.latency.counts[i] = ended_[i].read();
   s.latency.sum = std::chrono::duration<double, std::nano>(static_cast<double>(time_.read()) * unit);
   return s;
}

}  // namespace holdfast::impl
