#include "lab/faults/all.hpp"

#include <algorithm>
#include <set>

namespace holdfast::lab {
namespace {

// The proxy is what clients, replicas and Sentinels know as the master; only the checker has another way to it.
class partition : public fault {
 public:
   deployment_options shape(deployment_options wanted) const override {
      wanted.proxy = true;
      return wanted;
   }
   bool promotes() const override { return true; }
   loss may_lose() const override { return loss::moments; }
   clock::time_point inject(deployment& d, const std::stop_token&) override {
      const auto at = clock::now();
      d.proxy()->hold();
      return at;
   }
};

class partition_fault final : public partition {
 public:
   std::string_view name() const override { return "partition"; }
   std::string_view description() const override {
      return "a proxy before the master passes nothing on, and a connect through it hangs; when a majority of the "
             "Sentinels names the new master, it delivers what was held";
   }
   std::string_view shows() const override {
      return "the command in flight is given up when the Sentinels name another master, and what the old master makes "
             "of it afterwards counts nowhere";
   }
   void after_promotion(deployment& d, const std::stop_token& stop) override {
      const endpoint old = d.node(0).address();
      std::set<std::size_t> silent;  // not to be asked again: to wait for one that hangs takes time
      const auto names_another = [&](std::size_t i) {
         try {
            return !silent.contains(i) && d.named_master(i) != old;
         } catch (const control_error&) {
            silent.insert(i);
            return false;
         }
      };
      const auto majority = [&] {
         std::size_t count = 0;
         for (std::size_t i = 0; i < d.sentinels(); ++i) count += names_another(i);
         return stop.stop_requested() || 2 * count > d.sentinels();
      };
      await("a majority of the Sentinels names the new master", majority, patience);
      d.proxy()->heal(fault_proxy::healing::intact);
   }
};

class partition_reset_fault final : public partition {
 public:
   std::string_view name() const override { return "partition-reset"; }
   std::string_view description() const override {
      return "the same, but it heals at the promotion, when the Sentinels still name the old master, and resets the "
             "connections";
   }
   std::string_view shows() const override {
      return "the old master is written to as long as the Sentinels name it, behind a fence";
   }
   void after_promotion(deployment& d, const std::stop_token&) override {
      d.proxy()->heal(fault_proxy::healing::reset);
   }
};

// Over before a Sentinel takes it for a death.
class blackout_fault final : public fault {
 public:
   std::string_view name() const override { return "blackout"; }
   std::string_view description() const override {
      return "the proxy passes nothing on for 6 s, less than down-after, and then delivers what was held: nobody is "
             "promoted";
   }
   std::string_view shows() const override {
      return "the client gives its connection up and comes back to the same master together with what it had said "
             "before: behind a fence";
   }
   deployment_options shape(deployment_options wanted) const override {
      wanted.proxy = true;
      wanted.down_after = std::max(wanted.down_after, milliseconds(15000));
      return wanted;
   }
   bool promotes() const override { return false; }
   toll costs() const override { return toll::fence; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      const auto at = clock::now();
      d.proxy()->hold();
      became_true([&] { return stop.stop_requested(); }, milliseconds(6000));
      d.proxy()->heal(fault_proxy::healing::intact);
      return at;
   }
};

}  // namespace

std::unique_ptr<fault> make_blackout() { return std::make_unique<blackout_fault>(); }

std::unique_ptr<fault> make_partition() { return std::make_unique<partition_fault>(); }

std::unique_ptr<fault> make_partition_reset() { return std::make_unique<partition_reset_fault>(); }

}  // namespace holdfast::lab
