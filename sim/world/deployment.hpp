// Servers and Sentinels on one network, and what can be done to their processes and paths. A world and a sweep's stage
// derive from it, and add clients.
#pragma once

#include "sim/servers/redis_model.hpp"
#include "sim/servers/sentinel_model.hpp"
#include "sim/world/runtime.hpp"
#include "sim/world/shared_state.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace holdfast::sim {

class deployment : private network_user, protected shared_state_user, protected runtime_user {
 protected:
   explicit deployment(std::uint64_t seed) : shared_(seed, *this, *this) {}
   deployment(const deployment&) = delete;
   deployment& operator=(const deployment&) = delete;

   // Machines, each at a site of its own; then clients, all at one site.
   host_id add_address();
   std::unique_ptr<redis_model> make_server(const redis_settings&);
   std::unique_ptr<sentinel_model> make_sentinel(const sentinel_settings&);
   void add_servers(unsigned, const redis_settings&);
   void add_sentinels(unsigned, const sentinel_settings&);
   // The first server is the master, which the others follow and all Sentinels watch.
   void begin(std::uint64_t epoch);
   host_id add_client();

   // The client at this host; null where nobody is told of what arrives there.
   virtual runtime* client_at(host_id) = 0;
   virtual void handle(const event& e) { serve(e); }
   // An event of the network, a server or a Sentinel.
   void serve(const event&);
   void run_until(time_point);

   // The master that all Sentinels name, and that says so itself; null: none. The only server, where there are none.
   redis_model* rightful_master() const;
   // All servers are one again, behind one master.
   bool is_whole() const;

   void process_dies(host_id, condition);
   virtual void process_starts(host_id);
   void freezes(host_id);
   void thaws(host_id);
   void paths(host_id, host_id, bool blocked);
   void cut_off(host_id, bool from_servers, bool from_clients, bool blocked);

   // Every process works, and every path leads through.
   void repair();

   // runtime_user
   host_id host_of(const endpoint&) override;
   std::vector<endpoint> resolve(const endpoint& e) override { return {e}; }
   // shared_state_user
   void ran(host_id, const words&, const execution&) override {}
   void became_master(host_id, place) override {}
   void selected(host_id) override {}
   void note(host_id, std::string_view) override {}

   shared_state shared_;
   std::vector<std::unique_ptr<redis_model>> servers_;
   std::vector<std::unique_ptr<sentinel_model>> sentinels_;
   std::uint32_t client_site_ = 0;

 private:
   // network_user
   void connected(connection_id) override;
   void not_connected(connection_id, std::string_view why) override;
   void readable(connection_id, end) override;
   void writable(connection_id) override;
};

}  // namespace holdfast::sim
