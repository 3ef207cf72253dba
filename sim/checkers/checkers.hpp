// The checkers of a world. They see what left a client, what servers ran, what clients were told and what callers were
// answered, and nothing of how the client came to it. What each of them holds the client to is said at the function
// that checks it.
#pragma once

#include "sim/checkers/call_kind.hpp"
#include "sim/checkers/news.hpp"
#include "sim/servers/dataset.hpp"
#include "sim/servers/history.hpp"
#include "sim/servers/wire.hpp"
#include "sim/world/network.hpp"

#include <holdfast/config.hpp>
#include <holdfast/delivery.hpp>
#include <holdfast/error.hpp>
#include <holdfast/policy/retry_budget.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::sim {

using call_number = std::uint32_t;

struct violation {
   time_point at = {};
   std::string what;
};

// Limits that a client was configured to keep.
struct promised_limits {
   std::size_t posted = 0;  // in a mailbox: no more than the callers have
   std::size_t parked = 10'000;
   std::size_t in_flight = 10'000;
   std::optional<unsigned> max_resends = {};
   retry_budget_settings budget = {};
   news::settings routes = {};
};

promised_limits limits_of(const config&);

// The most that happened within one second, of what is bounded.
struct busiest_second {
   std::uint32_t dials = 0;      // of one host by one client
   std::uint32_t questions = 0;  // to one Sentinel by one client
   std::uint32_t wakes = 0;      // of one client by its own timer
   // By one client:
   std::uint32_t dials_aside = 0;      // of one server that its commands may not go to
   std::uint32_t role_questions = 0;   // on one connection
   std::uint32_t candidate_polls = 0;  // the same, while the Sentinels have selected that node
};

// Twice what was seen in twenty thousand worlds (dials 17, questions 39, wakes 36); a loop without a pause does
// thousands. Of a server that is only to be watched a client asks once a second; jitter may bring two of them into one.
inline constexpr busiest_second bounds{
   .dials = 40, .questions = 80, .wakes = 100, .dials_aside = 10, .role_questions = 3, .candidate_polls = 60};

// A connection of a client to a server, as far as the checkers have seen it.
struct server_line : line {
   bool says_master = false;     // the server, the last time that it was read on this connection
   bool of_lane = false;         // its commands go here
   bool asks_for_role = false;   // or nothing but its role is asked
   std::int64_t second = -1;     // of `questions`
   std::uint32_t questions = 0;  // about its role
};

// Of a reply, as a server writes it and as a caller is given it: a string or nothing, or an array of these.
std::uint64_t fingerprint(std::string_view as_sent);
std::uint64_t fingerprint(value_view);

class checkers {
 public:
   explicit checkers(const clock& c, const history& h) : clock_(c), past_(h), began_(c.now()) {}

   // ---- what happens ----
   // Calls of one client and one group take effect in the order in which they are given.
   call_number begins(std::uint32_t client, call_kind, delivery, std::uint32_t group = 0);
   // The database that all clients begin in.
   void begin_in(unsigned database) { first_database_ = database; }
   // The database that a `select` names.
   void selects(call_number n, unsigned database) { calls_[n].database = static_cast<std::uint8_t>(database); }
   void ran(host_id where, const words&, const execution&);
   // News that the client has read, before the engine hears of it.
   void told(std::uint32_t client, const line&, const sim::told&);
   void ended(std::uint32_t client, const line& l) { record_of(client).heard.ended(l, clock_.now()); }
   // Events that the client has published, before it acts on them.
   void named(std::uint32_t client, host_id master, std::uint64_t epoch);
   void withdrew(std::uint32_t client, host_id from, std::uint64_t epoch, host_id to);
   void begins_anew(std::uint32_t client, host_id master, std::uint64_t epoch) {
      record_of(client).heard.begins_anew(master, epoch, clock_.now());
   }
   // A node was made a master by hand; or a Sentinel has chosen it since, or it is one no more.
   void rogue(host_id, bool);
   // Of another deployment: what it says is not for this client.
   void neighbour(host_id, bool);
   bool is_neighbour(host_id h) const { return h < neighbours_.size() && neighbours_[h]; }
   // The client has had an answer of a Sentinel.
   bool has_heard(std::uint32_t client) const { return client < clients_.size() && clients_[client].heard.any(); }
   bool is_rogue(host_id h) const { return h < rogues_.size() && rogues_[h]; }
   // At a server that was promoted; or `nowhere`: that was restarted.
   void new_branch(place begins, host_id promoted);
   struct circumstances {
      time_point deadline = never;
      bool was_away = false;          // the client was frozen meanwhile
      bool could_be_written = false;  // something was written to a server since the command was given
      bool partly_sent = false;       // the kernel has the beginning of a command, and not its end
      duration all_was_well_for = {};
   };
   void completed(call_number, std::span<const result<value>>, const circumstances&);
   void cancelled(call_number);
   void broken(std::string what);
   // Actions of a client. `sent` and `goes` hear of whole commands, as the kernel takes them; `handed_over`: the
   // engine had let go of it before the news that were read last.
   void dialled(std::uint32_t client, host_id to, bool is_server);
   void asked(std::uint32_t client, host_id sentinel);
   void woken(std::uint32_t client);
   void sent(std::uint32_t client, const line&, const words&, bool handed_over = false);
   void goes(std::uint32_t client, server_line&, const words&, bool handed_over = false);
   // So many connections that ask for roles, to one server, under one of its names.
   void keeps_warm(std::uint32_t client, host_id, unsigned);

   // ---- in the end ----
   void final_history(place master);
   void final_data(place master, const dataset&);
   struct figures {
      std::uint64_t calls = 0;
      std::uint64_t acknowledged = 0;
      std::uint64_t unknown = 0;
      std::uint64_t not_executed = 0;
      // Acknowledged writes that are no part of the surviving history.
      std::uint64_t lost = 0;
      std::uint64_t lost_late = 0;     // of these, ran after another had been promoted
      std::uint64_t lost_unsaved = 0;  // of these, by a restart with what had been saved
      // Of these, sent to the old master though the client holds writes, and had read that another node was selected:
      // it had held them for as long as it promises.
      std::uint64_t lost_selected = 0;
      busiest_second most;
   };
   const figures& seen() const { return figures_; }
   const std::vector<violation>& violations() const { return violations_; }
   bool all_completed() const { return open_ == 0; }

   promised_limits limits;
   bool expects_lineages = false;             // the Sentinels were rebuilt: epochs may go back
   bool servers_fence = true;                 // CLIENT KILL is allowed
   bool servers_forget = false;               // a restart brings back what had been saved, and no more
   duration grace = std::chrono::seconds(5);  // how long after all is well a command may still fail

 private:
   struct call {
      std::uint32_t client = 0;
      std::uint32_t group = 0;
      call_kind kind = call_kind::add;
      delivery promise = delivery::automatic;
      bool done = false;
      bool acknowledged = false;
      bool unfenced = false;
      outcome ended = outcome::unknown;
      std::uint16_t runs = 0;
      std::uint16_t second_part = 0;                     // of a transaction
      std::array<long long, 4> replies{-1, -1, -1, -1};  // of its latest runs
      place behind = {};
      time_point ran_at = {};
      place late = {};  // it ran after it was reported
      bool ran_late = false;
      bool left_behind = false;    // it ran after it was reported, on a node that its client had left by then
      host_id heir = nowhere;      // that was selected to replace the master that it was sent to
      bool is_held = false;        // and for which it was to be held back
      host_id ended_at = nowhere;  // the master that its client had published last
      std::uint16_t times_sent = 0;
      std::uint32_t sent_on = 0;  // the connection, and the order among all that this client sent
      std::uint64_t sent_as = 0;
      std::uint32_t first_master = 0;   // the master, counted, that it was sent to first
      std::uint8_t database = 0;        // that it selects
      std::uint32_t latest = 0;         // of `runs_`; 0: none
      std::uint64_t answered_with = 0;  // of a read: the reply's fingerprint
      std::uint32_t ended_after = 0;    // so many of `runs_`: what runs later has nothing to do with its answer
   };
   // One run of a command, or of one that a transaction holds. They stand in the order in which servers ran them.
   struct run {
      call_number n = 0;
      std::uint32_t before = 0;  // the same call's
      place behind = {};
      std::uint8_t database = 0;
      std::uint8_t reads = 0;  // which of its client's keys, as bits
      std::uint8_t writes = 0;
      std::uint64_t reply = 0;  // its fingerprint
   };
   // How often within the present second.
   struct rate {
      std::int64_t second = -1;
      std::uint32_t count = 0;
   };
   struct client_record {
      news heard;
      host_id master = nowhere;   // that it has published
      std::uint32_t masters = 0;  // how often its lane was connected
      // what it sent
      std::uint32_t connection = 0;
      call_number newest = 0;                // sent for the first time
      call_number newest_on_connection = 0;  // sent on `connection`
      call_number in_multi = 0;
      bool multi = false;
      std::uint64_t sent = 0;
      std::uint64_t resent = 0;
      std::uint64_t given = 0;
      std::uint32_t open = 0;
      std::deque<std::uint64_t> in_flight;  // calls sent on `connection` and not answered: the last command of each
      std::vector<rate> dials;              // by host
      std::vector<rate> dials_aside;
      std::vector<rate> questions;
      rate wakes;
   };
   struct branch_record {
      host_id promoted = nowhere;
      time_point began = {};
   };

   static bool is_of_a_call(const words&);
   client_record& record_of(std::uint32_t client);
   std::uint32_t count(rate&) const;
   void check_failure(call_number, const call&, const error&, const circumstances&);
   void check_sending(call_number, const call&, const error&, const circumstances&);
   void check_reply(call_number, call&, const value&);
   void check_resends(call_number, const call&, const client_record&);
   static void count_resend(call&, client_record&);
   void note_heir(call&, const client_record&, host_id to);
   void check_way(std::uint32_t client, const server_line&, const words&, bool handed_over);
   void count_dial_aside(std::uint32_t client, host_id);
   void count_role_question(std::uint32_t client, server_line&);
   void check_loss(call_number, const call&, place master);
   std::vector<std::uint64_t> last_runs(place master);
   void check_order(const std::vector<std::uint64_t>& last_run, place master);
   void check_overtaking(const std::vector<std::uint64_t>& last_run);
   void keep_run(call_number, call&, const words&, const execution&);
   void check_databases();
   void check_reads();
   bool is_own_read(const call&, std::uint64_t fingerprint) const;
   std::string objection_to(call_number, const run& read) const;
   std::string name(call_number) const;
   call* find(const words&, call_number& n);

   const clock& clock_;
   const history& past_;
   time_point began_;
   std::vector<call> calls_{1};
   std::vector<client_record> clients_;
   unsigned first_database_ = 0;
   std::vector<branch_record> branches_{{}};
   std::vector<run> runs_{1};
   std::vector<bool> rogues_;  // by host
   std::vector<bool> neighbours_;
   std::vector<violation> violations_;
   figures figures_;
   std::uint64_t open_ = 0;
};

}  // namespace holdfast::sim
