// A Sentinel of 7.0, true to its timings: when it pings and asks, what it takes for down, how it votes, elects,
// selects, promotes and tells. The algorithm is that of Redis' sentinel.c; the comments there say why it is so.
//
// It watches one master. Times are milliseconds of its own clock, which can jump.
#pragma once

#include "sim/servers/sessions.hpp"
#include "sim/world/shared_state.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

struct sentinel_settings {
   std::int64_t down_after = 1000;
   std::int64_t failover_timeout = 5000;
   unsigned quorum = 2;
   unsigned parallel_syncs = 1;
   std::string master_name = "mymaster";
   std::string password = {};
   std::size_t max_clients = 10'000;
   bool names_nodes = false;  // servers by name instead of by address (announce-hostnames)
};

enum class failover_state : std::uint8_t {
   none,
   wait_start,
   select_slave,
   send_slaveof_noone,
   wait_promotion,
   reconf_slaves,
   update_config,
};
std::string_view to_string(failover_state);

// Of a process that runs there for the `run`th time: 40 hexadecimal digits in no order. A Sentinel keeps its own while
// it keeps its configuration.
std::string run_id(host_id, std::uint32_t run);

class sentinel_model {
 public:
   using ms = std::int64_t;

   sentinel_model(shared_state&, host_id, sentinel_settings);

   sentinel_settings settings;
   host_id host() const { return host_; }
   // Who it is, wherever it runs: SENTINEL MYID. It keeps that with its configuration.
   std::uint32_t identity() const { return identity_; }
   std::string id() const { return id_of(identity_); }
   static std::string id_of(std::uint32_t identity) { return run_id(identity, 0); }

   // As if it had watched for long; or, `fresh`, as if its configuration named the master alone.
   void begin(host_id master, const std::vector<host_id>& replicas, const std::vector<host_id>& others,
              std::uint64_t epoch, bool fresh);

   void on_timer(std::uint64_t process);
   void on(const event&);  // a message
   void readable(connection_id);
   void turn(std::uint64_t process);
   void crash();
   void start();  // again, with the configuration that it wrote
   // Its process has ended; the next one runs there, as it was or as another one that knows the master alone.
   void moves_to(host_id);
   void becomes_another(std::uint32_t identity);
   void copies(const sentinel_model&);  // its configuration, the id with it
   // SENTINEL RESET: of all but the master it is to hear again.
   void forget_others();
   void wake();
   void jump(ms by) { clock_offset_ += by; }
   bool fail_over();                            // SENTINEL FAILOVER
   void keep_silent(bool so) { silent_ = so; }  // it answers, but its events reach nobody

   host_id named() const;  // what GET-MASTER-ADDR-BY-NAME answers
   std::uint64_t config_epoch() const { return config_epoch_; }
   failover_state state() const { return state_; }
   std::size_t clients() const { return sessions_.size(); }
   bool knows_of_the_master() const { return started_; }
   bool lists(host_id other_sentinel) const;
   host_id candidate() const { return promoted_; }  // the replica that it has selected
   bool is_leader() const { return state_ != failover_state::none && state_ != failover_state::wait_start; }

   static constexpr std::uint32_t nobody = ~0U;

 private:
   static constexpr ms info_period = 10'000;
   static constexpr ms publish_period = 2'000;
   enum class type : std::uint8_t { master, replica, sentinel };
   enum class reconf : std::uint8_t { none, sent, in_progress, done };
   struct instance {
      host_id host = nowhere;
      type is = type::replica;
      bool connected = false;
      bool connecting = false;
      std::uint32_t link = 0;
      ms tried = 0;
      ms connected_at = 0;
      ms pinged_since = 0;  // the oldest ping without a valid answer; 0: none
      ms last_ping = 0;
      ms last_pong = 0;
      ms last_available = 0;
      ms last_info = 0;
      ms last_publish = 0;
      ms down_since = 0;  // subjectively; 0: it is not
      ms went_down = 0;   // the last time that it did, also when it came back
      // of servers
      bool says_master = false;
      ms role_since = 0;
      host_id its_master = nowhere;
      ms master_since = 0;
      bool its_link_up = false;
      ms its_link_down = 0;
      std::uint64_t offset = 0;
      std::uint32_t priority = 100;
      std::uint32_t run = 0;  // of a server: which process it is known to be, 0 is none; of a Sentinel: who it is
      bool promoted = false;
      reconf reconfigured = reconf::none;
      ms reconfigured_at = 0;
      // of Sentinels
      ms heard_hello = 0;
      bool says_down = false;
      ms said_at = 0;
      std::uint32_t leader = nobody;
      std::uint64_t leader_epoch = 0;
   };
   struct session : basic_session {
      bool subscribed = false;
      std::uint64_t shown_epoch = 0;
      std::vector<std::string> channels;
   };

   // sentinel_model.cpp: instances
   ms now() const;
   void arm_timer();
   void take_up(host_id master, const std::deque<instance>& known);
   void meet(host_id, std::uint32_t who);
   void look_after(instance&);
   void connect(instance&);
   void send_periodic(instance&);
   void send_ping(instance&);
   void check_down(instance&);
   void check_objectively_down();
   void ask_others(bool at_once);
   instance* find(host_id, std::uint32_t link);
   instance* find(host_id);
   instance& add(host_id, type);
   instance& master() { return instances_.front(); }
   void on_info(instance&, const info_of&);
   void on_replica_info(instance&, const info_of&);
   void on_ask(const event&);
   void on_hello(const event&);
   void order(instance&, host_id new_master);
   bool is_sane(const instance& m) const;
   bool fine_for(const instance&, ms how_long) const;
   // sentinel_failover.cpp
   void start_failover_if_needed();
   void start_failover();
   void step();
   void wait_start();
   instance* fittest();
   void select_replica();
   void reconfigure_replicas();
   void detect_end();
   void abort_failover();
   void change_master(host_id to);
   std::uint32_t vote_for(std::uint64_t epoch, std::uint32_t who, std::uint64_t& leader_epoch);
   std::uint32_t elected();
   void set_state(failover_state);
   void force_hello();
   // sentinel_clients.cpp, sentinel_answers.cpp: what clients are told
   void publish(std::string_view channel, const instance& about, std::string_view more = {});
   void publish_text(std::string_view channel, const std::string& payload, const told& = {});
   void tell_epoch();
   void answer(session&, const words&);
   void answer_sentinel(session&, const words&);
   void answer_instance(session&, const instance&);
   void answer_all(session&, type);
   std::string flags_of(const instance&) const;
   std::string address_of(const instance&) const;
   std::string node_at(host_id) const;
   void subscribe(session&, const words&);
   void serve(connection_id);
   void want_turn();

   shared_state& shared_;
   host_id host_;
   std::uint32_t identity_;
   std::uint64_t process_ = 1;       // what was armed for an earlier one is none of its business
   std::deque<instance> instances_;  // the master first
   std::uint32_t next_link_ = 1;
   ms clock_offset_ = 0;
   bool started_ = false;
   bool timer_armed_ = false;

   std::uint64_t current_epoch_ = 0;
   std::uint64_t config_epoch_ = 0;
   std::uint64_t failover_epoch_ = 0;
   std::uint64_t leader_epoch_ = 0;
   std::uint32_t leader_ = nobody;
   failover_state state_ = failover_state::none;
   ms failover_started_ = 0;
   ms state_changed_ = 0;
   bool forced_ = false;
   bool objectively_down_ = false;
   host_id promoted_ = nowhere;
   bool tilt_ = false;
   ms tilt_since_ = 0;
   ms last_timer_ = 0;
   ms last_switch_ = 0;

   session_table<session> sessions_;
   std::uint64_t next_client_ = 3;
   std::vector<connection_id> readable_;
   bool turn_wanted_ = false;
   bool silent_ = false;
   words words_;
};

// A host as servers and Sentinels are addressed: 10.0.0.<host + 1>, ports 6379 and 26379.
std::string address_of_host(host_id);
// The name of the server there.
std::string name_of_server(host_id);

}  // namespace holdfast::sim
