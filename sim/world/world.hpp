// One world: servers, Sentinels, clients, a network between them, what goes wrong, and the checkers. One seed, one run.
#pragma once

#include "sim/checkers/checkers.hpp"
#include "sim/world/deployment.hpp"
#include "sim/world/fleet.hpp"
#include "sim/world/scenario.hpp"
#include "sim/world/sim_client.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

struct run_report {
   std::vector<violation> violations;
   checkers::figures calls;
   unsigned promotions = 0;
   unsigned failovers = 0;  // of these, what counts: a command was in flight at the fault, the promotion completed
   bool stuck = false;      // the servers themselves never recovered: nothing was checked at the end
   std::uint64_t events = 0;
   duration length = {};
   std::optional<fleet_figures> fleet = {};
   std::uint64_t digest = 0;  // of all that happened: the same seed gives the same
};

// Called with each line of the trace.
using tracer = std::function<void(const std::string&)>;

class world final : private deployment {
 public:
   explicit world(const scenario&, tracer = {});

   run_report run();

 private:
   struct struck {
      bool done = false;
      bool ended = false;
      host_id victim = nowhere;
      std::uint32_t client = 0;
      host_id left = nowhere;  // the address that a Sentinel had
      bool resets = false;     // the others forget whom they knew
      time_point until = {};   // it does not end before
   };
   // world.cpp
   void build();
   void build_neighbours();
   std::vector<endpoint> seeds() const;
   config client_config() const;
   void handle(const event&) override;
   bool settled() const;
   void finish();
   bool somebody_holds_too_many() const;
   unsigned most_connections(host_id, const redis_model& master) const;
   void check_rest();
   void check_client(const sim_client&, const redis_model& master, const std::string& who);
   bool is_well() const;
   void sample();
   // deployment
   runtime* client_at(host_id h) override { return clients_[h - client_site_].get(); }
   void process_starts(host_id) override;
   // shared_state_user
   void ran(host_id, const words&, const execution&) override;
   void became_master(host_id, place) override;
   void selected(host_id) override;
   void note(host_id, std::string_view) override;
   // runtime_user
   host_id host_of(const endpoint&) override;
   std::vector<endpoint> resolve(const endpoint&) override;
   duration well_for() override;
   void wrote_command(host_id server) override;
   void dialled(host_id) override;
   void asked(host_id sentinel) override;
   void answered(std::uint32_t client) override;
   // faults.cpp
   void begins(std::uint32_t fault);
   void strike(std::uint32_t fault);
   void strike_master(fault&, host_id);
   void strike_others(fault&, host_id master);
   void ends(std::uint32_t fault);
   void heal();
   void hunt(host_id sentinel);
   void hunt_successor(host_id);
   void successor_dies(std::uint32_t fault);
   void rises(host_id replica);
   void falls_back(host_id);
   // world_sentinels.cpp
   host_id spare_address();
   void leaves(sentinel_model&, host_id to);
   bool is_configured_address(host_id) const;
   bool outvotes_a_stranger_without(host_id left) const;
   bool is_last_configured(host_id left) const;
   bool would_blind_anybody() const;
   bool would_blind_the_new() const;
   bool strike_who(fault&, struck&, sentinel_model& watcher);
   void end_who(fault&, struck&);
   void reset_all_but(const sentinel_model&);
   bool anything_in_flight() const;
   std::string name_of(host_id) const;

   scenario scenario_;
   tracer tracer_;
   checkers checkers_;
   std::vector<std::unique_ptr<sentinel_model>> clones_;
   std::vector<std::unique_ptr<redis_model>> neighbours_;  // servers of another deployment
   std::unique_ptr<sentinel_model> neighbour_watcher_;
   std::vector<std::unique_ptr<sim_client>> clients_;
   std::vector<host_id> spare_;  // addresses, the next one first
   std::uint32_t next_identity_ = 1000;
   bool replaced_without_reset_ = false;  // once, or no majority of those who are known would be left
   bool neighbour_moved_ = false;
   bool has_stranger_configured_ = false;  // the neighbour stands at an address that the clients were given
   time_point began_ = {};

   std::vector<struck> struck_;
   std::vector<std::uint32_t> waiting_;  // faults that wait for a command to be under way
   unsigned open_faults_ = 0;
   bool counts_ = false;               // the next promotion
   std::vector<std::uint32_t> hunts_;  // faults that wait for a failover to come to their step
   bool by_hand_ = false;              // the role that changes now
   network_settings calm_;
   time_point well_since_ = never;
   std::uint64_t digest_ = 0xcbf29ce484222325ULL;
   std::optional<fleet_log> fleet_;
   run_report verdict_;
};

}  // namespace holdfast::sim
