// A client of a random world: its callers follow a workload.
#pragma once

#include "sim/world/client.hpp"
#include "sim/world/workload.hpp"

#include <cstdint>
#include <span>

namespace holdfast::sim {

class sim_client final : public client {
 public:
   sim_client(shared_state&, checkers&, runtime_user&, std::uint32_t number, host_id host, const config&,
              const workload&, std::uint64_t seed);

   void start();
   void stop() { stopping_ = true; }  // no new commands
   // One last command, which has long: the world is healed.
   void last_call();
   bool last_call_ok() const { return last_ok_; }
   void next();
   void cancel(call_number);
   void thaw() override;

 private:
   bool looks() const override { return !frozen_ && !(settings_.blocking && active_ == 0); }
   void ended(call&) override;
   terms draw_terms(bool last);
   unsigned draw(std::span<const unsigned> weights);
   void give(std::span<const call_kind>, const terms&);
   void give_list(const terms&);
   call& draw_call(call_kind, const terms&);
   void check_haste(const call&);
   void plan_next();

   workload settings_;
   random chance_;
   unsigned planned_ = 0;
   std::uint32_t groups_ = 0;  // of its callers, if each is one
   bool stopping_ = false;
   bool last_ok_ = false;
};

}  // namespace holdfast::sim
