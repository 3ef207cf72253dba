// Who was promoted and when, found out independently of the client and of the Sentinels' news.
#pragma once

#include "lab/deployment.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace holdfast::lab {

struct promotion {
   endpoint node = {};
   clock::time_point at = {};        // the checker's own connection to the node, then a replica, ended
   clock::time_point accepted = {};  // a write on a new connection was accepted (a few tenths of a millisecond later)
};

// A replica that is made a master ends the connections of its normal clients in the same transaction (Sentinel sends
// MULTI, SLAVEOF NO ONE, CLIENT KILL TYPE normal, EXEC): the end of our own connection marks the moment, to the time
// that a wake-up takes. That it was no other end is confirmed by a write, to the key "lab:promotion". Where the role is
// moved otherwise (fault::past_the_sentinels), no connection ends: then each node is asked for its role, every
// millisecond.
class promotion_watch {
 public:
   enum class sign { end, role };
   // One thread for each node. Returns when all are watched (unreachable ones as soon as they can be).
   explicit promotion_watch(deployment&, sign = sign::end);
   ~promotion_watch();
   promotion_watch(const promotion_watch&) = delete;
   promotion_watch& operator=(const promotion_watch&) = delete;

   // In the order of their moments.
   std::vector<promotion> seen() const;
   std::optional<promotion> first() const;

 private:
   struct state;
   std::unique_ptr<state> state_;
};

// Which master each Sentinel names, asked every millisecond.
struct naming {
   std::size_t sentinel = 0;
   endpoint master = {};
   clock::time_point at = {};
};

class naming_watch {
 public:
   // One thread for each Sentinel. Returns when each has named a master.
   explicit naming_watch(deployment&);
   ~naming_watch();
   naming_watch(const naming_watch&) = delete;
   naming_watch& operator=(const naming_watch&) = delete;

   // All changes since the watch began, in the order of their moments: what they named at first is not among them.
   std::vector<naming> changes() const;
   std::optional<naming> first() const;
   // Whether some Sentinel changed its mind more often: a failover followed those that were expected.
   bool more_failovers_than(unsigned expected) const;

 private:
   struct state;
   std::unique_ptr<state> state_;
};

// The last of the failovers that were expected: its promotion, and when a Sentinel first named its master.
struct failover {
   promotion promoted = {};
   std::optional<clock::time_point> named_at = {};
};

// Empty: there were not so many yet. Where one was expected, the first naming is its.
std::optional<failover> last_expected(const std::vector<promotion>&, const std::vector<naming>&, std::size_t expected);

}  // namespace holdfast::lab
