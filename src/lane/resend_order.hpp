// What waits to be sent again, by what it touches: who stands behind whom. A lane is one group, whose commands take
// effect in the given order: rule 4 of docs/architecture.md.
//
// To put in or take out is a step. Keys are looked at only once a question is about them; then each question costs a
// logarithm for each key of the command that it is about, whatever waits.
#pragma once

#include "lane/footprint.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

namespace holdfast::lane {

class resend_order {
 public:
   void add(operation&);
   void remove(operation&);
   bool empty() const { return size_ == 0; }
   std::size_t size() const { return size_; }
   std::vector<operation*> all() const { return older_than(never_reached); }  // the oldest first
   std::vector<operation*> older_than(std::uint64_t sequence) const;

   // Whether an older one waits that may change what `op` reads, or writes: its reply is not yet the one that the given
   // order gives.
   bool has_older_writer(const operation& op) const;
   // The older ones that must not be sent any more because a newer write, `ran`, has run (null: its caller has left, it
   // may be about anything): all writes, and reads of the same data. The oldest first.
   std::vector<operation*> overtaken_by(const operation* ran, std::uint64_t sequence) const;

   std::uint64_t steps() const;  // that `add` took so far, beyond one each

 private:
   // A command of more arguments counts as one that touches everything.
   static constexpr std::size_t most_arguments = 1000;
   static constexpr std::uint64_t never_reached = static_cast<std::uint64_t>(-1);

   struct keyed {
      std::size_t hash = 0;
      std::uint64_t sequence = 0;
      operation* op = nullptr;
      friend bool operator<(const keyed& a, const keyed& b) {
         return std::tie(a.hash, a.sequence) < std::tie(b.hash, b.sequence);
      }
   };
   // Those that write, or those that only read; by what they touch. Each is in one list, ordered by sequence.
   struct side {
      waiting_list nothing = {};
      waiting_list everything = {};
      mutable waiting_list keys = {};     // those not in `by_key` yet
      mutable waiting_list indexed = {};  // those in `by_key`
      mutable std::set<keyed> by_key = {};

      void index() const;
      bool has_keys_before(std::uint64_t sequence) const;
   };
   static reach reach_of(const operation&);
   template <class F>
   static void each_hash(const operation&, F&&);
   std::array<const waiting_list*, 8> lists() const;
   side& side_of(const operation& op) { return op.harmless ? readers_ : writers_; }
   waiting_list& list_of(const operation& op);

   side writers_;
   side readers_;
   std::size_t size_ = 0;
};

}  // namespace holdfast::lane
