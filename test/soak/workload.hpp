// One client that goes through all classes of commands at random, and compares each answer with its own order.
#pragma once

#include "soak/judge.hpp"

#include <holdfast/holdfast.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string_view>
#include <thread>

namespace holdfast::soak {

enum class sort : std::uint8_t { read, set, expiring, incr, push, transaction, script, queue_push, blocking_pop };
inline constexpr std::array<std::string_view, 9> names_of_sorts = {
   "read", "set", "expiring", "incr", "push", "transaction", "script", "queue push", "blocking pop"};

struct totals {
   std::uint64_t acked = 0;
   std::uint64_t not_executed = 0;
   std::uint64_t unknown = 0;
   std::uint64_t executed = 0;

   totals& operator+=(const totals&);
};
using table = std::array<totals, names_of_sorts.size()>;

std::int64_t wall_now();

// What one key may hold, by the order of the only client that writes it. Numbers; 0 stands for nothing.
class expected_value {
 public:
   void wrote(std::uint64_t number, bool certain);
   void forget() { anything_ = true; }  // another master may lack any of it
   bool may_be(std::uint64_t number);   // and is, from now on

 private:
   std::set<std::uint64_t> possible_ = {0};
   bool anything_ = false;
};

// What a counter or the length of a list answers: it rises by one with each write, and by those that may have run.
class expected_rise {
 public:
   void maybe() { ++maybe_; }
   void forget() { last_.reset(); }
   bool may_be(std::int64_t answer);
   std::string before() const { return before_; }  // the last answer, in words: what it was compared with

 private:
   std::string before_ = {};
   std::optional<std::int64_t> last_ = {};
   std::int64_t maybe_ = 0;
};

class workload {
 public:
   // `through` may be null: the client then asks the Sentinels itself. `restarts` counts the masters that were killed
   // and started again: until it hears of the new one, a client takes such a node, and what it had saved, for the
   // master.
   workload(unsigned number, config, const deployment* through, std::uint64_t seed,
            const std::atomic<unsigned>& restarts);
   void finish();  // the call in flight ends first

   table so_far() const;
   std::size_t violations() const { return wrong_.load(); }
   // After `finish`.
   journal take_journal() { return std::move(journal_); }
   const std::vector<std::string>& wrong_answers() const { return wrong_answers_; }

 private:
   struct call {
      sort what = sort::read;
      std::uint64_t number = 0;
      std::size_t reply = 0;  // its place in the list
   };
   void step();
   void add(sort);
   void settle(const call&, const result<value>&, const told& times, bool same_master);
   void expect(bool right, const call&, const result<value>&);
   bool answer_fits(const call&, const value&);
   void failed(const call&);
   unsigned moves() const { return moves_ + restarts_; }

   std::string id_;
   const std::atomic<unsigned>& restarts_;
   std::mt19937_64 random_;
   client redis_;
   std::uint64_t last_number_ = 0;
   std::vector<command> list_ = {};
   std::vector<call> calls_ = {};
   unsigned moves_ = 0;  // from one master to another
   bool loose_ = false;  // what was given up without a fence may still run: answers prove nothing until the next move
   endpoint master_ = {};
   std::uint64_t epoch_ = 0;
   expected_value value_ = {};
   expected_value expiring_ = {};
   expected_rise counter_ = {};
   expected_rise length_ = {};
   std::deque<std::uint64_t> queue_ = {};  // pushed for certain and not popped; empty where that is not known
   std::uint64_t popped_ = 0;
   journal journal_ = {};
   std::vector<std::string> wrong_answers_ = {};
   std::atomic<std::size_t> wrong_ = 0;
   mutable std::mutex guard_;
   table table_ = {};  // by guard_
   std::jthread thread_;
};

}  // namespace holdfast::soak
