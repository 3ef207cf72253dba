// The checkers of where a client goes: whom its commands reach, and what it does at servers beside.
#include "sim/checkers/checkers.hpp"

#include <algorithm>

namespace holdfast::sim {

bool checkers::is_of_a_call(const words& w) {
   const auto is_it = [&](const call_rule& r) { return !r.of_handshake && same_word(w[0], r.name); };
   return same_word(w[0], "EXEC") || std::any_of(call_rules.begin(), call_rules.end(), is_it);
}

namespace {

std::string at_host(std::string_view what, host_id h) { return std::string(what) + " host " + std::to_string(h); }

}  // namespace

void checkers::told(std::uint32_t client, const line& on, const sim::told& t) {
   client_record& r = record_of(client);
   r.heard.read(on, t, r.master != nowhere, clock_.now());
}

// Sentinels that are rebuilt before a client has a master draw no event of their own.
void checkers::named(std::uint32_t client, host_id master, std::uint64_t epoch) {
   if (expects_lineages && record_of(client).master == nowhere) begins_anew(client, master, epoch);
   record_of(client).master = master;
}

// It goes back from a node that it had followed only for a reason that it was told.
void checkers::withdrew(std::uint32_t client, host_id from, std::uint64_t epoch, host_id to) {
   news& heard = record_of(client).heard;
   const std::string why = heard.objection_to_return(from, epoch, to, clock_.now());
   if (!why.empty())
      broken("client " + std::to_string(client) + at_host(" goes back from", from) + at_host(" to", to) + ", and " +
             why);
   heard.withdrawn(from, epoch);
}

void checkers::rogue(host_id h, bool so) {
   if (rogues_.size() <= h) rogues_.resize(h + 1);
   rogues_[h] = so;
}

void checkers::neighbour(host_id h, bool so) {
   if (neighbours_.size() <= h) neighbours_.resize(h + 1);
   neighbours_[h] = so;
}

// Commands go to a node that has said on this very connection that it is a master, and that the client may take for the
// master by what it was told. A lane's handshake asks for more than the role: for a protocol, to begin with.
void checkers::goes(std::uint32_t client, server_line& on, const words& w, bool handed_over) {
   const bool greets = same_word(w[0], "HELLO");
   if (greets && w.size() > 1) {
      on.of_lane = true;
      ++record_of(client).masters;
      return;
   }
   const bool asks_for_process = same_word(w[0], "INFO") && w.size() > 1 && same_word(w[1], "SERVER");
   const bool asks_for_role = greets || same_word(w[0], "ROLE") || (same_word(w[0], "INFO") && !asks_for_process);
   if (asks_for_role) return count_role_question(client, on);
   if (is_of_a_call(w)) check_way(client, on, w, handed_over);
}

void checkers::check_way(std::uint32_t client, const server_line& on, const words& w, bool handed_over) {
   news& heard = record_of(client).heard;
   const std::string sends = "client " + std::to_string(client) + " sends " + std::string(w[0]) + at_host(" to", on.to);
   if (!on.says_master && !handed_over) broken(sends + ", which has not said on this connection that it is a master");
   if (is_rogue(on.to)) broken(sends + ", which was made a master by hand: no Sentinel has selected it");
   if (is_neighbour(on.to)) broken(sends + ", which belongs to another deployment");
   const std::string why = heard.objection(on.to, limits.routes);
   if (!why.empty()) broken(sends + ", and " + why);
   heard.went(on.to);
}

// New writes wait for the node that was selected: what the old master would acknowledge now will be lost.
void checkers::note_heir(call& c, const client_record& r, host_id to) {
   if (!changes_data(c.kind) || limits.routes.hold == duration::zero()) return;
   c.heir = r.heard.heir_of(to, std::chrono::hours(1), limits.routes, clock_.now());
   c.is_held = r.heard.heir_of(to, limits.routes.hold, limits.routes, clock_.now()) != nowhere;
}

// ---- beside the lane ----------------------------------------------------------------------------------------------

void checkers::count_role_question(std::uint32_t client, server_line& on) {
   if (on.of_lane) return;
   on.asks_for_role = true;
   const auto second = (clock_.now() - began_) / std::chrono::seconds(1);
   if (on.second != second) {
      on.second = second;
      on.questions = 0;
   }
   ++on.questions;
   // Or it is asked for another reason, that of a hint, or of a lineage.
   const bool selected = expects_lineages || limits.routes.follows_hints || record_of(client).heard.is_selected(on.to);
   std::uint32_t& most = selected ? figures_.most.candidate_polls : figures_.most.role_questions;
   most = std::max(most, on.questions);
   if (on.questions == (selected ? bounds.candidate_polls : bounds.role_questions) + 1)
      broken("client " + std::to_string(client) + at_host(" asks", on.to) + " for its role for the " +
             std::to_string(on.questions) + "th time within a second");
}

// A server to which no command may go is dialled to be watched.
void checkers::count_dial_aside(std::uint32_t client, host_id to) {
   client_record& r = record_of(client);
   if (r.heard.objection(to, limits.routes).empty()) return;
   if (r.dials_aside.size() <= to) r.dials_aside.resize(to + 1);
   const std::uint32_t n = count(r.dials_aside[to]);
   figures_.most.dials_aside = std::max(figures_.most.dials_aside, n);
   if (n == bounds.dials_aside + 1)
      broken("client " + std::to_string(client) + at_host(" dials", to) + ", which is not the master, for the " +
             std::to_string(n) + "th time within a second");
}

void checkers::keeps_warm(std::uint32_t client, host_id h, unsigned n) {
   if (n > 1)
      broken("client " + std::to_string(client) + " keeps " + std::to_string(n) + at_host(" warm connections to", h));
}

}  // namespace holdfast::sim
