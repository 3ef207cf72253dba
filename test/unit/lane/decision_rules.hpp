// The decision as a table: what a failed command comes to, in words that can be held against docs/faults.md. The first
// row that matches counts. Written from the rules, not from the code that it tests.
#pragma once

#include "unit/lane/situations.hpp"

#include <chrono>
#include <vector>

namespace holdfast::impl::test {

// What a row expects. Where the connection broke, the code says whether it was lost or unintelligible.
struct expectation {
   decision then = {};
   bool code_of_the_fault = false;

   decision in(const situation& s) const {
      decision d = then;
      if (code_of_the_fault) {
         d.code = s.fault == fault::broken_protocol ? errc::protocol_error : errc::connection_lost;
      }
      return d;
   }
};

namespace expected {

inline expectation end(outcome o, errc c) { return {{next_step::complete, o, c, {}}, false}; }
inline expectation leaves(int base, int cap) {
   const pause p{std::chrono::milliseconds(base), std::chrono::milliseconds(cap)};
   return {{next_step::rediscover_then_resend, outcome::not_executed, errc::server_error, p}, false};
}
inline expectation stays(int base, int cap) {
   const pause p{std::chrono::milliseconds(base), std::chrono::milliseconds(cap)};
   return {{next_step::resend, outcome::not_executed, errc::server_error, p}, false};
}
inline const expectation parks{{next_step::park, outcome::not_executed, errc::connection_lost, {}}, false};
inline const expectation resends_it{{next_step::rediscover_then_resend, outcome::unknown, errc::connection_lost, {}},
                                    true};
inline const expectation is_unknown{{next_step::complete, outcome::unknown, errc::connection_lost, {}}, true};
inline const expectation unknown_late = end(outcome::unknown, errc::deadline_exceeded);
inline const expectation unknown_poor = end(outcome::unknown, errc::retry_budget_exhausted);
inline const expectation not_run_late = end(outcome::not_executed, errc::deadline_exceeded);
inline const expectation not_run_lost = end(outcome::not_executed, errc::connection_lost);
inline const expectation not_run_poor = end(outcome::not_executed, errc::retry_budget_exhausted);
inline const expectation says_no = end(outcome::not_executed, errc::server_error);
inline const expectation it_may_have = end(outcome::unknown, errc::server_error);
inline const expectation too_much = end(outcome::executed, errc::limit_exceeded);
inline const expectation it_ran = end(outcome::executed, errc::server_error);

}  // namespace expected

namespace patterns {

inline constexpr auto _ = any;
inline constexpr of<seen> unwritten = seen::unwritten;
inline constexpr of<seen> unanswered = of(seen::lost) | seen::garbled;
// Gates that are worth waiting for: asked again later, or elsewhere, the same command may run.
inline constexpr of<seen> elsewhere = of(seen::readonly) | seen::master_down | seen::demoted;
inline constexpr of<seen> later = of(seen::loading) | seen::busy | seen::oom | seen::no_replicas | seen::try_again;
inline constexpr of<seen> passing = elsewhere | later | seen::misconf | seen::refused | seen::no_auth | seen::no_perm;
// The classes of docs/faults.md.
inline constexpr of<impl::repeat_class> class_r = impl::repeat_class::readonly;
inline constexpr of<impl::repeat_class> class_jkn =
   of(impl::repeat_class::same_state) | impl::repeat_class::result_lost | impl::repeat_class::not_repeatable;
inline constexpr of<impl::repeat_class> class_x = impl::repeat_class::never;
inline constexpr of<delivery> at_most_once = delivery::at_most_once;
inline constexpr of<delivery> at_least_once = delivery::at_least_once;
inline constexpr of<fencing> no_fence = fencing::impossible;
inline constexpr of<gates_met> again = ~of(gates_met::none);

}  // namespace patterns

struct rule_of_a_loss {
   const char* because;
   of<seen> what;
   of<impl::repeat_class> repeats;
   of<delivery> promise;
   of<fencing> fenced;
   of<clock> time;
   of<resends> cap;
   of<purse> budget;
   of<binding> to;
   expectation then;
};

struct rule_of_a_reply {
   const char* because;
   of<seen> what;
   of<outcome> proves;
   of<impl::repeat_class> repeats;
   of<clock> time;
   of<resends> cap;
   of<gates_met> met;  // before this one
   of<purse> budget;
   of<master> node;
   of<binding> to;
   expectation then;
};

inline const auto& rules_of_losses() {
   using namespace patterns;
   using namespace expected;
   using enum clock;
   using enum resends;
   using enum purse;
   using enum binding;
   // clang-format off
   static const rule_of_a_loss table[] = {
   // because                           what       repeats   promise        fenced time cap   budget to then
   // ---- its last byte was never written: no server can have parsed it
   {"unwritten, no time is left",        unwritten, _,        _,             _,    late,_,    _, _, not_run_late},
   {"its connection is gone",            unwritten, _,        _,             _,    _,   _,    _, pinned, not_run_lost},
   {"it waits for a master",             unwritten, _,        _,             _,    _,   _,    _, _, parks},
   // ---- it was answered
   {"the answer is over a limit",        of(seen::too_large),_,_,    _,       _,   _,    _, _, too_much},
   // ---- written whole, and no reply came: it may have run, and may run yet
   {"no other connection can have it",   unanswered,_,        _,             _,    _,   _,    _, pinned, is_unknown},
   {"X is never sent twice",             unanswered,class_x,  _,             _,    _,   _,    _, _, is_unknown},
   {"the caller forbids a second time",  unanswered,_,        at_most_once,  _,    _,   _,    _, _, is_unknown},
   {"only at_least_once repeats J K N",  unanswered,class_jkn,~at_least_once,_,    _,   _,    _, _, is_unknown},
   {"only R needs no fence",             unanswered,~class_r, _,             no_fence,_,_,    _, _, is_unknown},
   {"nothing is sent after its deadline",unanswered,_,        _,             _,    late,_,    _, _, unknown_late},
   {"resent as often as allowed",        unanswered,_,        _,             _,    _,   spent,_, _, is_unknown},
   {"no budget, no resend",              unanswered,_,        _,             _,    _,   _,    empty, _, unknown_poor},
   {"a second run harms nobody",         unanswered,_,        _,             _,    _,   _,    _, _, resends_it},
   };
   // clang-format on
   return table;
}

inline const auto& rules_of_replies() {
   using namespace patterns;
   using namespace expected;
   using enum seen;
   using enum outcome;
   using enum clock;
   using enum resends;
   using enum gates_met;
   using enum purse;
   using enum master;
   using enum binding;
   // clang-format off
   static const rule_of_a_reply table[] = {
   // because                          what        proves   repeats time cap   met   budget node to then
   {"it ran, in part at least",         _,          executed,_,      _,   _,    _,    _,     _,   _, it_ran},
   {"the reply proves nothing",         _,          unknown, _,      _,   _,    _,    _,     _,   _, it_may_have},
   {"the same again, whenever asked",   ~passing,   _,       _,      _,   _,    _,    _,     _,   _, says_no},
   {"no other connection can have it",  _,          _,       _,      _,   _,    _,    _,     _,   pinned, says_no},
   {"X is meant for this very node",    _,          _,       class_x,_,   _,    _,    _,     _,   _, says_no},
   {"the ACL says no",                  no_perm,    _,       _,      _,   _,    _,    _,     old, _, says_no},
   {"a new master's ACL, asked twice",  no_perm,    _,       _,      _,   _,    again,_,     _,   _, says_no},
   {"one more AUTH has not helped",     no_auth,    _,       _,      _,   _,    again,_,     _,   _, says_no},
   {"memory that is full stays full",   oom,        _,       _,      _,   _,    three,_,     _,   _, says_no},
   {"a gate, no time is left",          _,          _,       _,      late,_,    _,    _,     _,   _, not_run_late},
   {"a gate, sent as often as allowed", _,          _,       _,      _,   spent,_,    _,     _,   _, says_no},
   {"a gate, no budget",                _,          _,       _,      _,   _,    _,    empty, _,   _, not_run_poor},
   {"no master (any more): find it",    elsewhere,  _,       _,      _,   _,    _,    _,     _,   _, leaves(0, 500)},
   {"a new connection authenticates",   no_auth,    _,       _,      _,   _,    _,    _,     _,   _, leaves(0, 500)},
   {"a new master's ACL, asked again",  no_perm,    _,       _,      _,   _,    _,    _,     _,   _, leaves(50, 500)},
   {"its disk fails, so it is replaced",misconf,    _,       _,      _,   _,    _,    _,     _,   _, leaves(50, 500)},
   {"it is full of clients",            refused,    _,       _,      _,   _,    _,    _,     _,   _, leaves(500, 5000)},
   {"its replicas are on their way",    no_replicas,_,       _,      _,   _,    _,    _,     _,   _, stays(50, 500)},
   {"slots are moving",                 try_again,  _,       _,      _,   _,    _,    _,     _,   _, stays(20, 500)},
   {"it will be ready in a while",      later,      _,       _,      _,   _,    _,    _,     _,   _, stays(100, 1000)},
   };
   // clang-format on
   return table;
}

// Both as one.
struct rule {
   const char* because;
   of<seen> what;
   of<outcome> proves;
   of<impl::repeat_class> repeats;
   of<delivery> promise;
   of<fencing> fenced;
   of<clock> time;
   of<resends> cap;
   of<gates_met> met;
   of<purse> budget;
   of<master> node;
   of<binding> to;
   expectation then;

   bool matches(const situation_name& n) const {
      return what.has(n.what) && proves.has(n.s.reply.ran) && repeats.has(n.s.repeats) && promise.has(n.s.delivery) &&
             fenced.has(n.fence) && time.has(n.time) && cap.has(n.cap) && met.has(n.met) && budget.has(n.budget) &&
             node.has(n.node) && to.has(n.to);
   }
};

inline const std::vector<rule>& rules() {
   static const std::vector<rule> all = [] {
      constexpr auto _ = any;
      std::vector<rule> both;
      for (const auto& l : rules_of_losses())
         both.push_back(
            {l.because, l.what, _, l.repeats, l.promise, l.fenced, l.time, l.cap, _, l.budget, _, l.to, l.then});
      for (const auto& r : rules_of_replies())
         both.push_back(
            {r.because, r.what, r.proves, r.repeats, _, _, r.time, r.cap, r.met, r.budget, r.node, r.to, r.then});
      return both;
   }();
   return all;
}

}  // namespace holdfast::impl::test
