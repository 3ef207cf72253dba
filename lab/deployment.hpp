// A master, its replicas and its Sentinels: real processes on free loopback ports, in a temporary folder.
#pragma once

#include "lab/fault_proxy.hpp"
#include "lab/server.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::lab {

struct deployment_options {
   unsigned replicas = 2;
   unsigned sentinels = 3;  // 0: one master (and its replicas) that nobody fails over
   std::string master_name = "mymaster";
   milliseconds down_after = milliseconds(1000);
   milliseconds failover_timeout = milliseconds(5000);
   // Of the data nodes and of the Sentinels; a name makes an ACL user and turns the default user off.
   credentials node_login = {};
   credentials sentinel_login = {};
   bool durable = false;  // appendonly with fsync always: what was acknowledged survives a SIGKILL
   bool proxy = false;    // a proxy in front of the first master, announced as its address
   // A proxy in front of each node and Sentinel, announced as its address. The faults are those of the connections of
   // clients: the servers' own come from another address (bind-source-addr, since Redis 7.0), and are spared.
   std::vector<network_fault> network = {};
   // Further lines for the configuration files.
   std::vector<std::string> node_config = {};
   std::vector<std::string> sentinel_config = {};
};

// Its processes and its folder end with it, or with this program (see supervisor). Used by one thread at a time, but
// for `uri` and the addresses, which never change.
class deployment {
 public:
   // Returns when all of it is up: everyone answers, all replicas are online, and every Sentinel is connected to the
   // master, all replicas and all other Sentinels and sees quorum. Throws with the ends of the logs if that fails.
   explicit deployment(deployment_options = {});
   ~deployment();

   const deployment_options& options() const { return options_; }
   const std::filesystem::path& folder() const { return supervisor_.folder(); }
   // To start further programs that end with the deployment.
   supervisor& processes() { return supervisor_; }

   // For a client: redis+sentinel://..., or redis://... where there is no Sentinel. Logins are in it.
   std::string uri() const;

   // Node 0 is the first master, the others are its first replicas.
   std::size_t nodes() const { return nodes_.size(); }
   server& node(std::size_t i) { return nodes_.at(i); }
   server& node_at(const endpoint& address);  // by its announced address; throws std::out_of_range
   std::size_t sentinels() const { return sentinels_.size(); }
   server& sentinel(std::size_t i) { return sentinels_.at(i); }
   // Before that server: the nodes come first, then the Sentinels. Null: there is none.
   fault_proxy* proxy(std::size_t i = 0) { return i < proxies_.size() ? &proxies_[i] : nullptr; }

   // What a Sentinel names as the master now (without Sentinels: node 0).
   endpoint named_master(std::size_t sentinel = 0);
   // Whether the facts that the constructor waited for hold (again). Empty: they do; else what is missing.
   std::string missing();
   void await_health(milliseconds patience = milliseconds(15000));

   // The ends of all logs, for a failure's report.
   std::string logs(std::size_t lines = 25) const;

 private:
   void put_proxy_before(server&);
   void configure();
   std::vector<std::string> node_lines(std::size_t i) const;
   std::vector<std::string> sentinel_lines(std::size_t i) const;
   void start_all();
   void await_replication();
   std::string missing_at_node(std::size_t master);
   std::string missing_at_sentinel(std::size_t i);

   deployment_options options_;
   supervisor supervisor_;
   std::deque<server> nodes_;
   std::deque<server> sentinels_;
   std::vector<std::string> sentinel_ids_;
   std::deque<fault_proxy> proxies_;
};

}  // namespace holdfast::lab
