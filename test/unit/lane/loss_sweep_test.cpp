// A pipeline of commands of every class, lost at every byte that the kernel took and after every reply: what becomes of
// each command, what is sent again, and in which order.
#include "unit/lane/script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl::test::loss_sweep_test {
namespace {

struct item {
   std::vector<std::string_view> lines;
   repeat_class repeats;
};

const std::vector<item>& pipeline() {
   static const std::vector<item> all{
      {{"SET a 1"}, repeat_class::same},
      {{"INCR n"}, repeat_class::not_repeatable},
      {{"GET g"}, repeat_class::readonly},
      {{"SADD s x"}, repeat_class::same_state},
      {{"MULTI", "SET t 1", "SET u 2", "EXEC"}, repeat_class::same},
      {{"GETDEL d"}, repeat_class::result_lost},
      {{"FLUSHDB"}, repeat_class::never},
      {{"MULTI", "SET t 1", "INCR u", "EXEC"}, repeat_class::not_repeatable},
      {{"SET z 9"}, repeat_class::same},
   };
   return all;
}

enum class afterwards {
   same_node,      // back to it; the fence holds
   no_permission,  // back to it; the ACL forbids CLIENT KILL
   no_identity,    // back to it; it never told who we were
   other_node,     // the Sentinels name another one
   nobody,         // no master any more until the deadline
};

struct step {
   delivery promise;
   afterwards then;
   std::size_t accepted;  // bytes of the pipeline
   std::size_t answered;  // commands of it
   std::size_t in_part;   // replies to members of the transaction behind those
};

std::ostream& operator<<(std::ostream& out, const step& s) {
   return out << to_string(s.promise) << ", then " << static_cast<int>(s.then) << ", lost at byte " << s.accepted
              << " after " << s.answered << " replies and " << s.in_part;
}

class sweep {
 public:
   explicit sweep(const step& s) : step_(s), refused_(s.then == afterwards::no_identity) {}

   void run() {
      begin();
      lose();
      if (step_.then == afterwards::nobody) return end_at_the_deadline();
      come_back();
      check();
   }

 private:
   enum class fate { answered, parked, resent, unknown };

   void begin() {
      calls_.push_back(&s_.submit("PING"));
      s_.open();
      s_.accept();
      s_.answer(hello());
      s_.answer(refused_ ? refuses("NOPERM client|info") + server_info() : client_info(7));
      s_.accept();
      s_.answer(pong);  // the connection is proven
      calls_.clear();
      for (const item& i : pipeline()) {
         std::vector<command> commands;
         std::size_t bytes = 0;
         for (const auto line : i.lines) {
            commands.push_back(words(line));
            bytes += commands.back().bytes().size();
         }
         ends_.push_back((ends_.empty() ? 0 : ends_.back()) + bytes);
         calls_.push_back(&s_.submit_commands(commands, {.deadline = 5s, .delivery = step_.promise}));
      }
      s_.accept(step_.accepted);
      for (std::size_t i = 0; i < step_.answered; ++i) answer(pipeline()[i]);
      for (std::size_t i = 0; i < step_.in_part; ++i) s_.answer(i == 0 ? ok : queued);
      s_.pending_io();
   }

   void answer(const item& i) {
      for (std::size_t n = 0; n + 1 < i.lines.size(); ++n) s_.answer(n == 0 ? ok : queued);
      s_.answer(i.lines.size() > 1 ? "*2\r\n" + ok + ok : ok);
   }

   void lose() {
      if (step_.then == afterwards::other_node) {
         s_.watch.name(node_b, 6);
         s_.on_view();
         EXPECT_EQ(s_.pending_io(), "abort; dial 10.0.0.2");
      } else {
         if (step_.then == afterwards::nobody) s_.watch.view.master.reset();
         s_.lose();
      }
   }

   // What docs/faults.md says of it.
   fate expected(std::size_t i) const {
      if (i < step_.answered) return fate::answered;
      if (ends_[i] > step_.accepted) return fate::parked;
      const repeat_class c = pipeline()[i].repeats;
      if (would_overtake(i)) return fate::unknown;
      if (c == repeat_class::readonly && step_.promise != delivery::at_most_once) return fate::resent;
      if (step_.then == afterwards::no_permission || step_.then == afterwards::no_identity) return fate::unknown;
      if (step_.promise == delivery::automatic && c == repeat_class::same) return fate::resent;
      if (step_.promise == delivery::at_least_once && c != repeat_class::never) return fate::resent;
      return fate::unknown;
   }
   // A newer one about the same data may have run, and is not sent again (a read may not even where it is).
   bool would_overtake(std::size_t i) const {
      for (std::size_t j = i + 1; j < ends_.size() && ends_[j] <= step_.accepted; ++j) {
         const auto& newer = pipeline()[j].lines;
         const bool same_data = newer[0] == "FLUSHDB" || (newer.size() > 1 && pipeline()[i].lines.size() > 1);
         if (same_data && expected(j) == fate::unknown) return true;
      }
      return false;
   }
   bool leaves_a_trace(std::size_t i) const {
      return i >= step_.answered && ends_[i] <= step_.accepted && pipeline()[i].repeats != repeat_class::readonly;
   }

   void come_back() {
      s_.open();
      std::string asked = greeting;
      bool fenced = false;
      for (std::size_t i = 0; i < calls_.size(); ++i) fenced = fenced || leaves_a_trace(i);
      const bool same = step_.then == afterwards::same_node || step_.then == afterwards::no_permission;
      if (fenced && same) asked += "; CLIENT KILL ID 7 ADDR 10.9.9.9:40007";
      EXPECT_EQ(s_.accept(), asked);
      const bool other = step_.then == afterwards::other_node;
      s_.answer(hello() + (other ? client_info(8, "10.9.9.9:40008", "another") : client_info(8)));
      // Only the answer to the fence shows that the lost connection can do no more harm.
      if (fenced && same) {
         for (std::size_t i = step_.answered; i < calls_.size(); ++i) {
            const bool reads_only = pipeline()[i].repeats == repeat_class::readonly;
            EXPECT_EQ(calls_[i]->done(), reads_only && expected(i) == fate::unknown);
         }
         EXPECT_EQ(s_.pending(), 0U);
         s_.answer(step_.then == afterwards::same_node ? number(1) : refuses("NOPERM client|kill"));
      }
      std::string sent;
      for (std::size_t i = 0; i < calls_.size(); ++i) {
         if (expected(i) != fate::parked && expected(i) != fate::resent) continue;
         for (const auto line : pipeline()[i].lines) sent += (sent.empty() ? "" : "; ") + std::string(line);
      }
      EXPECT_EQ(s_.accept(), sent);
      for (std::size_t i = 0; i < calls_.size(); ++i) {
         if (expected(i) == fate::parked || expected(i) == fate::resent) answer(pipeline()[i]);
      }
   }

   void check() {
      const bool no_fence = step_.then == afterwards::no_permission || step_.then == afterwards::no_identity;
      for (std::size_t i = 0; i < calls_.size(); ++i) {
         SCOPED_TRACE(std::string(pipeline()[i].lines.back()) + " of " + std::to_string(i));
         const call& c = *calls_[i];
         if (expected(i) == fate::unknown) {
            EXPECT_EQ(c.says(), "unknown, connection_lost");
            EXPECT_EQ(c.op.attempts, 1U);
            EXPECT_EQ(c.has_cause("not fenced"), no_fence && leaves_a_trace(i));
         } else {
            EXPECT_TRUE(c.done() && c.results.back()) << c.says();
            EXPECT_EQ(c.op.attempts, expected(i) == fate::resent ? 2U : 1U);
         }
      }
      EXPECT_TRUE(s_.subject.idle());
   }

   void end_at_the_deadline() {
      s_.advance(5s);
      for (std::size_t i = 0; i < calls_.size(); ++i) {
         SCOPED_TRACE(std::string(pipeline()[i].lines.back()) + " of " + std::to_string(i));
         const call& c = *calls_[i];
         if (i < step_.answered) {
            EXPECT_TRUE(c.done() && c.results.back());
            continue;
         }
         const bool whole = ends_[i] <= step_.accepted;
         ASSERT_TRUE(c.done() && !c.results.back()) << c.says();
         EXPECT_EQ(c.error().outcome, whole ? outcome::unknown : outcome::not_executed);
         EXPECT_EQ(c.error().attempts, whole ? 1U : 0U);
         EXPECT_EQ(c.has_cause("not fenced"), leaves_a_trace(i));
      }
      EXPECT_TRUE(s_.subject.idle());
   }

   step step_;
   bool refused_;
   script s_;
   std::vector<call*> calls_;
   std::vector<std::size_t> ends_;  // of each, in bytes of the pipeline
};

class loss : public testing::TestWithParam<std::tuple<delivery, afterwards>> {};

TEST_P(loss, at_any_byte_and_after_any_reply_is_accounted_for) {
   std::vector<std::size_t> ends{0};
   for (const item& i : pipeline()) {
      std::size_t bytes = 0;
      for (const auto line : i.lines) bytes += words(line).bytes().size();
      ends.push_back(ends.back() + bytes);
   }
   const auto [promise, then] = GetParam();
   for (std::size_t accepted = 0; accepted <= ends.back(); ++accepted) {
      // Where the delivery is not the default, the bytes around the ends of commands will do.
      const auto near = [&](std::size_t end) { return accepted + 1 >= end && accepted <= end + 1; };
      if (promise != delivery::automatic && std::none_of(ends.begin(), ends.end(), near)) continue;
      for (std::size_t answered = 0; answered < ends.size() && ends[answered] <= accepted; ++answered) {
         const bool in_unit = answered < pipeline().size() && pipeline()[answered].lines.size() > 1;
         const bool whole = answered + 1 < ends.size() && ends[answered + 1] <= accepted;
         for (std::size_t in_part = 0; in_part <= (in_unit && whole ? 3U : 0U); ++in_part) {
            const step at{promise, then, accepted, answered, in_part};
            SCOPED_TRACE(testing::PrintToString(at));
            sweep(at).run();
            if (HasFailure()) return;  // one is enough to look at
         }
      }
   }
}

INSTANTIATE_TEST_SUITE_P(
   everywhere, loss,
   testing::Combine(testing::Values(delivery::automatic, delivery::at_most_once, delivery::at_least_once),
                    testing::Values(afterwards::same_node, afterwards::no_permission, afterwards::no_identity,
                                    afterwards::other_node, afterwards::nobody)));

}  // namespace
}  // namespace holdfast::impl::test::loss_sweep_test
