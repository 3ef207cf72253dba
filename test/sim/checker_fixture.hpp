// What happened, told to the checkers by hand.
#pragma once

#include "sim/checkers/checkers.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::sim {

class checker_fixture {
 public:
   sim::clock time;
   history past;
   checkers checks{time, past};
   place at = {};
   dataset data;
   unsigned database = 0;

   call_number gives(call_kind k, delivery d = delivery::automatic) { return checks.begins(0, k, d); }
   void sends(std::uint32_t connection, std::initializer_list<std::string> text) {
      line& l = lines_[connection];
      l.number = connection;
      l.to = 0;
      ++l.commands;
      checks.sent(0, l, views(text));
   }
   void replies(std::uint32_t connection) { ++lines_[connection].replies; }
   // In the database that was chosen last. The reply, as it is sent.
   std::string runs(std::initializer_list<std::string> text) {
      const words w = views(text);
      std::string command = "*" + std::to_string(w.size()) + "\r\n";
      for (const auto word : w) add_bulk(command, word);
      std::string raw;
      add_write(raw, command, database);
      std::string reply;
      const bool changed = data.run(w, reply, database);
      if (changed) at = past.add(at, raw);
      checks.ran(0, w, {at, changed, database, reply});
      return reply;
   }
   void selects(unsigned number) {
      const call_number n = gives(call_kind::select);
      checks.selects(n, number);
      database = number;
      succeeds(n, value::of_status("OK"));
   }
   // MGET of the key `s0`, as call number `n`; what it finds.
   std::string reads(call_number n) {
      const std::string reply = runs({"MGET", "s0", std::to_string(n)});
      const std::string* const held = data.text("s0", database);
      EXPECT_NE(reply, "");
      return held == nullptr ? "" : *held;
   }
   void answers(call_number n, const std::string& found) {
      std::vector<value> all;
      all.push_back(found.empty() ? value() : value::of_string(found));
      all.emplace_back();
      succeeds(n, value::of_array(all));
   }
   void succeeds(call_number n, value v) { ends(n, std::move(v)); }
   void fails(call_number n, outcome o, unsigned attempts, errc code = errc::connection_lost) {
      error e(code, o);
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
      checks.final_history(at);
      checks.final_data(at, data);
   }
   // All that was found, one a line.
   std::string run_report() const {
      std::string text;
      for (const auto& v : checks.violations()) text += v.what + "\n";
      return text;
   }
   bool found(std::string_view part) const { return run_report().find(part) != std::string::npos; }

 private:
   words views(std::initializer_list<std::string> text) {
      said_.assign(text);
      return {said_.begin(), said_.end()};
   }
   void ends(call_number n, result<value> r) {
      const std::vector<result<value>> results{std::move(r)};
      checks.completed(n, results, {.could_be_written = true});
   }
   std::map<std::uint32_t, line> lines_;  // by number
   std::vector<std::string> said_;
   long long sum_ = 0;
};

}  // namespace holdfast::sim
