// What waits to be sent again, by what it touches: who stands behind whom. A lane is one group, whose commands take
// effect in the given order: rule 4 of docs/architecture.md.
//
// Keys are looked at only while something waits. Every question costs a logarithm for each key of the command that it
// is about, whatever waits.
#pragma once

#include "lane/footprint.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace holdfast::lane {

class resend_order {
 public:
   void add(operation&);
   void remove(operation&);
   bool empty() const { return all_.empty(); }
   std::size_t size() const { return all_.size(); }
   std::vector<operation*> all() const;  // the oldest first

   // Whether an older one waits that may change what `op` reads, or writes: its reply is not yet the one that the given
   // order gives.
   bool has_older_writer(const operation& op) const;
   // The older ones that must not be sent any more because a newer write, `ran`, has run (null: its caller has left, it
   // may be about anything): all writes, and reads of the same data. The oldest first.
   std::vector<operation*> overtaken_by(const operation* ran, std::uint64_t sequence) const;

 private:
   // A command of more arguments counts as one that touches everything.
   static constexpr std::size_t most_arguments = 1000;

   using by_sequence = std::map<std::uint64_t, operation*>;
   struct keyed {
      std::size_t hash = 0;
      std::uint64_t sequence = 0;
      operation* op = nullptr;
      friend bool operator<(const keyed& a, const keyed& b) {
         return std::tie(a.hash, a.sequence) < std::tie(b.hash, b.sequence);
      }
   };
   // Those that write, and those that only read.
   struct side {
      by_sequence all = {};
      by_sequence touching = {};    // all but those that touch nothing
      by_sequence everything = {};  // those that touch everything
      std::set<keyed> by_key = {};
   };
   template <class F>
   static reach each_hash(const operation&, F&&);
   side& side_of(const operation& op) { return op.harmless ? readers_ : writers_; }

   by_sequence all_;
   side writers_;
   side readers_;
};

}  // namespace holdfast::lane
