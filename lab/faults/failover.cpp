#include "lab/faults/all.hpp"

namespace holdfast::lab {

fault faults::failover() {
   fault f{.name = "failover",
           .description = "SENTINEL FAILOVER: planned; the old master goes on acknowledging writes that will be lost",
           .shows = "how soon the client leaves the old master",
           .promotes = true};
   f.inject = [](deployment& d, const std::stop_token&) {
      // The last one: what a client's first Sentinel does is another matter.
      control sentinel = d.sentinel(d.sentinels() - 1).connect();
      const auto at = clock::now();
      sentinel.run({"SENTINEL", "FAILOVER", d.options().master_name});
      return at;
   };
   return f;
}

}  // namespace holdfast::lab
