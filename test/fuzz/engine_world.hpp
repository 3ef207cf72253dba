// The simulator's servers and Sentinels, and one client of theirs. The input does anything, in any order, to processes,
// paths, roles, refusals, bytes and time; the simulator's checkers hold the client to its promises.
#pragma once

#include "fuzz/fuzzed_client.hpp"
#include "fuzz/target.hpp"
#include "sim/checkers/checkers.hpp"
#include "sim/world/deployment.hpp"

#include <holdfast/config.hpp>

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace holdfast::fuzz {

using namespace std::chrono_literals;

class engine_world : protected sim::deployment {
 public:
   explicit engine_world(input&);
   virtual ~engine_world() = default;
   void run();

 protected:
   virtual void step();
   virtual void look();
   virtual void calm();  // all faults end
   virtual bool can_recover() const { return true; }
   void look_at_limits(std::size_t most_nodes);
   bool is_full();  // no more calls
   delivery draw_delivery();
   fuzzed_client::patience draw_patience();
   void say(std::string_view bytes);
   void pass(duration);
   void watch_from_now_on(sim::sentinel_model&, sim::host_id master, std::uint64_t epoch, bool fresh);
   sim::host_id some_server() { return servers_[in_.below(servers_.size())]->host(); }
   time_point now() const { return shared_.time.now(); }

   input& in_;
   sim::checkers checkers_;
   config settings_;
   std::unique_ptr<fuzzed_client> client_;

 private:
   config draw_settings();
   void step_of_client(std::size_t what);
   void step_of_servers(std::size_t what);
   void submit();
   void refuse();
   void close_gate();
   void strike_process();
   void strike_path();
   void move_role();
   void disturb_network();
   void run_for(duration most, const std::function<bool()>& done);
   void heal();
   void check_rest();
   void silence();
   sim::host_id some_host() { return static_cast<sim::host_id>(in_.below(client_site_)); }
   // deployment
   sim::runtime* client_at(sim::host_id) override { return client_.get(); }
   void handle(const sim::event&) override;
   std::vector<endpoint> resolve(const endpoint&) override;
   void ran(sim::host_id h, const sim::words& w, const sim::execution& x) override { checkers_.ran(h, w, x); }
   void became_master(sim::host_id h, sim::place begins) override { checkers_.new_branch(begins, h); }
   std::string_view refusal(sim::connection_id, const sim::words&) override;

   struct refusing {
      std::size_t what = 0;
      std::size_t left = 0;  // so many commands
   };
   std::vector<refusing> refusing_;  // by host
   duration passed_ = {};
   unsigned given_ = 0;
};

}  // namespace holdfast::fuzz
