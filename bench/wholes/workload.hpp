// What is measured: each workload is a value. All clients do the same, against the same servers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

enum class shape : std::uint8_t {
   one_at_a_time,       // one command, its reply, the next; the command is built each time
   prepared_list,       // lists of `commands` commands, built before
   built_list,          // such lists, built each time
   caller_each_thread,  // `callers` threads, each with a caller of its own that does one at a time
};

enum class server_kind : std::uint8_t {
   real,    // a master of a Sentinel deployment
   canned,  // one that answers fixed bytes (canned_server.hpp)
};

struct workload {
   std::string name = {};   // a word, for --only and JSON
   std::string title = {};  // for people
   shape how = shape::one_at_a_time;
   std::vector<std::string> command = {};
   std::string reply = {};      // to one command, as RESP2 has it
   std::size_t elements = 0;    // in the reply; 0: it is a text
   std::size_t commands = 1;    // in a list
   std::size_t callers = 1;     // in threads of their own
   std::size_t operations = 1;  // in one round: commands, or elements of a reply
   std::size_t counted = 0;     // rounds of which the instructions are counted; 0: they are not
   server_kind server = server_kind::real;
   bool on_one_core = false;  // client and server share a processor
   bool is_growth = false;    // one of a series with more and more callers
};

// In the order of the table.
const std::vector<workload>& all_workloads();
// Throws std::runtime_error if there is none of that name.
const workload& workload_named(std::string_view name);
// The commands that make what the workloads read.
std::vector<std::vector<std::string>> commands_that_fill();

// `arguments` as RESP has them: an array of texts.
std::string as_array(const std::vector<std::string>& arguments);

}  // namespace holdfast::bench
