// Each script of the engine, with each fault at each of its steps (docs/simulation.md).
#include "sim/sweep/scenario.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <string>

namespace holdfast::sim::sweep {
namespace {

constexpr auto automatic = delivery::automatic;

std::string describe(const scenario& s, const injection& f, const step& at) {
   std::string text = s.name + ", step " + std::to_string(f.step) + " " + to_string(at) + ": ";
   text += to_string(f.what);
   if (f.what == fault::turned_away)
      text += " with " + std::string(error_replies[f.at].text);
   else if (f.at != 0)
      text += " at " + std::to_string(f.at);
   return text;
}

// How many runs it was.
std::size_t sweep(const scenario& s) {
   std::vector<injection> own;
   report plain = run(s, own);
   EXPECT_TRUE(plain.violations.empty()) << s.name << ": " << plain.violations.front();
   if (s.first) {
      unsigned nth = 0;
      for (std::size_t i = 0; i < plain.steps.size(); ++i) {
         if (plain.steps[i].is != s.first->at || plain.steps[i].of_sentinel || nth++ != s.first->nth) continue;
         own.push_back({.step = i, .what = s.first->what, .at = s.first->behind_all_bytes ? plain.steps[i].bytes : 0});
         break;
      }
      EXPECT_EQ(own.size(), 1U) << s.name << " has no such step";
      plain = run(s, own);
      EXPECT_TRUE(plain.violations.empty()) << s.name << ": " << plain.violations.front();
   }
   std::size_t runs = 0;
   unsigned failures = 0;
   for (std::size_t i = own.empty() ? 0 : own.front().step + 1; i < plain.steps.size(); ++i) {
      for (const injection& f : faults_at(i, plain.steps[i], s.every_byte)) {
         std::vector<injection> all = own;
         all.push_back(f);
         const report r = run(s, all);
         ++runs;
         if (r.violations.empty()) continue;
         ADD_FAILURE() << describe(s, f, plain.steps[i]) << "\n   " << r.violations.front();
         if (++failures == 5) return runs;
      }
   }
   std::cout << s.name << ": " << plain.steps.size() << " steps, " << runs << " runs\n";
   return runs;
}

class Script : public testing::TestWithParam<scenario> {};

TEST_P(Script, KeepsItsPromisesWhateverStrikesAtAnyOfItsSteps) { EXPECT_GT(sweep(GetParam()), 100U); }

std::vector<scenario> handshakes() {
   const std::vector<given> two{{call_kind::add, automatic}, {call_kind::set, automatic}};
   scenario plain{.name = "RESP3", .warm = false, .swept = two};
   scenario old = plain;
   old.name = "RESP2";
   old.knows_hello = false;
   scenario password = plain;
   password.name = "AUTH";
   password.password = "secret";
   scenario old_password = password;
   old_password.name = "AUTH in RESP2";
   old_password.knows_hello = false;
   scenario session = password;
   session.name = "AUTH, SETNAME and SELECT";
   session.db = 3;
   session.client_name = "sweep";
   return {plain, old, password, old_password, session};
}

std::string name_of(const testing::TestParamInfo<scenario>& info) {
   std::string name;
   for (const char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
   return name;
}

INSTANTIATE_TEST_SUITE_P(Handshake, Script, testing::ValuesIn(handshakes()), name_of);

// The connection is lost under a command that may then still run; what is swept is the way back, with the fence.
std::vector<scenario> fences() {
   std::vector<scenario> all;
   for (const fault f : {fault::lost, fault::lost_unnoticed, fault::server_frozen_unnoticed, fault::server_restarted}) {
      for (const given g : {given{call_kind::add, automatic}, given{call_kind::add, delivery::at_least_once},
                            given{call_kind::set, automatic}, given{call_kind::get, automatic}}) {
         scenario s{.swept = {g}, .newer = {{call_kind::push, automatic}}};
         s.name = "back to fence " + std::string(to_string(g.kind)) + ", " +
                  std::string(holdfast::to_string(g.promise)) + ", " + std::string(to_string(f));
         s.first = {.what = f};
         all.push_back(s);
      }
   }
   scenario forbidden = all[8];
   forbidden.name = "back where CLIENT KILL is forbidden";
   forbidden.allows_kill = false;
   scenario old = all[8];
   old.name = "back in RESP2";
   old.knows_hello = false;
   scenario session = all[8];
   session.name = "back with AUTH, SETNAME and SELECT";
   session.password = "secret";
   session.db = 3;
   session.client_name = "sweep";
   all.insert(all.end(), {forbidden, old, session});
   return all;
}

INSTANTIATE_TEST_SUITE_P(Fence, Script, testing::ValuesIn(fences()), name_of);

// Three Sentinels: subscribe, ask, agree, connect, check the role.
std::vector<scenario> discoveries() {
   scenario first{.name = "discovery", .sentinels = true, .replicas = 1, .warm = false};
   first.swept = {{call_kind::add, automatic}, {call_kind::set, automatic}};
   first.every_byte = false;
   scenario stale = first;
   stale.name = "discovery, the first Sentinel is stale";
   stale.first_is_stale = true;
   scenario again = first;
   again.name = "discovery after a loss";
   again.warm = true;
   again.first = {.what = fault::lost_unnoticed};
   scenario restarted = again;
   restarted.name = "discovery after a restart";
   restarted.first = {.what = fault::server_restarted};
   return {first, stale, again, restarted};
}

INSTANTIATE_TEST_SUITE_P(Discovery, Script, testing::ValuesIn(discoveries()), name_of);

constexpr std::array deliveries{delivery::automatic, delivery::at_most_once, delivery::at_least_once};
constexpr std::array kinds{call_kind::get,      call_kind::echo,        call_kind::set, call_kind::add,
                           call_kind::set_once, call_kind::transaction, call_kind::push};

// A command of each class with each delivery, and pipelines of them, on a connection that worked.
std::vector<scenario> resends() {
   std::vector<scenario> all;
   for (const delivery d : deliveries) {
      const std::string how(holdfast::to_string(d));
      scenario pipeline{.name = "pipeline, " + how};
      pipeline.every_byte = d == automatic;
      for (const call_kind k : kinds) {
         all.push_back({.name = std::string(to_string(k)) + ", " + how,
                        .swept = {{k, d}},
                        .newer = {{call_kind::push, automatic}}});
         pipeline.swept.push_back({k, d});
      }
      pipeline.swept.push_back({call_kind::add, d});
      all.push_back(pipeline);
   }
   scenario idle{
      .name = "after a rest", .idle = 6s, .swept = {{call_kind::add, automatic}, {call_kind::set, automatic}}};
   all.push_back(idle);
   return all;
}

INSTANTIATE_TEST_SUITE_P(Resend, Script, testing::ValuesIn(resends()), name_of);

}  // namespace
}  // namespace holdfast::sim::sweep
