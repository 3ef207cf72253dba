// Every reply is one that the given order could have given. Lists of a few commands on two keys and two databases meet
// every gate and every loss; what the callers were told, and what the server holds in the end, must be explained by the
// commands run once, one after the other, in the given order: those that succeeded, none that was not executed, and of
// those that ended as unknown any.
#include "unit/lane/script.hpp"
#include "unit/resp/feeding.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::impl::test::order_test {
namespace {

using lines = std::vector<std::string>;  // one command, or MULTI ... EXEC

// ---- the data, and what commands do to it ----
struct data {
   std::array<std::map<std::string, long long>, 2> databases = {{{{"k", 5}, {"j", 7}}, {{"k", 50}, {"j", 70}}}};
   std::size_t selected = 0;

   std::string read(const std::string& key) const {
      const auto found = databases[selected].find(key);
      return found == databases[selected].end() ? "_\r\n" : bulk(std::to_string(found->second));
   }
   // The reply, in RESP.
   std::string run(const std::string& line) {
      std::vector<std::string> w;
      const command c = words(line);
      for (const auto argument : c.arguments()) w.emplace_back(argument);
      auto& keys = databases[selected];
      if (w[0] == "GET") return read(w[1]);
      if (w[0] == "MGET") return "*2\r\n" + read(w[1]) + read(w[2]);
      if (w[0] == "DBSIZE") return number(static_cast<long long>(keys.size()));
      if (w[0] == "SET") return keys[w[1]] = std::stoll(w[2]), ok;
      if (w[0] == "MSET") return keys[w[1]] = keys[w[3]] = std::stoll(w[2]), ok;
      if (w[0] == "INCR") return number(++keys[w[1]]);
      if (w[0] == "LLEN") return keys.contains(w[1]) ? refuses("WRONGTYPE no list") : number(0);
      if (w[0] == "DEL") return number(static_cast<long long>(keys.erase(w[1])));
      if (w[0] == "SELECT") return selected = std::stoul(w[1]), ok;
      ADD_FAILURE() << line;
      return {};
   }
   // The last reply of a unit.
   std::string run(const lines& unit) {
      if (unit.size() == 1) return run(unit[0]);
      std::string all = "*" + std::to_string(unit.size() - 2) + "\r\n";
      for (std::size_t i = 1; i + 1 < unit.size(); ++i) all += run(unit[i]);
      return all;
   }
};

bool reads(const std::string& line) {
   return line.starts_with("GET") || line.starts_with("MGET") || line.starts_with("LLEN") || line == "DBSIZE";
}

// ---- what goes wrong ----
struct loss {
   std::size_t after = 0;   // so many commands were looked at, of all that arrive
   std::size_t unseen = 0;  // the last replies, which are lost
};
struct plan {
   std::string_view gate = {};    // its words; empty: none
   std::size_t from = 0, to = 0;  // it turns away the commands that come as these
   std::vector<loss> losses = {};
   bool one_by_one = false;  // each reply is read before the next command is looked at
   delivery promise = delivery::automatic;
   bool short_deadline = false;
};

constexpr std::string_view no_replicas = "NOREPLICAS Not enough good replicas to write.";
constexpr std::string_view busy = "BUSY Redis is busy running a script.";

std::string describe(const std::vector<lines>& list, const plan& p) {
   std::string text;
   for (const lines& unit : list)
      for (const auto& line : unit) text += line + "; ";
   text += "gate \"" + std::string(p.gate) + "\" from " + std::to_string(p.from) + " to " + std::to_string(p.to);
   for (const loss& l : p.losses)
      text += ", lost after " + std::to_string(l.after) + " with " + std::to_string(l.unseen) + " replies";
   return text + (p.one_by_one ? ", one by one" : "") + (p.short_deadline ? ", short" : "") + ", " +
          std::string(to_string(p.promise));
}

// ---- the server, which keeps all in one process: what it has taken before a loss runs, the rest does not ----
class world {
 public:
   world(const std::vector<lines>& list, plan p) : plan_(std::move(p)) {
      s_.warm_up();
      const duration deadline = plan_.short_deadline ? duration(300ms) : duration(60s);
      for (const lines& unit : list) {
         std::vector<command> commands;
         for (const auto& line : unit) commands.push_back(words(line));
         calls_.push_back(&s_.submit_commands(std::move(commands), {.deadline = deadline, .delivery = plan_.promise}));
      }
   }

   void run() {
      for (int i = 0; i < 3000 && !all_done(); ++i) {
         if (s_.main.now() == link::state::dialing) {
            connect();
         } else if (s_.pending() != 0) {
            s_.accept();
         } else if (looked_at_ < s_.arrived.size()) {
            look();
         } else {
            s_.advance(20ms);
         }
      }
   }

   bool all_done() const {
      for (const call* c : calls_)
         if (!c->done()) return false;
      return true;
   }
   const call& of(std::size_t i) const { return *calls_[i]; }
   const data& held() const { return held_; }

 private:
   void connect() {
      const std::size_t before = s_.arrived.size();
      s_.connect(++connections_);
      for (std::size_t i = before; i < s_.arrived.size(); ++i)
         if (s_.arrived[i].starts_with("SELECT")) held_.run(s_.arrived[i]);
      looked_at_ = s_.arrived.size();
   }

   void look() {
      std::string replies;
      std::vector<std::string> each;
      while (looked_at_ < s_.arrived.size()) {
         each.push_back(answer(s_.arrived[looked_at_++]));
         ++counted_;
         if (!plan_.losses.empty() && plan_.losses.front().after == counted_) return lose(each);
         if (plan_.one_by_one) break;
      }
      for (const auto& reply : each) replies += reply;
      s_.answer(replies);
   }

   void lose(const std::vector<std::string>& each) {
      const std::size_t unseen = plan_.losses.front().unseen;
      plan_.losses.erase(plan_.losses.begin());
      std::string replies;
      for (std::size_t i = 0; i + unseen < each.size(); ++i) replies += each[i];
      s_.answer(replies);
      multi_ = broken_ = false;
      queued_.clear();
      held_.selected = 0;
      looked_at_ = s_.arrived.size();
      if (s_.main.is_open()) s_.lose();
   }

   bool refuses_it(const std::string& line) const {
      if (plan_.gate.empty() || counted_ < plan_.from || counted_ >= plan_.to) return false;
      return plan_.gate == busy || !(reads(line) || line.starts_with("SELECT"));
   }

   std::string answer(const std::string& line) {
      if (line == "MULTI") return multi_ = true, ok;
      if (line == "EXEC") return answer_exec();
      if (refuses_it(line)) {
         broken_ = broken_ || multi_;
         return refuses(plan_.gate);
      }
      if (multi_) return queued_.push_back(line), queued;
      return held_.run(line);
   }

   std::string answer_exec() {
      lines all{"MULTI"};
      for (auto& line : std::exchange(queued_, {})) all.push_back(line);
      all.emplace_back("EXEC");
      multi_ = false;
      if (std::exchange(broken_, false)) return refuses("EXECABORT Transaction discarded because of previous errors.");
      for (std::size_t i = 1; i + 1 < all.size(); ++i)
         if (refuses_it(all[i]))
            return refuses("EXECABORT Transaction discarded because of: " + std::string(plan_.gate));
      return held_.run(all);
   }

   plan plan_;
   script s_;
   std::vector<call*> calls_;
   data held_;
   unsigned connections_ = 10;
   std::size_t looked_at_ = 0;  // of what arrived
   std::size_t counted_ = 0;    // the same, of the list alone
   bool multi_ = false;
   bool broken_ = false;
   lines queued_;
};

// ---- the check ----
std::string text_of(const result<value>& r) { return to_string(*r); }

std::string text_of(std::string_view resp) {
   reader in{limits{}};
   put(in, resp);
   in.next();
   return to_string(in.reply());
}

// Whether these of the unknown ones having run, in the given order, explains it all.
bool explains(const std::vector<lines>& list, const world& w, std::size_t chosen) {
   data model;
   for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& last = w.of(i).results.back();
      if (last) {
         if (text_of(model.run(list[i])) != text_of(last)) return false;
         continue;
      }
      if (last.error().code() == errc::server_error && last.error().server_text.starts_with("WRONGTYPE")) {
         if (model.run(list[i]) != refuses(last.error().server_text)) return false;
         continue;
      }
      const bool ran = last.error().outcome == outcome::executed ||
                       (last.error().outcome == outcome::unknown && (chosen & (std::size_t{1} << i)) != 0);
      if (ran) model.run(list[i]);
   }
   return model.databases == w.held().databases;
}

bool is_explained(const std::vector<lines>& list, const world& w) {
   std::size_t unknown = 0;
   for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& last = w.of(i).results.back();
      if (!last && last.error().outcome == outcome::unknown) unknown |= std::size_t{1} << i;
   }
   for (std::size_t chosen = unknown;; chosen = (chosen - 1) & unknown) {
      if (explains(list, w, chosen)) return true;
      if (chosen == 0) return false;
   }
}

struct tally {
   std::size_t runs = 0, fine = 0, unknown = 0, not_executed = 0;
};

void check_outcomes(const std::vector<lines>& list, const plan& p, tally& t) {
   world w(list, p);
   w.run();
   ++t.runs;
   ASSERT_TRUE(w.all_done()) << describe(list, p);
   std::string told;
   for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& last = w.of(i).results.back();
      told += w.of(i).says() + "; ";
      ++(last ? t.fine : last.error().outcome == outcome::unknown ? t.unknown : t.not_executed);
   }
   EXPECT_TRUE(is_explained(list, w)) << describe(list, p) << "\n   " << told;
}

// ---- the lists ----
lines unit_of(std::size_t kind, std::size_t place) {
   const std::string n = std::to_string(100 * (place + 1));
   switch (kind) {
      case 0: return {"SET k " + n};
      case 1: return {"GET k"};
      case 2: return {"INCR k"};
      case 3: return {"SET j " + n};
      case 4: return {"MGET k j"};
      case 5: return {place % 2 == 0 ? "SELECT 1" : "SELECT 0"};
      case 6: return {"MULTI", "INCR k", "GET j", "EXEC"};
      case 7: return {"MULTI", "GET k", "EXEC"};
      case 8: return {"DEL k"};
      case 9: return {"MSET j " + n + " k " + n};
      case 10: return {"LLEN k"};
      default: return {"DBSIZE"};
   }
}
constexpr std::size_t kinds = 12;

std::vector<lines> list_of(std::size_t code, std::size_t length, std::size_t of_kinds) {
   std::vector<lines> list;
   for (std::size_t i = 0; i < length; ++i, code /= of_kinds) list.push_back(unit_of(code % of_kinds, i));
   return list;
}

template <class F>
void each_plan(F&& f) {
   std::vector<plan> gates{{}};
   for (const auto words : {no_replicas, busy})
      for (std::size_t from = 0; from < 3; ++from)
         for (const std::size_t length : {1U, 2U, 3U, 1000U}) {
            gates.push_back({.gate = words, .from = from, .to = from + length, .short_deadline = length == 1000});
         }
   std::vector<std::vector<loss>> losses{{}};
   for (std::size_t after = 1; after < 5; ++after)
      for (std::size_t unseen = 0; unseen <= std::min<std::size_t>(after, 3); ++unseen)
         losses.push_back({{after, unseen}});
   losses.push_back({{2, 1}, {4, 2}});
   losses.push_back({{3, 3}, {5, 1}});
   for (const plan& gate : gates)
      for (const auto& lost : losses)
         for (const bool one_by_one : {false, true}) {
            plan p = gate;
            p.losses = lost;
            p.one_by_one = one_by_one;
            f(p);
         }
}

// Of all lists with all plans each so-many-th, a prime: all were checked when this was written (share = 1).
constexpr std::size_t share = 13;

TEST(order, replies_of_any_three_are_those_of_the_given_order) {
   tally t;
   std::size_t count = 0;
   for (std::size_t n = 0; n < kinds * kinds * kinds && !testing::Test::HasFailure(); ++n) {
      const auto list = list_of(n, 3, kinds);
      each_plan([&](const plan& p) {
         if (++count % share == 0) check_outcomes(list, p, t);
      });
   }
   EXPECT_GT(t.fine, t.runs) << t.unknown << " unknown, " << t.not_executed << " not executed";
   EXPECT_GT(t.unknown, 1000U);
   EXPECT_GT(t.not_executed, 1000U);
}

TEST(order, replies_of_longer_lists_are_those_of_the_given_order) {
   random_source random(7);
   std::vector<plan> plans;
   each_plan([&](const plan& p) { plans.push_back(p); });
   const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
   tally t;
   for (int i = 0; i < 6000 && !testing::Test::HasFailure(); ++i) {
      plan p = plans[below(plans.size())];
      if (below(4) == 0) p.promise = delivery::at_most_once;
      const std::size_t length = 4 + below(3);
      std::vector<lines> list;
      for (std::size_t k = 0; k < length; ++k) list.push_back(unit_of(below(kinds), k));
      check_outcomes(list, p, t);
   }
   EXPECT_GT(t.fine, t.runs);
}

}  // namespace
}  // namespace holdfast::impl::test::order_test
