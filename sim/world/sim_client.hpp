// A client of a random world: its callers follow a workload.
#pragma once

#include "runtime/shared/call_mailbox.hpp"
#include "sim/world/client.hpp"
#include "sim/world/workload.hpp"

#include <cstdint>
#include <deque>
#include <span>

namespace holdfast::sim {

class sim_client final : public client {
 public:
   static constexpr std::size_t longest_list = 6;

   sim_client(shared_state&, checkers&, runtime_user&, std::uint32_t number, host_id host, const config&,
              const workload&, std::uint64_t seed);

   void start();
   void stop() { stopping_ = true; }  // no new commands
   // One last command, which has long: the world is healed.
   void last_call();
   bool last_call_ok() const { return last_ok_; }
   void next();
   void cancel(call_number);
   void read_mail();
   void thaw() override;

 private:
   // What a caller posts to a client of many threads.
   struct posted : impl::letter {
      posted(call_number of, bool c) : number(of), cancels(c) {}
      call_number number;
      bool cancels;
   };

   bool looks() const override { return !frozen_ && !(settings_.blocking && active_ == 0); }
   void ended(call&) override;
   terms draw_terms(bool last);
   unsigned draw(std::span<const unsigned> weights);
   void give(std::span<const call_kind>, const terms&);
   void give_list(const terms&);
   call& draw_call(call_kind, const terms&);
   void check_haste(const call&);
   void plan_next();
   void submit(call&);
   void post(call_number, bool cancels);

   impl::waker waker_;
   impl::call_mailbox mailbox_{waker_};
   std::deque<posted> letters_;  // not read yet, the oldest first
   workload settings_;
   random chance_;
   unsigned planned_ = 0;
   std::uint32_t groups_ = 0;  // of its callers, if each is one
   bool stopping_ = false;
   bool last_ok_ = false;
};

}  // namespace holdfast::sim
