// A redis-server of 7.0, as far as a client and a Sentinel can tell: its event loop, its clients, replication, roles.
//
// Each time that it looks at its connections (a turn) it runs all that it finds, and only then sends the replies. Who
// is killed in a turn so loses the replies of that turn, though the commands ran.
#pragma once

#include "sim/servers/dataset.hpp"
#include "sim/servers/sessions.hpp"
#include "sim/world/shared_state.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::sim {

struct redis_settings {
   unsigned min_replicas_to_write = 0;
   std::uint32_t priority = 100;
   std::string password = {};
   duration load_time = 20ms;  // of a restart, or a full resync
   duration saved_every = {};  // what is younger is lost with the process; zero: nothing is
   std::size_t max_clients = 10'000;
   bool knows_hello = true;   // Redis 6 and later
   bool serves_stale = true;  // replica-serve-stale-data
   bool allows_kill = true;   // false: CLIENT KILL is not allowed (NOPERM)
};

// What refuses commands for a while.
enum class server_gate : std::uint8_t {
   none,
   busy,    // a script runs for too long
   memory,  // none is left: OOM
   disk,    // it can't save: MISCONF
   rights,  // its clients may not write: NOPERM
};
inline constexpr std::size_t server_gates = 5;

// FAILOVER: a master hands its role over.
enum class handover : std::uint8_t { none, waits_for_sync, in_progress };
std::string_view to_string(handover);

class redis_model {
 public:
   redis_model(shared_state&, host_id);

   redis_settings settings;
   server_gate gate = server_gate::none;
   host_id host() const { return host_; }
   bool is_master() const { return master_ == nowhere; }
   bool hands_over() const { return handover_ != handover::none; }  // by FAILOVER
   host_id master() const { return master_; }
   place where() const { return place_; }
   const dataset& data() const { return data_; }
   std::size_t clients() const { return sessions_.size(); }
   bool loading() const { return shared_.time.now() < loading_until_; }
   bool link_up() const { return link_ == link_state::up; }
   std::size_t replicas() const { return replicas_.size(); }
   bool can_write() const;
   void follow_at_start(host_id master);

   // ---- what happens to it ----
   void readable(connection_id);
   void turn();
   void on(const event&);  // a message
   void on_cron();         // a replica without its master
   void on_sync_done(std::uint64_t generation);
   void crash();  // its process ends: the network is told apart
   void start();  // a new process on what was saved
   void wake();   // it is no longer frozen
   void pause_clients(duration, bool writes_only);
   void end_clients();  // CLIENT KILL TYPE normal, but for Sentinels
   void on_unpaused();
   void on_waited(connection_id, std::uint64_t client);
   void change_role(host_id master);
   // To this replica, or to the first that has all; what is not done by then is given up. Whether it can begin.
   bool hand_over(host_id to, duration within);
   // It became a replica without a word to those who were connected.
   bool kept_its_clients() const { return kept_its_clients_; }
   void reconfigure(host_id master, host_id by);  // what Sentinel does: the role, and the kill of clients

 private:
   enum class waiting : std::uint8_t {
      nothing,
      pause,     // CLIENT PAUSE: the command was not looked at yet
      list,      // BLPOP and BRPOP
      replicas,  // WAIT
   };
   struct session : basic_session {
      bool in_multi = false;
      bool dirty = false;
      bool queued_writes = false;
      waiting waits = waiting::nothing;
      bool closing = false;
      unsigned db = 0;
      std::size_t queued = 0;
      std::string queue;  // the commands of a transaction
      std::string waiting_command;
      time_point waits_until = never;
      std::uint64_t wrote_upto = 0;  // the master's offset behind its last command
      std::uint64_t waits_for = 0;   // so many replicas
      std::uint64_t waits_upto = 0;  // to be so far
   };
   struct replica {
      host_id host = nowhere;
      std::uint32_t link = 0;
      bool under_way = false;  // a message that carries what it lacks
      std::uint64_t acked = 0;
   };
   enum class link_state : std::uint8_t { none, connecting, loading, up };

   // redis_model.cpp
   void want_turn();
   void obey();
   void serve(connection_id);
   void end(session&, bool by_us);
   void end_all(host_id but_for);
   void reset_process();
   // redis_waiting.cpp
   void wait(session&, waiting, time_point until);
   void woken(session&);
   void serve_waiting();
   void run_blocking(session&, const words&, std::string_view raw, bool may_wait, std::string& out);
   void wait_for_replicas(session&, const words&, bool may_wait);
   std::size_t acknowledged(std::uint64_t offset) const;
   void count_acknowledgements();
   void on_ask_ack(const event&);
   void on_acked(const event&);
   void end_waits();
   // redis_commands.cpp
   void run(session&, const words&, std::string_view raw);
   bool refused(session&, const command_rule*, const words&);
   std::string closed_gate(const session&, const command_rule&, bool writes) const;
   static std::string unknown(const words&);
   bool pauses(bool writes) const;
   void run_data(session&, const words&, std::string_view raw, std::string& out);
   void run_server(session&, const words&, bool in_exec);
   void replica_of(session&, const words&);
   void run_exec(session&);
   // redis_clients.cpp
   void hello(session&, const words&);
   void client(session&, const words&);
   void client_kill(session&, const words&);
   void client_list(session&, const words&);
   void client_pause(session&, const words&);
   void client_unblock(session&, const words&);
   void add_text(session&, const std::string&);
   void add_nothing(session&);
   void role(session&);
   void info(session&, const words&);
   void tell_role(session&, bool of_whom = false);
   std::string describe(const session&);
   // replication.cpp
   void written();
   void send_to(replica&);
   void on_follow(const event&);
   void on_followed(const event&);
   void on_stream(const event&);
   void on_replication_lost(const event&);
   void drop_replicas();
   void leave_master();
   void look_for_master();
   info_of tell_info() const;
   // redis_failover.cpp
   void fail_over(session&, const words&);
   void look_for_heir();
   void take_over(const event&);
   void end_handover();
   void give_up_handover();

   shared_state& shared_;
   host_id host_;
   host_id master_ = nowhere;
   place place_;
   dataset data_;
   std::uint32_t run_ = 1;  // counts processes
   std::uint64_t next_client_ = 3;
   session_table<session> sessions_;
   std::vector<connection_id> readable_;
   std::vector<connection_id> woken_;    // have a reply, though nothing came from them
   std::vector<connection_id> blocked_;  // on a list, in the order in which they began to wait
   unsigned waiting_for_replicas_ = 0;
   std::vector<std::pair<host_id, host_id>> orders_;  // a master to follow, and whose order it is
   bool turn_wanted_ = false;
   time_point loading_until_ = {};
   time_point paused_until_ = {};
   bool pauses_writes_only_ = true;
   handover handover_ = handover::none;
   bool kept_its_clients_ = false;
   host_id heir_ = nowhere;  // that was asked for; then, that it is
   time_point handover_ends_ = never;
   std::vector<event> held_;  // of Sentinels whose PUBLISH waits for the end of a pause
   words words_;
   words inner_;
   std::string scratch_;

   link_state link_ = link_state::none;
   std::uint32_t link_generation_ = 0;
   bool cron_armed_ = false;
   time_point link_down_since_ = {};
   std::vector<replica> replicas_;
   std::array<std::uint32_t, 64> sentinel_links_{};  // by host; 0: none
   place saved_;                                     // and when it was so
   place saved_before_;
   time_point saved_at_ = {};
};

}  // namespace holdfast::sim
