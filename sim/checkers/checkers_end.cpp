// The checkers of a world that is over: its surviving history, and what the last master holds.
#include "sim/checkers/checkers.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace holdfast::sim {

// Where each command ran last in the surviving history; 0: it is no part of it.
std::vector<std::uint64_t> checkers::last_runs(place master) {
   std::vector<std::uint64_t> last(calls_.size());
   words w;
   past_.each_between({}, master, [&](place behind, std::string_view bytes) {
      take_write(bytes, w);
      call_number n = 0;
      if (find(w, n) != nullptr) last[n] = behind.offset;
   });
   return last;
}

void checkers::final_history(place master) {
   const auto last = last_runs(master);
   check_order(last, master);
   check_overtaking(last);
   check_databases();
   check_reads();
   for (call_number n = 1; n < calls_.size(); ++n) {
      const call& c = calls_[n];
      if (!c.done) broken(name(n) + " never ended");
      if (c.ran_late && past_.leads_to(c.late, master))
         broken(name(n) + " ran after its outcome was reported, and not as one that is not fenced");
      if (is_transaction(c.kind) && c.runs != c.second_part) broken(name(n) + " ran in part");
      if (changes_data(c.kind) && c.acknowledged && !past_.leads_to(c.behind, master)) check_loss(n, c, master);
   }
}

// In the surviving history the commands of a client's order group stand in the order in which it gave them: nothing
// older runs (again) behind a newer one that was acknowledged. What ran late, after it was reported, is not part of
// that history.
void checkers::check_order(const std::vector<std::uint64_t>& last_run, place master) {
   // From the newest to the oldest: the earliest run of a newer one that was acknowledged.
   std::map<std::pair<std::uint32_t, std::uint32_t>, call_number> newer;  // by client and group
   for (call_number n = static_cast<call_number>(calls_.size()); n-- > 1;) {
      const call& c = calls_[n];
      // Where nothing can be fenced, what was left behind with a node that comes back is late there.
      if (last_run[n] == 0 || c.unfenced || (c.left_behind && !servers_fence)) continue;
      call_number& earliest = newer[{c.client, c.group}];
      if (earliest != 0 && last_run[earliest] < last_run[n])
         broken(name(n) + " ran after " + name(earliest) + ", which was given later");
      // A SETNX that finds its key leaves no trace: when it ran last can't be seen.
      if (c.acknowledged && c.kind != call_kind::set_once && past_.leads_to(c.behind, master) &&
          (earliest == 0 || last_run[n] < last_run[earliest]))
         earliest = n;
   }
}

// Nothing older is sent behind a newer write to the same keys that ran, whatever its caller was told of it. (Where both
// were sent again, and in order, it is as if they had run only then.)
void checkers::check_overtaking(const std::vector<std::uint64_t>& last_run) {
   // From the newest to the oldest: of those that ran, the one that was sent the last time first of all.
   std::vector<std::array<call_number, key_letters.size()>> newer(clients_.size());
   for (call_number n = static_cast<call_number>(calls_.size()); n-- > 1;) {
      const call& c = calls_[n];
      if (last_run[n] == 0) continue;
      for (std::size_t k = 0; k < key_letters.size(); ++k) {
         if ((written_by(c.kind) >> k & 1U) == 0) continue;
         call_number& first = newer[c.client][k];
         if (first != 0 && calls_[first].sent_as < c.sent_as && last_run[first] < last_run[n])
            broken(name(n) + " was sent and ran behind " + name(first) + ", which was given later");
         if (first == 0 || c.sent_as < calls_[first].sent_as) first = n;
      }
   }
}

// An acknowledged write is lost only as asynchronous replication loses it: a node had been promoted without it, or the
// Sentinels left the one that it ran on for one of before; or by a restart that brings back what had been saved.
void checkers::check_loss(call_number n, const call& c, place master) {
   ++figures_.lost;
   if (c.heir != nowhere) ++figures_.lost_selected;
   const auto promotion = [&](std::optional<std::uint32_t> branch) -> const branch_record* {
      const bool is_one = branch && *branch < branches_.size() && branches_[*branch].promoted != nowhere;
      return is_one ? &branches_[*branch] : nullptr;
   };
   const history::parting ways = past_.part(c.behind, master);
   const branch_record* const winner = promotion(ways.to_head);
   if (winner != nullptr && c.ran_at > winner->began) ++figures_.lost_late;
   if (winner != nullptr && c.is_held && winner->promoted == c.heir)
      broken(name(n) + " was acknowledged and is lost, though its client had read that host " + std::to_string(c.heir) +
             " was selected, which was then promoted");
   if (winner != nullptr || promotion(ways.to_p) != nullptr) return;
   ++figures_.lost_unsaved;
   if (!servers_forget || (!ways.to_p && !ways.to_head))
      broken(name(n) + " was acknowledged and is lost, and neither a promotion nor a restart explains it");
}

// The data are, byte for byte, what the surviving history makes of them.
void checkers::final_data(place master, const dataset& data) {
   struct content {
      long long sum = 0;
      bool counted = false;
      std::vector<std::string> list;
      std::string text;
      std::string once;
   };
   constexpr std::size_t databases = 2;  // that the workloads use
   std::vector<content> held(clients_.size() * databases);
   words w;
   past_.each_between({}, master, [&](place, std::string_view bytes) {
      const unsigned database = take_write(bytes, w);
      call_number n = 0;
      const call* const c = find(w, n);
      if (c == nullptr || database >= databases || w.size() < 3 || w[1].empty())
         return broken("a server ran what no client gave: " + std::string(bytes));
      content& h = held[c->client * databases + database];
      switch (w[1].front()) {
         case 'c':
            h.sum += n;
            h.counted = true;
            break;
         case 'l': h.list.emplace_back(w[2]); break;
         case 's': h.text = w[2]; break;
         default:
            if (h.once.empty()) h.once = w[2];
      }
   });
   for (std::uint32_t i = 0; i < held.size(); ++i) {
      const content& h = held[i];
      const unsigned database = i % databases;
      const std::string who = std::to_string(i / databases);
      const auto compare = [&](const std::string& key, bool any, const std::string& expected) {
         const std::string* const text = data.text(key, database);
         if ((text != nullptr) != any || (any && *text != expected))
            broken(key + " is " + (text == nullptr ? "missing" : *text) + ", and by its history it is " +
                   (any ? expected : "missing"));
      };
      compare("c" + who, h.counted, std::to_string(h.sum));
      compare("s" + who, !h.text.empty(), h.text);
      compare("n" + who, !h.once.empty(), h.once);
      const auto* const list = data.list("l" + who, database);
      if ((list != nullptr) != !h.list.empty() || (list != nullptr && *list != h.list))
         broken("l" + who + " is not what its history says");
   }
}

}  // namespace holdfast::sim
