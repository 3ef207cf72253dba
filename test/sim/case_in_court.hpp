// What happened, told to the judges by hand.
#pragma once

#include "sim/checkers.hpp"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::sim {

class case_in_court {
 public:
   sim::clock time;
   history past;
   checkers judges{time, past};
   place at = {};
   dataset data;

   call_number gives(call_kind k, delivery d = delivery::automatic) { return judges.begins(0, k, d); }
   void sends(std::uint32_t connection, std::initializer_list<std::string> text) {
      judges.sent(0, {connection, 0}, views(text));
   }
   void runs(std::initializer_list<std::string> text) {
      const words w = views(text);
      std::string raw = "*" + std::to_string(w.size()) + "\r\n";
      for (const auto word : w) add_bulk(raw, word);
      std::string reply;
      const bool changed = data.run(w, reply);
      if (changed) at = past.add(at, raw);
      judges.ran(0, w, at, changed, reply);
   }
   void succeeds(call_number n, value v) { ends(n, std::move(v)); }
   void fails(call_number n, outcome o, unsigned attempts) {
      error e(errc::connection_lost, o);
      e.attempts = attempts;
      ends(n, std::move(e));
   }
   void adds(std::uint32_t connection) {
      const call_number n = gives(call_kind::add);
      sends(connection, {"INCRBY", "c0", std::to_string(n)});
      runs({"INCRBY", "c0", std::to_string(n)});
      sum_ += n;
      succeeds(n, value::of_integer(sum_));
   }
   void sets(call_number n, std::uint32_t connection) {
      sends(connection, {"SET", "s0", std::to_string(n)});
      runs({"SET", "s0", std::to_string(n)});
   }
   void is_over() {
      judges.final_history(at);
      judges.final_data(at, data);
   }
   // All that was found, one a line.
   std::string verdict() const {
      std::string text;
      for (const auto& v : judges.violations()) text += v.what + "\n";
      return text;
   }
   bool found(std::string_view part) const { return verdict().find(part) != std::string::npos; }

 private:
   words views(std::initializer_list<std::string> text) {
      said_.assign(text);
      return {said_.begin(), said_.end()};
   }
   void ends(call_number n, result<value> r) {
      const std::vector<result<value>> results{std::move(r)};
      judges.completed(n, results, {.could_be_written = true});
   }
   std::vector<std::string> said_;
   long long sum_ = 0;
};

}  // namespace holdfast::sim
