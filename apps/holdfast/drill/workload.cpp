#include "drill/workload.hpp"

#include <exception>

namespace holdfast::drill {

workload::workload(const system_options& options, std::stop_token interrupted) : interrupted_(std::move(interrupted)) {
   thread_ = std::thread([this, options] {
      try {
         run(options);
      } catch (const std::exception& e) {
         const std::lock_guard lock(guard_);
         thrown_ = e.what();
      }
      over_ = true;
   });
}

workload::~workload() { finish(); }

void workload::finish() {
   finishing_ = true;
   if (thread_.joinable()) thread_.join();
}

std::string workload::thrown() const {
   const std::lock_guard lock(guard_);
   return thrown_;
}

void workload::surrender(record& r) {
   const std::lock_guard lock(guard_);
   r.operations = std::move(operations_);
   r.events = std::move(events_);
}

void workload::run(const system_options& options) {
   const auto client = make_system(options, [this](const any_event& e) {
      const auto at = clock::now();
      const std::lock_guard lock(guard_);
      events_.push_back({at, e});
   });
   for (std::uint64_t number = 1;; ++number)
      for (const write_kind kind : {write_kind::rpush, write_kind::incr, write_kind::set})
         if (!perform(*client, kind, number)) return;
}

bool workload::perform(system_under_test& client, write_kind kind, std::uint64_t number) {
   if (finishing_ || interrupted_.stop_requested()) return false;
   operation o;
   o.kind = kind;
   o.number = number;
   o.start = clock::now();
   client.write(o, interrupted_);
   o.end = clock::now();
   ++(o.acked ? acked_ : failed_);
   const bool go_on = !o.refused;
   {
      const std::lock_guard lock(guard_);
      operations_.push_back(std::move(o));
   }
   std::this_thread::sleep_for(lab::milliseconds(1));
   return go_on;
}

}  // namespace holdfast::drill
