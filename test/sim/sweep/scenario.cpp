// What strikes, and where.
#include "sim/sweep/scenario.hpp"

#include <initializer_list>

namespace holdfast::sim::sweep {

std::string to_string(const step& s) {
   constexpr std::string_view names[] = {"resolve", "connect", "opened", "write", "reply", "tick"};
   std::string text(names[static_cast<std::size_t>(s.is)]);
   if (s.is == step::kind::tick) return text;
   text += s.of_sentinel ? " (Sentinel " : " (server ";
   text += std::to_string(s.host) + ", connection " + std::to_string(s.dial);
   if (s.is == step::kind::reply) text += ", reply " + std::to_string(s.number) + " " + s.command;
   if (s.bytes != 0) text += ", " + std::to_string(s.bytes) + " bytes";
   return text + ")";
}

std::string_view to_string(fault f) {
   constexpr std::string_view names[] = {"name unknown",
                                         "name never resolved",
                                         "refused",
                                         "unreachable",
                                         "no descriptors",
                                         "never connects",
                                         "lost",
                                         "lost, and what was taken last not sent",
                                         "lost here alone",
                                         "byte by byte",
                                         "halting",
                                         "stuck",
                                         "late",
                                         "together",
                                         "garbage",
                                         "push before",
                                         "twice",
                                         "nothing known",
                                         "turned away",
                                         "server frozen",
                                         "server frozen, and lost here alone",
                                         "server restarted",
                                         "server paused",
                                         "client asleep"};
   return names[static_cast<std::size_t>(f)];
}

// The passing ones first.
const std::vector<error_reply> error_replies{
   {"LOADING Redis is loading the dataset in memory", true},
   {"READONLY You can't write against a read only replica.", true},
   {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", true},
   {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", true},
   {"NOREPLICAS Not enough good replicas to write.", true},
   {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", true},
   {"TRYAGAIN Multiple keys request during rehashing of slot", true},
   {"OOM command not allowed when used memory > 'maxmemory'.", true},
   {"NOAUTH Authentication required.", true},
   {"ERR max number of clients reached", true},
   {"WRONGPASS invalid username-password pair or user is disabled.", false},
   {"NOPERM this user has no permissions to run this command", false},
   {"NOPROTO unsupported protocol version", false},
   {"ERR unknown command", false},
   {"ERR whatever it is", false},
};

namespace {

void add_errors(std::vector<injection>& all, const step& s) {
   if (s.of_sentinel) return;
   for (std::size_t i = 0; i < error_replies.size(); ++i) {
      // Nothing turns MULTI away but a missing permission.
      if (s.command == "MULTI" && !error_replies[i].text.starts_with("NOPERM")) continue;
      all.push_back({.what = fault::turned_away, .at = i, .dial = s.dial, .number = s.number});
   }
}

}  // namespace

std::vector<injection> faults_at(std::size_t number, const step& s, bool every_byte) {
   std::vector<injection> all;
   if (s.one_of_many) return all;
   const auto add = [&](std::initializer_list<fault> faults) {
      for (const fault f : faults) all.push_back({.what = f});
   };
   const auto add_at_bytes = [&](std::initializer_list<fault> faults) {
      for (const fault f : faults) {
         for (std::size_t at = 0; at <= s.bytes; ++at) {
            const bool edge = at <= 1 || at + 1 >= s.bytes || at == s.bytes / 2;
            if (every_byte || edge) all.push_back({.what = f, .at = at});
         }
      }
   };
   switch (s.is) {
      case step::kind::resolve: add({fault::name_unknown, fault::name_never}); break;
      case step::kind::connect:
         add({fault::refused, fault::unreachable, fault::no_descriptors, fault::never_connects});
         break;
      case step::kind::opened: add({fault::lost, fault::lost_unnoticed, fault::stuck}); break;
      case step::kind::write:
         add_at_bytes({fault::lost, fault::lost_unsent, fault::lost_unnoticed});
         all.push_back({.what = fault::halting, .at = s.bytes / 2});
         add({fault::byte_by_byte, fault::stuck, fault::server_frozen_unnoticed});
         break;
      case step::kind::reply:
         add_at_bytes({fault::lost});
         all.push_back({.what = fault::lost_unnoticed, .at = s.bytes / 2});
         add({fault::byte_by_byte, fault::stuck, fault::late, fault::together, fault::garbage, fault::push_before,
              fault::server_frozen_unnoticed});
         if (s.last) add({fault::twice});
         if (s.of_sentinel) add({fault::nothing_known});
         add_errors(all, s);
         break;
      case step::kind::tick: break;
   }
   if (s.is != step::kind::tick) {
      all.push_back({.what = fault::server_frozen, .at = 1500});
      all.push_back({.what = fault::server_frozen, .at = 7000});
      add({fault::server_restarted});
      if (!s.of_sentinel) add({fault::server_paused});
   }
   add({fault::client_asleep});
   for (injection& f : all) f.step = number;
   return all;
}

}  // namespace holdfast::sim::sweep
