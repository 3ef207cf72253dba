// The program of the README: counts a visit, through a failover if need be, and says of a failure whether it counted.
// [hello]
#include <holdfast/holdfast.hpp>

#include <iostream>

int main(int count, char** words) {
   holdfast::client redis{count > 1 ? words[1] : "redis+sentinel://10.0.0.1,10.0.0.2,10.0.0.3/mymaster"};
   const auto visits = redis.incr("visits");
   if (visits) std::cout << "visit " << *visits << '\n';
   if (!visits) std::cerr << visits.error().what() << '\n';
   if (!visits && visits.error().outcome == holdfast::outcome::unknown) std::cerr << "it may have been counted\n";
   return visits ? 0 : 1;
}
// [hello]
