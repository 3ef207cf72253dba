// May a command be written now to the connection that is ready, and if not, why: the one list of reasons. Some of them
// are this machine's own: the node is to be left, or a test of the connection is unanswered. The others are the gate's
// pause and the topology's.
#pragma once

#include "commands/command_table.hpp"
#include "commands/error_reply.hpp"
#include "lane/gate.hpp"
#include "lane/lane_topology.hpp"
#include "lane/multi_test.hpp"

#include <holdfast/time.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::impl {

class pacing {
 public:
   enum class reason : std::uint8_t {
      none,
      leaving,     // the node is left as soon as what is in flight is answered
      idle_test,   // a PING tests the idle connection
      multi_test,  // an empty transaction tests whether the connection takes MULTI
      promotion,   // a write: another node is about to be promoted
      pause,       // the gate's
      doubt,       // a switch was announced, and is being asked about
   };
   // `op` null: of any write.
   reason why_held(const operation* op, const lane_topology& g, const gate& at, time_point now) const {
      const bool writes = op == nullptr || !op->reads_only;
      if (leaving_) return reason::leaving;
      if (tests_idle_) return reason::idle_test;
      if (multi_test_.now() == multi_test::state::asked) return reason::multi_test;
      // A write that is acknowledged now may never reach the master that is about to replace this one.
      if (writes && now < g.hold_writes_until()) return reason::promotion;
      if (at.paused(now) && !(op != nullptr && at.passes(*op))) return reason::pause;
      return g.in_doubt() ? reason::doubt : reason::none;
   }
   std::string text(reason, const gate&) const;  // for an error's causes; empty where nothing is to be said

   pacing(std::size_t in_flight, std::size_t in_flight_before_first_reply, bool tests_multi)
      : in_flight_(in_flight), in_flight_before_first_reply_(in_flight_before_first_reply), tests_multi_(tests_multi) {}
   bool is_full(std::size_t in_flight, std::size_t unsent_bytes) const {
      const std::size_t most = first_reply_ ? in_flight_ : in_flight_before_first_reply_;
      return in_flight >= most || unsent_bytes >= outbox_aim;
   }

   void begin();  // another connection
   void on_reply() {
      tests_idle_ = false;
      first_reply_ = true;
   }

   void leave_soon(std::string why, time_point now);
   // A node that is no master would go on answering reads. One fixed server is the same one when it is connected to
   // again, unless its name or its address has moved: that is looked for once a second.
   bool is_worth_leaving(reply_class, bool roles_matter, time_point now);
   bool leaving() const { return leaving_; }
   std::optional<time_point> leaving_since() const { return leaving_ ? std::optional(leaving_since_) : std::nullopt; }
   const std::string& leaving_why() const { return leaving_why_; }

   // A command changed the state of the connection. The commands that it takes depend on its user.
   void on_changed(command_role by) {
      if (by != command_role::select && by != command_role::set_name) multi_test_.forget();
   }
   void set_tests_idle() { tests_idle_ = true; }
   bool tests_idle() const { return tests_idle_; }
   multi_test& of_multi() { return multi_test_; }
   bool wants_multi_test() const { return tests_multi_ && multi_test_.now() != multi_test::state::allowed; }

 private:
   static constexpr std::size_t outbox_aim = 64 * 1024;  // enough for one write; the rest can still be taken back

   std::size_t in_flight_;
   std::size_t in_flight_before_first_reply_;
   bool tests_multi_;
   bool leaving_ = false;
   std::string leaving_why_;
   time_point leaving_since_ = {};
   time_point last_left_ = {};  // a fixed server, as it was no master
   multi_test multi_test_;      // of the present connection
   bool tests_idle_ = false;
   bool first_reply_ = false;  // the present connection has answered a command
};

// Whether an error reply says that its node is no master. The words of a script or a module say nothing of the node.
bool says_no_master(std::string_view error_text);

}  // namespace holdfast::impl
