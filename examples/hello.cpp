// The program of the README: SET, GET and INCR, through a failover if need be. A failure says whether the command ran.
// [hello]
#include <holdfast/holdfast.hpp>

#include <iostream>

int main(int count, char** words) {
   holdfast::client redis{count > 1 ? words[1] : "redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster"};
   redis.set("greeting", "hello").value();  // throws where it failed; a result can be asked, too, as below
   std::cout << redis.get("greeting").value().value_or("nothing") << '\n';
   const auto visits = redis.incr("visits");
   std::cout << (visits ? "visit " + std::to_string(*visits) : visits.error().what()) << '\n';
   return visits ? 0 : 1;
}
// [hello]
