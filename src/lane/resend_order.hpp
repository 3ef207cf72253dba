// Which lost writes must not be sent again. If a newer command about the same data has run, or may have, an older write
// that is sent behind it could leave a state that no order of the two gives, and an older read would answer from the
// future. A lane is one group, whose commands take effect in the given order: rule 4 of docs/architecture.md.
//
// It holds what waits to be sent again, by what that touches, and answers with lists of operations that are to end.
// To put in or take out is a step. Keys are looked at only once a question is about them; then each question costs a
// logarithm for each key of the command that it is about, whatever waits.
#pragma once

#include "lane/decision.hpp"
#include "lane/footprint.hpp"
#include "lane/ledger.hpp"
#include "lane/touched_keys.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <tuple>
#include <vector>

namespace holdfast::impl {

// A command that was in flight when its connection was lost.
struct lost_command {
   operation* op = nullptr;  // null: its caller has left
   footprint left = {};      // then: what it touched, if it is a write
   std::uint64_t sequence = 0;
   written state = written::nothing;
   bool remains = false;     // it may have changed something
   bool ran_before = false;  // or an attempt before may have
   decision then = {};
   bool overtaken = false;
   bool free = false;  // of the retry budget
};

class resend_order {
 public:
   void add(operation&);
   void remove(operation& op) {
      if (op.waits != operation::order::none) take_out(op);
   }
   bool empty() const { return size_ == 0; }
   std::size_t size() const { return size_; }
   bool has_transactions() const { return transactions_ != 0; }
   std::vector<operation*> all() const { return older_than(never_reached); }  // the oldest first
   std::vector<operation*> older_than(std::uint64_t sequence) const;

   // Whether an older one waits that may change what `op` reads, or writes: its reply is not yet the one that the given
   // order gives.
   bool has_older_writer(const operation& op) const;
   // The older ones that must not be sent any more because a newer write, which touches `ran`, has run: all writes of
   // its order group, and whatever is about the same data. The oldest first.
   std::vector<operation*> overtaken_by(const footprint& ran, std::uint64_t sequence) const;

   // A connection was lost: forbids some of `lost` (the oldest first) to be sent again, and some of what waits.
   struct overtaken {
      std::vector<operation*> unanswered;  // they end
      std::vector<operation*> answered;    // the oldest first: they end, with their answer if that counts in the end
   };
   overtaken forbid(std::vector<lost_command>& lost);
   // `gone` may have run and will not be sent again, as they end. Which older writes end with them, of those that wait
   // and of `unsent` (the newest first), which were written and can be taken back. The newest first; they wait here no
   // more. What is in flight from `oldest` on (null: nothing) goes on, and is not sent once more.
   std::vector<operation*> forbid_behind(const std::vector<operation*>& gone, std::vector<operation*> unsent,
                                         const ledger_slot* oldest);
   // Whether a newer one of `gone` ended while this one was in flight, about the same data.
   bool is_behind_gone(const operation& op) { return op.sequence < newest_gone_ && gone_.may_concern(op); }

   // ---- what was answered, without a trace on the server, while an older one waits that the answer should have seen
   // ----
   void keep(operation&, operation::answer) const;
   // Whether the answer is what the given order gives: no older one waits or is in flight (`oldest_in_flight`; null:
   // none) that it should have seen, nor has one run since.
   bool answer_counts(const operation&, const ledger_slot* oldest_in_flight) const;
   void count_reruns(unsigned n) { reruns_ += n; }  // writes that were sent again and have run, or may have

   std::uint64_t steps() const;  // that `add` and `forbid_behind` took so far, beyond one for each that was added

 private:
   // A command of more arguments counts as one that touches everything.
   static constexpr std::size_t most_arguments = 1000;
   static constexpr std::uint64_t never_reached = static_cast<std::uint64_t>(-1);

   struct marked {
      std::size_t mark = 0;
      std::uint64_t sequence = 0;
      operation* op = nullptr;
      friend bool operator<(const marked& a, const marked& b) {
         return std::tie(a.mark, a.sequence) < std::tie(b.mark, b.sequence);
      }
   };
   // Those that write, or those that only read; by what they touch. Each is in one list, ordered by sequence.
   struct side {
      waiting_list nothing = {};
      waiting_list everything = {};
      mutable waiting_list keys = {};     // those not in `by_mark` yet
      mutable waiting_list indexed = {};  // those in `by_mark`
      mutable std::set<marked> by_mark = {};

      void index() const;
      bool has_keys_before(std::uint64_t sequence) const;
      bool has_older(std::size_t mark, std::uint64_t sequence) const;
      void take_older(std::size_t mark, std::uint64_t than, std::vector<operation*>& into) const;
      template <class Touching>
      void take_conflicting(const Touching&, reach, std::uint64_t older_than, std::vector<operation*>& into) const;
   };
   static reach reach_of(const operation&);
   void take_out(operation&);
   void take_overtaken_writes(const footprint& ran, std::uint64_t sequence, std::vector<operation*>& into) const;
   std::array<const waiting_list*, 8> lists() const;
   void remember_gone(const std::vector<operation*>& gone, const std::vector<operation*>& with_them,
                      const ledger_slot* oldest);
   side& side_of(const operation& op) { return op.reads_only ? readers_ : writers_; }
   waiting_list& list_of(const operation& op);
   template <class F>
   static void own_marks(const operation&, F&&);

   side writers_;
   side readers_;
   std::size_t size_ = 0;
   std::uint64_t group_ = 0;       // of the first of these
   bool is_mixed_ = false;         // others have been of other groups
   std::size_t transactions_ = 0;  // of these
   touched_keys gone_ = {};        // of what forbid_behind was told of while older ones were in flight
   std::uint64_t newest_gone_ = 0;
   std::uint64_t reruns_ = 0;
   std::uint64_t steps_ = 0;
};

}  // namespace holdfast::impl
