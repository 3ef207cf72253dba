// Many threads on one client, one connection.
#include <holdfast/holdfast.hpp>

#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

int main(int count, char** words) {
   // [threads]
   holdfast::shared_client redis{count > 1 ? words[1] : "redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster"};

   std::atomic<int> failed = 0;
   const auto work = [&] {
      for (int i = 0; i < 100; ++i) {
         if (!redis.incr("jobs done")) ++failed;
      }
   };
   std::vector<std::jthread> workers;
   for (int i = 0; i < 20; ++i) workers.emplace_back(work);
   // [threads]
   workers.clear();
   const auto done = redis.get("jobs done").value().value_or("0");
   std::cout << done << " jobs done, " << failed << " of unknown outcome or not done\n";
   return failed == 0 ? 0 : 1;
}
