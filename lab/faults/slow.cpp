#include "lab/faults/all.hpp"

#include <algorithm>

namespace holdfast::lab {
namespace {

// The Sentinels' own PINGs pass through the proxy too, as all but the checker's: they must not take it for a death.
constexpr milliseconds longest_way_back(15000);

class slow : public fault {
 public:
   slow(milliseconds each_way, milliseconds lasting) : each_way_(each_way), lasting_(lasting) {}
   deployment_options shape(deployment_options wanted) const override {
      wanted.proxy = true;
      wanted.down_after = std::max(wanted.down_after, longest_way_back);
      return wanted;
   }
   bool promotes() const override { return false; }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      const auto stopped = [&] { return stop.stop_requested(); };
      const auto at = clock::now();
      const auto late = both_ways({.what = network_fault::kind::delay, .time = each_way_});
      d.proxy()->impose(late);
      became_true(stopped, lasting_);
      d.proxy()->lift(late);
      // Until the last of what was under way then has come.
      became_true(stopped, each_way_);
      return at;
   }

 private:
   milliseconds each_way_;
   milliseconds lasting_;
};

class slow_fault final : public slow {
 public:
   slow_fault() : slow(milliseconds(1500), milliseconds(5000)) {}
   std::string_view name() const override { return "slow"; }
   toll costs() const override { return toll::nothing; }
   std::string_view description() const override {
      return "a proxy delays what passes by 1.5 s in each direction, for 5 s: every reply is late, and comes";
   }
   std::string_view shows() const override {
      return "late replies are waited for: no command fails, none is sent twice";
   }
};

class slower_fault final : public slow {
 public:
   slower_fault() : slow(milliseconds(8000), milliseconds(5000)) {}
   std::string_view name() const override { return "slower"; }
   toll costs() const override { return toll::fence; }
   std::string_view description() const override {
      return "8 s in each direction, for 5 s: the client gives its connection up and comes back without delay, while "
             "what it had said is still under way";
   }
   std::string_view shows() const override {
      return "what is sent again does not meet what was sent first: the fence stands between them";
   }
};

}  // namespace

std::unique_ptr<fault> make_slow() { return std::make_unique<slow_fault>(); }

std::unique_ptr<fault> make_slower() { return std::make_unique<slower_fault>(); }

}  // namespace holdfast::lab
