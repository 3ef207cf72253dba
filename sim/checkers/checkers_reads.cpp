// The checkers of what is read: a reply is one that the order in which a client gave its commands could have given.
// They know of each run which writes stood before it in the history of the server that ran it.
#include "sim/checkers/checkers.hpp"

#include <algorithm>
#include <functional>

namespace holdfast::sim {

std::uint64_t fingerprint(std::string_view as_sent) { return std::hash<std::string_view>()(as_sent); }

std::uint64_t fingerprint(value_view v) {
   std::string text;
   const auto add = [&](value_view one) { one.is_nil() ? (void)(text += "$-1\r\n") : add_bulk(text, one.text()); };
   if (v.kind() != kind::array) {
      add(v);
   } else {
      add_array(text, v.size());
      for (std::size_t i = 0; i < v.size(); ++i) add(v[i]);
   }
   return fingerprint(text);
}

void checkers::keep_run(call_number n, call& c, const words& w, const execution& x) {
   run r{.n = n, .before = c.latest, .behind = x.behind, .database = static_cast<std::uint8_t>(x.database)};
   if (same_word(w[0], "MGET")) {
      for (std::size_t i = 1; i + 1 < w.size(); ++i) r.reads |= static_cast<std::uint8_t>(key_bit(w[i]));
      r.reply = fingerprint(x.reply);
   } else if (x.changed) {
      r.writes = static_cast<std::uint8_t>(key_bit(w[1]));
   }
   if (c.kind == call_kind::swap) {
      // Under `at_least_once` any run's reply will do, also one from behind what was sent again with it.
      if (c.promise != delivery::at_least_once) r.reads = r.writes;
      r.reply = fingerprint(x.reply);
   }
   c.latest = static_cast<std::uint32_t>(runs_.size());
   runs_.push_back(r);
}

bool checkers::is_own_read(const call& c, std::uint64_t reply) const {
   for (std::uint32_t i = c.latest; i != 0; i = runs_[i].before) {
      if (runs_[i].reply != 0 && runs_[i].reply == reply) return true;
   }
   return false;
}

// A command runs in the database that the last SELECT before it has chosen: one that failed may have, or not.
void checkers::check_databases() {
   std::vector<unsigned> chosen(clients_.size(), 1U << first_database_);  // as bits
   for (call_number n = 1; n < calls_.size(); ++n) {
      const call& c = calls_[n];
      if (c.kind == call_kind::select && (c.acknowledged || c.ended != outcome::not_executed)) {
         const unsigned its = 1U << c.database;
         chosen[c.client] = c.acknowledged ? its : chosen[c.client] | its;
      }
      for (std::uint32_t i = c.latest; i != 0; i = runs_[i].before) {
         if ((chosen[c.client] >> runs_[i].database & 1U) == 0)
            broken(name(n) + " ran in database " + std::to_string(runs_[i].database) +
                   ", which the SELECT before it has not chosen");
      }
   }
}

// Only where something ran in another order than it was given is it looked at more closely: in the time of a read some
// older write that was acknowledged had still to run, or a newer one had run.
void checkers::check_reads() {
   struct edges {
      std::array<std::uint32_t, key_letters.size()> last{};   // the latest run of what is older, and was acknowledged
      std::array<std::uint32_t, key_letters.size()> first{};  // the earliest run of what is newer
   };
   std::vector<edges> of(clients_.size());
   for (edges& e : of) e.first.fill(~0U);
   std::vector<bool> suspicious(calls_.size());
   const auto suspect = [&](call_number n, const auto& out_of_order) {
      const call& c = calls_[n];
      for (std::uint32_t i = c.acknowledged ? c.latest : 0; i != 0; i = runs_[i].before) {
         for (std::size_t k = 0; k < key_letters.size(); ++k) {
            if ((runs_[i].reads >> k & 1U) != 0 && out_of_order(of[c.client], k, i)) suspicious[n] = true;
         }
      }
   };
   const auto each_write = [&](call_number n, const auto& f) {
      for (std::uint32_t i = calls_[n].latest; i != 0; i = runs_[i].before) {
         for (std::size_t k = 0; k < key_letters.size(); ++k) {
            if ((runs_[i].writes >> k & 1U) != 0) f(of[calls_[n].client], k, i);
         }
      }
   };
   for (call_number n = 1; n < calls_.size(); ++n) {
      suspect(n, [](const edges& e, std::size_t k, std::uint32_t i) { return e.last[k] > i; });
      if (!calls_[n].acknowledged) continue;
      each_write(n, [](edges& e, std::size_t k, std::uint32_t i) { e.last[k] = std::max(e.last[k], i); });
   }
   for (auto n = static_cast<call_number>(calls_.size()); n-- > 1;) {
      suspect(n, [](const edges& e, std::size_t k, std::uint32_t i) { return e.first[k] < i; });
      each_write(n, [](edges& e, std::size_t k, std::uint32_t i) { e.first[k] = std::min(e.first[k], i); });
   }
   for (call_number n = 1; n < calls_.size(); ++n) {
      if (!suspicious[n]) continue;
      // Which of several runs with the same reply was answered is not known.
      std::string why;
      for (std::uint32_t i = calls_[n].latest; i != 0; i = runs_[i].before) {
         if (runs_[i].reads == 0 || runs_[i].reply != calls_[n].answered_with) continue;
         why = objection_to(n, runs_[i]);
         if (why.empty()) break;
      }
      if (!why.empty()) broken(name(n) + why);
   }
}

// Why this run is not to be what its caller was answered. What an older write did may have been lost before.
std::string checkers::objection_to(call_number n, const run& read) const {
   const auto at = static_cast<std::uint32_t>(&read - runs_.data());
   for (call_number other = 1; other < calls_.size(); ++other) {
      const call& w = calls_[other];
      if (w.client != calls_[n].client || other == n || (written_by(w.kind) & read.reads) == 0) continue;
      bool seen = false;
      bool later = false;
      for (std::uint32_t i = w.latest; i != 0; i = runs_[i].before) {
         const run& x = runs_[i];
         if ((x.writes & read.reads) == 0 || x.database != read.database) continue;
         later = later || (i > at && i < w.ended_after);
         seen = seen || (i < at && past_.leads_to(x.behind, read.behind));
      }
      if (other < n && w.acknowledged && later && !seen)
         return " was answered from before " + name(other) + ", which was given earlier and acknowledged";
      if (other > n && seen) return " was answered from behind " + name(other) + ", which was given later";
   }
   return {};
}

}  // namespace holdfast::sim
