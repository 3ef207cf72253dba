// How a loop is left: what the engine requests reaches the mailbox all the same.
#include "runtime/poll/loop.hpp"

#include <gtest/gtest.h>

namespace holdfast::impl::loop_test {
namespace {

config led() {
   config c;
   c.sentinels = {{"127.0.0.1", 1}};
   c.master = "mymaster";
   c.observer = [](const any_event&) { throw 1; };
   return c;
}

class loop_test : public testing::Test {
 protected:
   loop_test() { loop_.follow(subscriber_); }
   std::uint64_t asked() {
      topology_requests r;
      mailbox_.take(r);
      return r.asked;
   }
   void tell() {
      engine_.events().tell([] { return event::breaker_changed{"open"}; });
   }

   config settings_ = led();
   engine engine_{settings_, 1, topology_source::elsewhere};
   loop loop_{engine_, settings_.observer};
   view_mailbox mailbox_;
   view_subscriber subscriber_{mailbox_};
};

TEST_F(loop_test, question_of_last_poll_is_given_before_observer_is_told) {
   std::stop_source stop;
   stop.request_stop();
   const stop_alarm rings(stop.get_token());
   bool is_last = false;
   const auto enough = [&] {
      if (!std::exchange(is_last, true)) return false;
      engine_.discover(loop_.time());
      tell();
      return true;
   };
   EXPECT_THROW(loop_.run(enough, &rings), int);
   EXPECT_EQ(asked(), 1U);
}

TEST_F(loop_test, question_of_an_end_is_given_before_observer_is_told) {
   const auto enough = [&] {
      engine_.discover(loop_.time());
      tell();
      return true;
   };
   EXPECT_THROW(loop_.run(enough, nullptr), int);
   EXPECT_EQ(asked(), 1U);
}

}  // namespace
}  // namespace holdfast::impl::loop_test
