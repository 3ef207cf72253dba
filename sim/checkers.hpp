// The judges of a world. They see what servers ran, what clients were told and what callers were answered, and nothing
// of how the client came to it. What each of them holds the client to is said at the function that judges.
#pragma once

#include "sim/history.hpp"
#include "sim/network.hpp"
#include "sim/wire.hpp"

#include <holdfast/delivery.hpp>
#include <holdfast/error.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::sim {

// What the workloads do. Each carries its number, by which the servers' side is matched with the callers'.
enum class call_kind : std::uint8_t { add, push, set, get, echo, set_once, transaction };
std::string_view to_string(call_kind);
// Whether a second run would be seen, in the data or in the reply.
bool repeats_harmlessly(call_kind);

using call_number = std::uint32_t;

struct violation {
   time_point at = {};
   std::string what;
};

class checkers {
 public:
   explicit checkers(const clock& c, const history& h) : clock_(c), past_(h) {}

   // ---- what happens ----
   call_number begins(std::uint32_t client, call_kind, delivery, time_point deadline);
   void ran(host_id where, const words&, place behind, bool changed, std::string_view reply);
   void told(std::uint32_t client, std::uint64_t epoch, host_id master);
   void writes(std::uint32_t client, host_id server);
   struct circumstances {
      time_point deadline = never;
      bool was_away = false;          // the client was frozen meanwhile
      bool could_be_written = false;  // something was written to a server since the command was given
      duration all_was_well_for = {};
   };
   void completed(call_number, std::span<const result<value>>, const circumstances&);
   void new_lineage() { lineage_is_old_ = false; }
   void broken(std::string what);

   // ---- in the end ----
   void final_history(place master);
   struct figures {
      std::uint64_t calls = 0;
      std::uint64_t acknowledged = 0;
      std::uint64_t unknown = 0;
      std::uint64_t not_executed = 0;
      std::uint64_t lost = 0;  // acknowledged writes that replication had not carried over
   };
   const figures& seen() const { return figures_; }
   const std::vector<violation>& violations() const { return violations_; }
   bool all_completed() const { return open_ == 0; }

   bool expects_lineages = false;             // the Sentinels were rebuilt: epochs may go back
   duration grace = std::chrono::seconds(5);  // how long after all is well a command may still fail

 private:
   struct call {
      std::uint32_t client = 0;
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
      place late = {};  // it ran after it was reported
      bool ran_late = false;
   };
   struct knowledge {
      std::uint64_t epoch = 0;
      host_id master = nowhere;
      bool any = false;
   };

   void judge_reply(call_number, const call&, const value&);
   std::string name(call_number) const;
   call* find(const words&, call_number& n);

   const clock& clock_;
   const history& past_;
   std::vector<call> calls_{1};
   std::vector<knowledge> clients_;
   std::vector<violation> violations_;
   figures figures_;
   std::uint64_t open_ = 0;
   bool lineage_is_old_ = true;
};

}  // namespace holdfast::sim
