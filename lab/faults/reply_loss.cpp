#include "lab/faults/all.hpp"

#include <optional>

namespace holdfast::lab {
namespace {

constexpr unsigned replies_lost = 3;

class reply_loss_fault final : public fault {
 public:
   std::string_view name() const override { return "replyloss"; }
   std::string_view description() const override {
      return "a proxy passes a write on to the master, swallows the reply and resets the connection; INCR, RPUSH and "
             "SET, "
             "3 times each";
   }
   std::string_view shows() const override {
      return "that a write is never sent twice, and is reported as unknown where it may have run";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.proxy = true;
      return wanted;
   }
   bool promotes() const override { return false; }
   toll costs() const override { return toll::fence; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      fault_proxy& between = *d.proxy();
      std::optional<clock::time_point> first;
      for (unsigned i = 0; i < replies_lost; ++i) {
         // Only a workload says these; Sentinels and replicas pass through unharmed.
         for (const char* marker : {"\r\nINCR\r\n", "\r\nRPUSH\r\n", "\r\nSET\r\n"}) {
            between.lose_reply_to(marker);
            await(
               "a reply was lost", [&] { return between.done() || stop.stop_requested(); }, patience, milliseconds(1));
            if (!first) first = between.last_loss();
            if (stop.stop_requested()) return *first;
         }
      }
      return *first;
   }
};

}  // namespace

std::unique_ptr<fault> make_reply_loss() { return std::make_unique<reply_loss_fault>(); }

}  // namespace holdfast::lab
