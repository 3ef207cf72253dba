// A world for one run of a scenario: servers and Sentinels, a network without chance, one client, and a fault that
// strikes at one of its steps. The simulator's checkers judge, and so does `judge`.
#pragma once

#include "sim/checkers/checkers.hpp"
#include "sim/sweep/scenario.hpp"
#include "sim/sweep/swept_client.hpp"
#include "sim/world/deployment.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace holdfast::sim::sweep {

class stage final : private deployment, private stage_hand {
 public:
   stage(const scenario&, const std::vector<injection>&);

   report run();

 private:
   // the course of things
   config settings() const;
   void miss_a_failover();
   void run_for(duration d) { run_until(now() + d); }
   bool run_till_done(duration most);
   void handle(const event&) override;
   time_point now() const { return shared_.time.now(); }
   // the judgement
   void judge();
   void judge_call(const swept_client::fate&, const std::string& name);
   bool passes(const injection&) const;
   // what strikes
   bool strikes_process(const injection&, const step&);
   void freeze(host_id, duration);
   void restart(host_id);
   void fall_asleep(duration);
   void unwell_for(duration d) { unwell_until_ = std::max(unwell_until_, now() + d); }
   // stage_hand
   const injection* meet(const step&) override;
   void later(duration, std::function<void()>) override;
   // deployment
   runtime* client_at(host_id) override { return client_.get(); }
   duration well_for() override;
   void ran(host_id h, const words& w, const execution& x) override { checkers_.ran(h, w, x); }
   void became_master(host_id h, place begins) override { checkers_.new_branch(begins, h); }
   std::string_view refusal(connection_id, const words&) override;

   scenario scenario_;
   std::vector<injection> injections_;
   checkers checkers_;
   std::unique_ptr<swept_client> client_;
   std::vector<std::function<void()>> thunks_;
   std::vector<step> steps_;
   std::vector<std::uint32_t> looked_at_;  // by connection of the client: commands
   bool sweeping_ = false;
   time_point unwell_until_ = {};
};

}  // namespace holdfast::sim::sweep
