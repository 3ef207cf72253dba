// The simulator's servers and Sentinels, and one client of theirs. The input does anything, in any order, to processes,
// paths, roles, answers, bytes and time. In an honest world the simulator's checkers hold the client to its promises.
// In another one servers may also lie, and callers give commands that the checkers do not know; there each operation
// still ends once and by its deadline, nothing grows or spins, and a healed world comes back.
#pragma once

#include "fuzz/fuzzed_client.hpp"
#include "fuzz/target.hpp"
#include "sim/checkers/checkers.hpp"
#include "sim/world/deployment.hpp"

#include <holdfast/config.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

using namespace std::chrono_literals;

class engine_world final : private sim::deployment {
 public:
   explicit engine_world(input&);
   void run();

 private:
   config draw_settings();
   void step();
   void step_of_client(std::size_t what);
   void step_of_servers(std::size_t what);
   void submit();
   void submit_anything();
   fuzzed_client::patience draw_patience();
   void lie();
   void refuse();
   void close_gate();
   void strike_process();
   void strike_path();
   void move_role();
   void disturb_network();
   void pass(duration);
   void look();
   void heal();
   void calm();
   void check_rest();
   sim::host_id some_server() { return servers_[in_.below(servers_.size())]->host(); }
   sim::host_id some_host() { return static_cast<sim::host_id>(in_.below(client_site_)); }
   time_point now() const { return shared_.time.now(); }
   // deployment
   sim::runtime* client_at(sim::host_id) override { return client_.get(); }
   void handle(const sim::event&) override;
   std::vector<endpoint> resolve(const endpoint&) override;
   void ran(sim::host_id h, const sim::words& w, const sim::execution& x) override { checkers_.ran(h, w, x); }
   void became_master(sim::host_id, sim::place begins) override { checkers_.new_branch(begins, true); }
   std::string_view refusal(sim::connection_id, const sim::words&) override;

   input& in_;
   sim::checkers checkers_;
   config settings_;
   std::unique_ptr<fuzzed_client> client_;
   struct refusing {
      std::size_t what = 0;
      std::size_t left = 0;  // so many commands
   };
   std::vector<refusing> refusing_;  // by host
   duration passed_ = {};
   unsigned given_ = 0;
   bool is_honest_ = false;
};

}  // namespace holdfast::fuzz
