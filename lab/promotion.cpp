#include "lab/promotion.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace holdfast::lab {
namespace {

constexpr milliseconds look_again(5);
constexpr milliseconds patience_for_one_answer(200);

// On a busy machine a wake-up may take milliseconds, by which a promotion would be seen too late, in the client's
// favour. Not everybody is allowed to ask for better; then it stays as it is.
void wake_before_others() { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -10); }

// Whether the other side has ended the connection, or does within a moment.
bool has_ended(const control& connection) {
   pollfd watched = {connection.descriptor(), POLLIN, 0};
   return ::poll(&watched, 1, 20) > 0;
}

}  // namespace

// ---- promotions ----------------------------------------------------------------------------------------------------

struct promotion_watch::state {
   mutable std::mutex guard;
   std::vector<promotion> seen;
   std::atomic<std::size_t> armed = 0;
   std::vector<std::jthread> threads;  // last: they end before what they use

   void watch(const std::stop_token& stop, const endpoint& where, const endpoint& known_as, const credentials& who);
   void ask(const std::stop_token& stop, const endpoint& where, const endpoint& known_as, const credentials& who);
   bool confirm(control& connection, const endpoint& known_as, clock::time_point ended);
};

bool promotion_watch::state::confirm(control& connection, const endpoint& known_as, clock::time_point ended) {
   if (connection.ask({"SET", "lab:promotion", to_string(known_as)}).text != "OK") return false;
   const promotion p = {known_as, ended, clock::now()};
   const std::lock_guard lock(guard);
   seen.insert(std::upper_bound(seen.begin(), seen.end(), p, [](auto& a, auto& b) { return a.at < b.at; }), p);
   return true;
}

void promotion_watch::state::watch(const std::stop_token& stop, const endpoint& where, const endpoint& known_as,
                                   const credentials& who) {
   wake_before_others();
   bool counted = false;
   std::optional<clock::time_point> ended;  // of a connection to what was a replica then; until it is known why
   while (!stop.stop_requested()) {
      try {
         control connection(where, who, patience_for_one_answer);
         if (ended && confirm(connection, known_as, *ended)) ended.reset();
         bool replica = connection.role() == "slave";
         if (replica) ended.reset();
         if (!std::exchange(counted, true)) ++armed;
         if (ended) {  // a master that does not take writes yet
            std::this_thread::sleep_for(look_again);
            continue;
         }
         while (!has_ended(connection)) {
            if (stop.stop_requested()) return;
            // A master may be made a replica since it was connected to, and end no connection for it.
            replica = replica || connection.role() == "slave";
         }
         if (replica) ended = clock::now();
      } catch (const control_error&) {
         // Unreachable, stopped, slow, or demoted just now: look again.
         if (!std::exchange(counted, true)) ++armed;
         std::this_thread::sleep_for(look_again);
      }
   }
}

void promotion_watch::state::ask(const std::stop_token& stop, const endpoint& where, const endpoint& known_as,
                                 const credentials& who) {
   wake_before_others();
   bool counted = false;
   bool replica = false;                    // when it was asked last
   std::optional<clock::time_point> ended;  // its time as a replica
   while (!stop.stop_requested()) {
      try {
         control connection(where, who, patience_for_one_answer);
         while (!stop.stop_requested()) {
            const bool was = std::exchange(replica, connection.role() == "slave");
            if (was && !replica) ended = clock::now();
            if (replica) ended.reset();
            if (ended && confirm(connection, known_as, *ended)) ended.reset();
            if (!std::exchange(counted, true)) ++armed;
            std::this_thread::sleep_for(milliseconds(1));
         }
      } catch (const control_error&) {
         if (!std::exchange(counted, true)) ++armed;
         std::this_thread::sleep_for(look_again);
      }
   }
}

promotion_watch::promotion_watch(deployment& d, sign by) : state_(std::make_unique<state>()) {
   for (std::size_t i = 0; i < d.nodes(); ++i) {
      const server& node = d.node(i);
      state_->threads.emplace_back([s = state_.get(), by, where = node.own_address(), known_as = node.address(),
                                    who = d.options().node_login](const std::stop_token& stop) {
         by == sign::end ? s->watch(stop, where, known_as, who) : s->ask(stop, where, known_as, who);
      });
   }
   await("all nodes are watched", [&] { return state_->armed == d.nodes(); }, milliseconds(5000), milliseconds(1));
}

promotion_watch::~promotion_watch() = default;

std::vector<promotion> promotion_watch::seen() const {
   const std::lock_guard lock(state_->guard);
   return state_->seen;
}

std::optional<promotion> promotion_watch::first() const {
   const std::lock_guard lock(state_->guard);
   return state_->seen.empty() ? std::nullopt : std::optional(state_->seen.front());
}

// ---- what the Sentinels name ---------------------------------------------------------------------------------------

struct naming_watch::state {
   mutable std::mutex guard;
   std::vector<naming> changes;
   std::atomic<std::size_t> named = 0;
   std::vector<std::jthread> threads;

   void watch(const std::stop_token& stop, std::size_t sentinel, const endpoint& where, const credentials& who,
              const std::string& name);
};

void naming_watch::state::watch(const std::stop_token& stop, std::size_t sentinel, const endpoint& where,
                                const credentials& who, const std::string& name) {
   endpoint last;
   while (!stop.stop_requested()) {
      try {
         control connection(where, who, patience_for_one_answer);
         while (!stop.stop_requested()) {
            const reply r = connection.ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name});
            const auto now = clock::now();
            if (r.elements.size() == 2) {
               const endpoint master = {r.elements[0].text, static_cast<std::uint16_t>(std::stoi(r.elements[1].text))};
               if (last.empty()) {
                  ++named;
               } else if (master != last) {
                  const std::lock_guard lock(guard);
                  changes.push_back({sentinel, master, now});
               }
               last = master;
            }
            std::this_thread::sleep_for(milliseconds(1));
         }
      } catch (const control_error&) {
         std::this_thread::sleep_for(look_again);
      }
   }
}

naming_watch::naming_watch(deployment& d) : state_(std::make_unique<state>()) {
   for (std::size_t i = 0; i < d.sentinels(); ++i) {
      state_->threads.emplace_back(
         [s = state_.get(), i, where = d.sentinel(i).address(), who = d.options().sentinel_login,
          name = d.options().master_name](const std::stop_token& stop) { s->watch(stop, i, where, who, name); });
   }
   await(
      "every Sentinel names a master", [&] { return state_->named == d.sentinels(); }, milliseconds(5000),
      milliseconds(1));
}

naming_watch::~naming_watch() = default;

std::vector<naming> naming_watch::changes() const {
   std::vector<naming> all;
   {
      const std::lock_guard lock(state_->guard);
      all = state_->changes;
   }
   std::stable_sort(all.begin(), all.end(), [](const naming& a, const naming& b) { return a.at < b.at; });
   return all;
}

std::optional<naming> naming_watch::first() const {
   const auto all = changes();
   return all.empty() ? std::nullopt : std::optional(all.front());
}

bool naming_watch::more_failovers_than(unsigned expected) const {
   std::map<std::size_t, unsigned> changed;
   for (const naming& n : changes())
      if (++changed[n.sentinel] > expected) return true;
   return false;
}

std::optional<failover> last_expected(const std::vector<promotion>& promotions, const std::vector<naming>& namings,
                                      std::size_t expected) {
   if (expected == 0 || promotions.size() < expected) return std::nullopt;
   failover last = {.promoted = promotions[expected - 1]};
   const auto named = std::find_if(namings.begin(), namings.end(),
                                   [&](const naming& n) { return expected == 1 || n.master == last.promoted.node; });
   if (named != namings.end()) last.named_at = named->at;
   return last;
}

}  // namespace holdfast::lab
