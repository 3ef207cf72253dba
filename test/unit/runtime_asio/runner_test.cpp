// The runner calls nobody from inside of a call to it.
#include "runtime/asio/runner.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <cstddef>

namespace holdfast::impl::runner_test {
namespace {

// An operation that is refused at once: it has no time left.
struct refused_call {
   const command get{"GET", "k"};
   result<value> answer = value();
   operation op;

   operation& renew() {
      op = operation{};
      op.commands = {&get, 1};
      op.results = &answer;
      op.deadline = time_point{};
      return op;
   }
};

TEST(asio_runner, completion_is_posted) {
   boost::asio::io_context io;
   engine e(config{.server = {"127.0.0.1", 1}}, 1);
   std::size_t done = 0;
   runner subject(io.get_executor(), e, [&](operation&) { ++done; });
   refused_call call;
   subject.submit(call.renew());
   EXPECT_EQ(done, 0U) << "the caller is still inside of submit";
   io.poll();
   EXPECT_EQ(done, 1U);
   EXPECT_EQ(call.answer.error().code(), errc::deadline_exceeded);
}

TEST(asio_runner, completion_that_submits_does_not_recurse) {
   boost::asio::io_context io;
   engine e(config{.server = {"127.0.0.1", 1}}, 1);
   std::size_t done = 0;
   std::size_t depth = 0;
   std::size_t deepest = 0;
   refused_call call;
   runner* now = nullptr;
   runner subject(io.get_executor(), e, [&](operation&) {
      deepest = std::max(deepest, ++depth);
      if (++done < 100'000) now->submit(call.renew());
      --depth;
   });
   now = &subject;
   subject.submit(call.renew());
   io.poll();
   EXPECT_EQ(done, 100'000U);
   EXPECT_EQ(deepest, 1U);
}

TEST(asio_runner, completion_may_end_the_runner) {
   boost::asio::io_context io;
   engine e(config{.server = {"127.0.0.1", 1}}, 1);
   std::size_t done = 0;
   std::unique_ptr<runner> subject;
   refused_call one;
   refused_call other;
   subject = std::make_unique<runner>(io.get_executor(), e, [&](operation&) {
      subject.reset();
      ++done;
   });
   subject->submit(one.renew());
   subject->submit(other.renew());
   io.poll();
   EXPECT_EQ(done, 1U) << "nothing is called any more";
}

}  // namespace
}  // namespace holdfast::impl::runner_test
