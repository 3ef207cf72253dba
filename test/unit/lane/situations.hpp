// Every situation that `decide` can be asked about, and words for them: the whole product of its arguments, where a
// number counts only by which side of its limit it is on.
#pragma once

#include "lane/decision.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>

namespace holdfast::impl::test {

// What came of it: how much was written when the connection ended, or the class of the reply.
enum class seen : std::uint8_t {
   unwritten,  // not whole
   lost,
   too_large,
   garbled,
   // In the order of reply_class:
   readonly,
   loading,
   master_down,
   no_replicas,
   misconf,
   oom,
   busy,
   no_auth,
   wrong_password,
   no_perm,
   moved,
   try_again,
   refused,
   unblocked,
   demoted,
   script_killed,
   no_script,
   unknown_command,
   no_protocol,
   no_such_master,
   deterministic,
   already_there,
   aborted,
   protocol,
   io_error,
   script_failed,
};
inline constexpr unsigned reply_classes = static_cast<unsigned>(reply_class::script_failed) + 1;

enum class clock : std::uint8_t { early, late };
enum class resends : std::uint8_t { left, spent };
enum class gates_met : std::uint8_t { none, one, two, three };
enum class purse : std::uint8_t { filled, empty };
enum class master : std::uint8_t { old, changed };
enum class binding : std::uint8_t { free, pinned };
enum class fencing : std::uint8_t { possible, impossible };

// A set of enumerators.
struct anything {};
inline constexpr anything any{};
template <class E>
struct of {
   std::uint64_t bits = 0;
   constexpr of(anything) : bits(~std::uint64_t{0}) {}
   constexpr of(E e) : bits(std::uint64_t{1} << static_cast<unsigned>(e)) {}
   constexpr bool has(E e) const { return (bits >> static_cast<unsigned>(e) & 1) != 0; }
   friend constexpr of operator|(of a, of b) { return a.bits |= b.bits, a; }
   friend constexpr of operator~(of a) { return a.bits = ~a.bits, a; }
};

// A situation, and in which of the table's terms it falls.
struct situation_name {
   situation s = {};
   seen what = seen::lost;
   clock time = clock::early;
   resends cap = resends::left;
   gates_met met = gates_met::none;
   purse budget = purse::filled;
   master node = master::old;
   binding to = binding::free;
   fencing fence = fencing::possible;

   bool answered() const { return s.fault == fault::error_reply; }
};

inline std::string to_string(const decision& d) {
   constexpr const char* steps[] = {"park", "resend", "rediscover, then resend", "complete"};
   return std::string(steps[static_cast<std::size_t>(d.next_step)]) + ", " + std::string(to_string(d.outcome)) + ", " +
          make_error_code(d.code).message();
}

inline std::ostream& operator<<(std::ostream& out, const situation_name& n) {
   const auto& s = n.s;
   constexpr const char* faults[] = {"connection lost", "reply too large", "broken protocol"};
   if (n.answered())
      out << s.reply;
   else
      out << (s.whole ? "" : "not ") << "written whole, " << faults[static_cast<std::size_t>(s.fault)];
   out << "; " << s.repeats << "; " << to_string(s.delivery) << "; written " << s.attempts
       << " times, resends at most ";
   out << (s.max_resends ? std::to_string(*s.max_resends) : "any") << "; " << s.pushbacks << " gates met; "
       << (s.budget ? "" : "no ") << "budget; " << (s.master_is_new ? "new" : "old") << " master; "
       << (s.fence_impossible ? "no fence; " : "") << (s.now >= s.deadline ? "late" : "in time");
   return out;
}

inline const time_point hour = time_point{} + std::chrono::hours(1);

struct how_it_failed {
   seen what;
   bool whole;
   fault broke;
   reply_proof reply;
};

// Visits the whole product. `Visit` is called with each situation_name.
template <class Visit>
void for_each_situation(Visit&& visit) {
   std::array<how_it_failed, 6 + std::size_t{reply_classes} * 3> failures;
   std::size_t n = 0;
   for (const auto broke : {fault::connection_lost, fault::reply_too_large, fault::broken_protocol}) {
      const seen whole[] = {seen::lost, seen::too_large, seen::garbled};
      failures[n++] = {seen::unwritten, false, broke, {}};
      failures[n++] = {whole[static_cast<unsigned>(broke)], true, broke, {}};
   }
   for (unsigned c = 0; c < reply_classes; ++c) {
      for (const auto ran : {outcome::not_executed, outcome::unknown, outcome::executed}) {
         const auto what = static_cast<seen>(static_cast<unsigned>(seen::readonly) + c);
         failures[n++] = {what, true, fault::error_reply, {static_cast<reply_class>(c), ran}};
      }
   }
   struct cap {
      unsigned attempts;
      std::optional<unsigned> most;
      resends left;
   };
   const cap caps[] = {{1, {}, resends::left}, {1, 0, resends::spent}, {1, 1, resends::left}, {3, 2, resends::spent}};
   struct when {
      time_point deadline;
      clock time;
   };
   const when times[] = {{hour - duration(1), clock::late},
                         {hour, clock::late},
                         {hour + duration(1), clock::early},
                         {never, clock::early}};

   situation_name name;
   name.s.now = hour;
   for (const auto& f : failures) {
      name.what = f.what, name.s.whole = f.whole, name.s.fault = f.broke, name.s.reply = f.reply;
      for (unsigned r = 0; r <= static_cast<unsigned>(repeat_class::never); ++r) {
         name.s.repeats = static_cast<repeat_class>(r);
         for (const auto d :
              {delivery::automatic, delivery::at_most_once, delivery::at_least_once, delivery::exactly_once}) {
            name.s.delivery = d;
            for (const auto& c : caps) {
               name.s.attempts = c.attempts, name.s.max_resends = c.most, name.cap = c.left;
               for (unsigned met = 0; met < 4; ++met) {
                  name.s.pushbacks = met, name.met = static_cast<gates_met>(met);
                  for (unsigned bits = 0; bits < 8; ++bits) {
                     name.s.budget = (bits & 1) == 0, name.budget = static_cast<purse>(bits & 1);
                     name.s.master_is_new = (bits & 2) != 0, name.node = static_cast<master>(bits >> 1 & 1);
                     name.s.pinned = (bits & 4) != 0, name.to = static_cast<binding>(bits >> 2);
                     for (const auto fence : {fencing::possible, fencing::impossible}) {
                        name.fence = fence, name.s.fence_impossible = fence == fencing::impossible;
                        for (const auto& t : times) {
                           name.s.deadline = t.deadline, name.time = t.time;
                           visit(static_cast<const situation_name&>(name));
                        }
                     }
                  }
               }
            }
         }
      }
   }
}

}  // namespace holdfast::impl::test
