// The servers of a run: a Sentinel deployment that holds what the workloads read, and the canned server.
#pragma once

#include "bench/wholes/canned_server.hpp"
#include "bench/wholes/client_kind.hpp"
#include "lab/deployment.hpp"

#include <filesystem>
#include <string>

namespace holdfast::bench {

class servers {
 public:
   servers();

   server_addresses real() { return {deployment_.node(0).own_address(), deployment_.uri()}; }
   server_addresses canned() const { return {canned_.where(), {}}; }
   pid_t master() { return deployment_.node(0).pid(); }
   std::string version();
   // Is removed at the end of this program, in whatever way it ends.
   const std::filesystem::path& folder() const { return deployment_.folder(); }

 private:
   lab::deployment deployment_;
   canned_server canned_;
};

}  // namespace holdfast::bench
