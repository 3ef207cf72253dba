#include "bench/wholes/servers.hpp"

namespace holdfast::bench {

servers::servers()
   : canned_(as_array(workload_named("list_canned").command), workload_named("list_canned").reply,
             deployment_.node(0).own_address()) {
   lab::control master = deployment_.node(0).connect();
   for (const auto& command : commands_that_fill()) master.run(command);
   deployment_.await_health();
}

std::string servers::version() { return deployment_.node(0).connect().info("server", "redis_version"); }

}  // namespace holdfast::bench
