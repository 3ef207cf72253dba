#include "lab/await.hpp"

#include <thread>

namespace holdfast::lab {

double ms_between(clock::time_point from, clock::time_point to) {
   return std::chrono::duration<double, std::milli>(to - from).count();
}

bool became_true(const std::function<bool()>& fact, milliseconds patience, milliseconds between) {
   const auto end = clock::now() + patience;
   for (;;) {
      if (fact()) return true;
      if (clock::now() >= end) return false;
      std::this_thread::sleep_for(between);
   }
}

void await(const std::string& what, const std::function<bool()>& fact, milliseconds patience, milliseconds between) {
   if (became_true(fact, patience, between)) return;
   throw fact_missing("waited " + std::to_string(patience.count()) + " ms in vain for this: " + what);
}

}  // namespace holdfast::lab
