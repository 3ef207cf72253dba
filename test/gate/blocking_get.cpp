// What one blocking GET costs: run by tools/gate, which counts the instructions of two lengths of this and takes the
// difference. One round is what a user writes: the command is built, run, and its reply checked. Prints the heap
// allocations of this thread during the loop. With HOLDFAST_GATE_SHARED in the environment the client is one of a
// deployment, whose tracker has a thread of its own. With HOLDFAST_GATE_ROUND=batch a round is a list of 1024 such
// GETs, built before; with `range` it is an LRANGE of 1000 elements.
#include "counted_allocations.hpp"

#include <holdfast/holdfast.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace holdfast;

const std::string_view kept = "0123456789abcdef";

// So many rounds; whether all went well.
bool get(client& redis, long count) {
   for (long i = 0; i < count; ++i) {
      const auto reply = redis.run({"GET", "gate"});
      if (!reply || reply->text().size() != kept.size()) return false;
   }
   return true;
}

bool batch(client& redis, long count) {
   static const std::vector<command> list(1024, command{"GET", "gate"});
   for (long i = 0; i < count; ++i) {
      for (const auto& reply : redis.run(list))
         if (!reply || reply->text().size() != kept.size()) return false;
   }
   return true;
}

bool range(client& redis, long count) {
   for (long i = 0; i < count; ++i) {
      const auto reply = redis.run({"LRANGE", "gate:list", "0", "-1"});
      if (!reply || reply->size() != 1000) return false;
   }
   return true;
}

void fill(client& redis) {
   redis.run({"SET", "gate", kept}).value();
   redis.run({"DEL", "gate:list"}).value();
   const std::vector<command> pushes(1000, command{"RPUSH", "gate:list", kept});
   for (const auto& r : redis.run(pushes)) r.value();
}

}  // namespace

int main(int argc, char** argv) {
   if (argc != 3) return std::fputs("usage: blocking_get URI COUNT\n", stderr), 2;
   const long count = std::atol(argv[2]);
   const std::string_view uri = argv[1];
   const bool is_shared = std::getenv("HOLDFAST_GATE_SHARED") != nullptr;
   const char* const chosen = std::getenv("HOLDFAST_GATE_ROUND");
   const std::string_view name = chosen != nullptr ? chosen : "get";
   const auto round = name == "batch" ? batch : name == "range" ? range : get;
   auto redis = is_shared ? client{deployment(uri)} : client{uri};
   fill(redis);
   get(redis, 100);
   round(redis, 1);

   allocations = 0;
   if (!round(redis, count)) return std::fputs("a round failed\n", stderr), 1;
   std::printf("allocations %zu\n", allocations);
}
