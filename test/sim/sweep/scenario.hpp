// What a sweep is made of: a scenario, the steps that it takes when nothing goes wrong, and the faults that can strike
// at each of them.
#pragma once

#include "sim/checkers/checkers.hpp"
#include "sim/world/network.hpp"

#include <holdfast/delivery.hpp>
#include <holdfast/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim::sweep {

// One thing that the engine and the outside do with each other.
struct step {
   enum class kind : std::uint8_t { resolve, connect, opened, write, reply, tick };
   kind is = kind::tick;
   host_id host = nowhere;  // on the other side
   bool of_sentinel = false;
   std::uint32_t dial = 0;    // the how manieth connection of the run
   std::uint32_t number = 0;  // of a reply: the how manieth of its connection
   std::size_t bytes = 0;     // to be written, or of the reply
   std::string command = {};  // that the reply answers
   bool of_call = false;      // a caller's
   bool last = false;         // no other reply is due behind it
   bool one_of_many = false;  // it is the same as the one before it
};
std::string to_string(const step&);

enum class fault : std::uint8_t {
   // of names and connects
   name_unknown,
   name_never,  // no answer
   refused,
   unreachable,
   no_descriptors,
   never_connects,
   // of connections: `at` bytes of what is to be written are taken, or of the reply are read, and then it ends
   lost,
   lost_unsent,     // what the kernel took last never left it
   lost_unnoticed,  // the server does not learn of it
   // of bytes
   byte_by_byte,
   halting,   // the kernel takes `at` bytes, and the rest 300 ms later
   stuck,     // the kernel takes nothing more; nothing more is read
   late,      // the reply comes after three seconds
   together,  // and with it all that comes in the next five milliseconds
   garbage,
   push_before,
   twice,
   nothing_known,  // a Sentinel answers nil
   turned_away,    // the command is not run, but answered error_replies[at]
   // of processes
   server_frozen,            // for `at` milliseconds
   server_frozen_unnoticed,  // and at the same time the connection is lost, of which it does not learn
   server_restarted,         // killed, and back after 100 ms
   server_paused,            // CLIENT PAUSE for 500 ms
   client_asleep,            // for three seconds
};
std::string_view to_string(fault);

// What a server answers instead of running a command.
struct error_reply {
   std::string_view text;
   bool passes = true;  // and is waited out
};
extern const std::vector<error_reply> error_replies;

struct injection {
   std::size_t step = 0;  // of those since the warm-up
   fault what = fault::lost;
   std::size_t at = 0;
   // of `turned_away`: which reply
   std::uint32_t dial = 0;
   std::uint32_t number = 0;
};

// Every fault that makes sense at a step.
std::vector<injection> faults_at(std::size_t number, const step&, bool every_byte);

struct given {
   call_kind kind = call_kind::add;
   delivery promise = delivery::automatic;
};

struct scenario {
   friend std::ostream& operator<<(std::ostream& out, const scenario& s) { return out << s.name; }

   std::string name = {};
   bool sentinels = false;
   unsigned replicas = 0;
   std::string password = {};
   unsigned db = 0;
   std::string client_name = {};
   bool knows_hello = true;
   bool allows_kill = true;
   bool first_is_stale = false;       // the first Sentinel slept through a failover
   bool warm = true;                  // a command was answered before the sweep begins
   duration idle = duration::zero();  // between them
   std::vector<given> swept = {};     // given all at once
   std::vector<given> newer = {};     // and ten milliseconds later
   // The scenario's own fault: at the `nth` step of its kind.
   struct own_fault {
      step::kind at = step::kind::write;
      unsigned nth = 0;
      fault what = fault::lost;
      bool behind_all_bytes = true;
   };
   std::optional<own_fault> first = {};
   bool every_byte = true;
};

// What a run came to.
struct report {
   std::vector<step> steps;
   std::vector<std::string> violations;
   bool last_one_ok = false;
};

report run(const scenario&, const std::vector<injection>&);

}  // namespace holdfast::sim::sweep
