// Many threads, each with a client of its own, and one watch of the Sentinels for all of them.
#include <holdfast/holdfast.hpp>

#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

int main(int count, char** words) {
   // [share]
   const holdfast::deployment shared{count > 1 ? words[1] : "redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster"};

   std::atomic<int> failed = 0;
   const auto work = [&] {
      holdfast::client redis{shared};  // one for each thread; the Sentinels see none of them
      for (int i = 0; i < 10; ++i) {
         if (!redis.incr("jobs done")) ++failed;
      }
   };
   // [share]
   {
      std::vector<std::jthread> workers;
      for (int i = 0; i < 20; ++i) workers.emplace_back(work);
   }
   const auto done = holdfast::client{shared}.get("jobs done").value().value_or("0");
   std::cout << done << " jobs done, " << failed << " of unknown outcome or not done\n";
   return failed == 0 ? 0 : 1;
}
