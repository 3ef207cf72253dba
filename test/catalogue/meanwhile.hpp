// Something done in a thread of its own, beside a client that waits.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <utility>

namespace holdfast::catalogue {

// What it throws is a failure of the test. A test that ends early waits for it.
class meanwhile {
 public:
   explicit meanwhile(std::function<void()> act)
      : thread_([act = std::move(act)] {
           try {
              act();
           } catch (const std::exception& e) {
              ADD_FAILURE() << e.what();
           }
        }) {}
   void join() { thread_.join(); }

 private:
   std::jthread thread_;
};

}  // namespace holdfast::catalogue
