#include "lab/deployment.hpp"

#include <random>
#include <stdexcept>

namespace holdfast::lab {
namespace {

// Source of the servers' own connections, so that they can be told from clients: an address of the loopback device.
constexpr const char* source_of_servers = "127.0.0.2";

std::string random_id() {
   std::random_device entropy;
   std::string id;
   while (id.size() < 40) id += "0123456789abcdef"[entropy() % 16];
   return id;
}

std::string userinfo(const credentials& who) {
   return who.password.empty() ? std::string() : who.username + ":" + who.password + "@";
}

std::string host_port(const endpoint& where) { return where.host + " " + std::to_string(where.port); }

}  // namespace

deployment::deployment(deployment_options options) : options_(std::move(options)) {
   for (unsigned i = 0; i <= options_.replicas; ++i) {
      nodes_.emplace_back(supervisor_, "node-" + std::to_string(i), server::kind::node, options_.node_login);
   }
   for (unsigned i = 0; i < options_.sentinels; ++i) {
      sentinels_.emplace_back(supervisor_, "sentinel-" + std::to_string(i), server::kind::sentinel,
                              options_.sentinel_login);
      sentinel_ids_.push_back(random_id());
   }
   for (network_fault& f : options_.network) f.spared = source_of_servers;
   const bool everywhere = !options_.network.empty();
   if (options_.proxy || everywhere) put_proxy_before(nodes_[0]);
   for (std::size_t i = 1; i < nodes_.size() && everywhere; ++i) put_proxy_before(nodes_[i]);
   for (std::size_t i = 0; i < sentinels_.size() && everywhere; ++i) put_proxy_before(sentinels_[i]);
   configure();
   start_all();
}

deployment::~deployment() = default;

void deployment::put_proxy_before(server& s) {
   fault_proxy& proxy = proxies_.emplace_back(s.own_address());
   proxy.impose(options_.network);
   s.announce(proxy.address());
}

void deployment::start_all() {
   try {
      nodes_[0].start();
      nodes_[0].await_pong();
      // A replica that finds no master, and a Sentinel that finds no replica, tries again only a second later.
      for (std::size_t i = 1; i < nodes_.size(); ++i) nodes_[i].start();
      for (server& node : nodes_) node.await_pong();
      for (server& sentinel : sentinels_) sentinel.start();
      for (server& sentinel : sentinels_) sentinel.await_pong();
      await_health();
      await_replication();
      // Quick to start, but the figures of a drill are those of a server with its default pace.
      for (server& node : nodes_) node.connect().run({"CONFIG", "SET", "hz", "10"});
   } catch (const std::exception& e) {
      throw std::runtime_error(std::string("the lab's deployment did not come up: ") + e.what() + "\n" + logs());
   }
}

// A replica is "online" when its first copy was sent; the stream of what follows begins with its first ACK, which a
// busy master may miss, and the next comes a second later. A server that dies before would take all writes with it.
void deployment::await_replication() {
   const auto replicas = static_cast<long long>(nodes_.size()) - 1;
   control master = nodes_[0].connect(milliseconds(6000));
   master.run({"PUBLISH", "lab:up", "1"});  // replicated, and leaves no key
   if (master.run({"WAIT", std::to_string(replicas), "5000"}).integer < replicas)
      throw fact_missing("still missing: not all replicas follow the master");
}

std::string deployment::uri() const {
   if (sentinels_.empty()) {
      const endpoint master = nodes_[0].address();
      return "redis://" + userinfo(options_.node_login) + master.host + ":" + std::to_string(master.port);
   }
   std::string text = "redis+sentinel://" + userinfo(options_.node_login);
   for (std::size_t i = 0; i < sentinels_.size(); ++i) {
      const endpoint where = sentinels_[i].address();
      text += (i == 0 ? "" : ",") + where.host + ":" + std::to_string(where.port);
   }
   text += "/" + options_.master_name;
   const credentials& who = options_.sentinel_login;
   if (who.password.empty()) return text;
   text += "?sentinel_password=" + who.password;
   return who.username.empty() ? text : text + "&sentinel_username=" + who.username;
}

server& deployment::node_at(const endpoint& address) {
   for (server& node : nodes_)
      if (node.address() == address) return node;
   throw std::out_of_range("no node of this deployment: " + to_string(address));
}

endpoint deployment::named_master(std::size_t sentinel) {
   if (sentinels_.empty()) return nodes_[0].address();
   const reply r = sentinels_.at(sentinel).connect().run({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options_.master_name});
   if (r.elements.size() != 2) return {};
   return {r.elements[0].text, static_cast<std::uint16_t>(std::stoi(r.elements[1].text))};
}

std::string deployment::missing() {
   try {
      const endpoint master = named_master();
      std::size_t i = 0;
      while (i < nodes_.size() && nodes_[i].address() != master) ++i;
      if (i == nodes_.size()) return "the master " + to_string(master) + " is none of ours";
      std::string what = missing_at_node(i);
      for (std::size_t s = 0; what.empty() && s < sentinels_.size(); ++s) what = missing_at_sentinel(s);
      return what;
   } catch (const control_error& e) {
      return e.what();
   }
}

std::string deployment::missing_at_node(std::size_t master) {
   control node = nodes_[master].connect();
   if (node.role() != "master") return nodes_[master].name() + " is no master";
   for (std::size_t i = 0; i + 1 < nodes_.size(); ++i) {
      const std::string line = node.info("replication", "slave" + std::to_string(i));
      if (line.find("state=online") == std::string::npos) return "not all replicas are online";
   }
   return {};
}

std::string deployment::missing_at_sentinel(std::size_t i) {
   control sentinel = sentinels_[i].connect();
   const std::string& name = options_.master_name;
   const auto replies = sentinel.run_all({{"SENTINEL", "MASTER", name},
                                          {"SENTINEL", "REPLICAS", name},
                                          {"SENTINEL", "SENTINELS", name},
                                          {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name}});
   const std::string who = sentinels_[i].name();
   if (replies[0].field("flags") != "master") return who + " sees the master as " + replies[0].field("flags");
   if (replies[1].elements.size() + 1 != nodes_.size()) return who + " does not know all replicas";
   for (const reply& replica : replies[1].elements) {
      if (replica.field("flags") != "slave") return who + " sees a replica as " + replica.field("flags");
      if (replica.field("master-link-status") != "ok") return who + " sees a replica without its master";
   }
   if (replies[2].elements.size() + 1 != sentinels_.size()) return who + " does not know all Sentinels";
   for (const reply& other : replies[2].elements) {
      if (other.field("flags") != "sentinel") return who + " sees a Sentinel as " + other.field("flags");
   }
   return {};
}

void deployment::await_health(milliseconds patience) {
   std::string what;
   const auto healthy = [&] { return (what = missing()).empty(); };
   if (!became_true(healthy, patience, milliseconds(10))) throw fact_missing("still missing: " + what);
}

std::string deployment::logs(std::size_t lines) const {
   std::string text;
   const auto add = [&](const server& s) { text += s.name() + ":\n" + s.log_end(lines); };
   for (const server& s : nodes_) add(s);
   for (const server& s : sentinels_) add(s);
   return text;
}

// ---- configuration files ------------------------------------------------------------------------------------------

void deployment::configure() {
   for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i].configure(node_lines(i));
   for (std::size_t i = 0; i < sentinels_.size(); ++i) sentinels_[i].configure(sentinel_lines(i));
}

std::vector<std::string> deployment::node_lines(std::size_t i) const {
   std::vector<std::string> lines = {"save \"\"", "hz 100", "repl-diskless-sync yes", "repl-diskless-sync-delay 0"};
   const credentials& who = options_.node_login;
   if (!who.password.empty() && who.username.empty()) {
      lines.insert(lines.end(), {"requirepass " + who.password, "masterauth " + who.password});
   } else if (!who.password.empty()) {
      lines.insert(lines.end(), {"user " + who.username + " on >" + who.password + " ~* &* +@all", "user default off",
                                 "masteruser " + who.username, "masterauth " + who.password});
   }
   if (options_.durable) lines.insert(lines.end(), {"appendonly yes", "appendfsync always"});
   const endpoint known_as = nodes_[i].address();
   if (known_as != nodes_[i].own_address()) {
      lines.insert(lines.end(),
                   {"replica-announce-ip " + known_as.host, "replica-announce-port " + std::to_string(known_as.port)});
   }
   if (!options_.network.empty()) lines.push_back(std::string("bind-source-addr ") + source_of_servers);
   if (i != 0) lines.push_back("replicaof " + host_port(nodes_[0].address()));
   lines.insert(lines.end(), options_.node_config.begin(), options_.node_config.end());
   return lines;
}

// The state that a Sentinel writes for itself is handed to it: so they need not wait for each other's hello (every 2 s)
// and for the master's INFO (every 10 s).
std::vector<std::string> deployment::sentinel_lines(std::size_t i) const {
   const std::string& name = options_.master_name;
   const auto quorum = sentinels_.size() / 2 + 1;
   std::vector<std::string> lines = {
      "sentinel myid " + sentinel_ids_[i],
      "sentinel monitor " + name + " " + host_port(nodes_[0].address()) + " " + std::to_string(quorum),
      "sentinel down-after-milliseconds " + name + " " + std::to_string(options_.down_after.count()),
      "sentinel failover-timeout " + name + " " + std::to_string(options_.failover_timeout.count())};
   const endpoint known_as = sentinels_[i].address();
   if (known_as != sentinels_[i].own_address()) {
      lines.insert(lines.end(), {"sentinel announce-ip " + known_as.host,
                                 "sentinel announce-port " + std::to_string(known_as.port)});
   }
   if (!options_.network.empty()) lines.push_back(std::string("bind-source-addr ") + source_of_servers);
   const credentials& node = options_.node_login;
   if (!node.username.empty()) lines.push_back("sentinel auth-user " + name + " " + node.username);
   if (!node.password.empty()) lines.push_back("sentinel auth-pass " + name + " " + node.password);
   const credentials& own = options_.sentinel_login;
   if (!own.password.empty() && own.username.empty()) {
      lines.push_back("requirepass " + own.password);
   } else if (!own.password.empty()) {
      lines.insert(lines.end(), {"user " + own.username + " on >" + own.password + " ~* &* +@all", "user default off",
                                 "sentinel sentinel-user " + own.username, "sentinel sentinel-pass " + own.password});
   }
   for (std::size_t r = 1; r < nodes_.size(); ++r) {
      lines.push_back("sentinel known-replica " + name + " " + host_port(nodes_[r].address()));
   }
   for (std::size_t s = 0; s < sentinels_.size(); ++s) {
      if (s == i) continue;
      lines.push_back("sentinel known-sentinel " + name + " " + host_port(sentinels_[s].address()) + " " +
                      sentinel_ids_[s]);
   }
   lines.insert(lines.end(), options_.sentinel_config.begin(), options_.sentinel_config.end());
   return lines;
}

}  // namespace holdfast::lab
