// The fence's half of a handshake: which earlier connections are to be ended (CLIENT KILL ID), and what became of each.
// ("The fence" in docs/architecture.md)
#pragma once

#include <holdfast/command.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::impl {

// A connection as the server names it. An id is given once in the life of a process, so with the run id it is exact.
// Without the run id it may belong to a stranger, as a restarted server begins to count anew: then the address must fit
// as well, as the server sees it (behind a relay our own view is another). All clients of a Unix socket have the same.
struct identity {
   std::string id;
   std::string address;  // of a TCP connection; empty for a Unix socket
   std::string run_id;   // of the server's process (INFO server); empty where the server does not tell
};

// An earlier connection of the lane, of whose commands some may still run in the process that it led to.
struct earlier_connection {
   enum class fate : std::uint8_t {
      elsewhere,  // it led to another process than this connection does
      ended,      // it led to this process, and has ended: nothing of it can run any more
      alive,      // it led to this process, or may have, and could not be ended
      unproven,   // it led to another address, and whether to another process can't be known
   };
   identity who;
   bool same_address = false;  // it was dialled where this one is
   fate is = fate::elsewhere;
   std::string why = {};  // of alive and unproven
   bool asked = false;
   std::string refused = {};  // the answer to CLIENT KILL, if that was an error
};

class connection_kills {
 public:
   connection_kills() = default;
   explicit connection_kills(std::vector<earlier_connection> all) : all_(std::move(all)) {}

   // Kills to be sent at once: where they are safe whatever process this is. Begins anew.
   std::vector<command> first();
   // Kills to be sent now that the server has told which process it is.
   std::vector<command> later(const std::string& run_id);
   // The next answer to one of them; `refused`: the server's words, if it was none.
   void answered(std::string refused);
   // All is answered.
   void conclude(const std::string& run_id);

   const std::vector<earlier_connection>& all() const { return all_; }

 private:
   command ask(std::size_t which);

   std::vector<earlier_connection> all_;
   std::vector<std::size_t> asked_;  // which of them the commands are about, in their order
   std::size_t answered_ = 0;
};

}  // namespace holdfast::impl
