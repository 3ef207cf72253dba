// The verdict on a run: from its record to its figures. Pure.
#pragma once

#include "drill/record.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::drill {

struct totals {
   std::uint64_t acked = 0;
   std::uint64_t not_executed = 0;
   std::uint64_t unknown = 0;
   std::uint64_t executed = 0;
   std::uint64_t lost = 0;        // acknowledged, and absent from the final master
   std::uint64_t duplicated = 0;  // applied more than once

   std::uint64_t errors() const { return not_executed + unknown + executed; }
   totals& operator+=(const totals&);
   friend bool operator==(const totals&, const totals&) = default;
};

// From the moment that the first Sentinel named the new master to the client's first write there. The client needs a
// round trip or two, but this machine may be busy.
inline constexpr double after_named_at_most_ms = 250;

struct figures {
   // From the fault. Null where nothing was promoted, or where it never happened.
   std::optional<double> promoted_ms = {};
   std::optional<double> sentinel_named_ms = {};
   std::optional<double> first_ok_ms = {};
   // From the promotion to the client's first acknowledged write on the new master. May be below zero, as the checker
   // takes a moment to see the promotion.
   std::optional<double> client_added_ms = {};
   // From the moment that the first Sentinel named the new master to that write; below zero where it came before.
   std::optional<double> after_named_ms = {};
   double longest_gap_ms = 0;  // between two acknowledged writes, or from the last one to the end
   bool late = false;          // the promotion, or the end of a fault without one, came after a command's deadline
   bool second_failover = false;

   std::array<totals, every_kind.size()> by_command = {};
   totals all = {};
   // Of each numbered write that is lost, how long before the fault it was acknowledged; below zero: after it.
   std::vector<double> lost_before_fault_ms = {};
   // Lost writes that were not acknowledged in the last moments before the fault, but earlier, or under it.
   std::uint64_t lost_out_of_time = 0;
   // What the old master was given by the client after it had written to the new one; or, where nothing is promoted, a
   // node that no Sentinel named, at any time after the fault. Empty: no such node was watched.
   std::optional<std::uint64_t> old_master_writes = {};
   std::uint64_t connections_lost = 0;  // with commands unanswered
   std::uint64_t breaker_opened = 0;
   std::uint64_t budget_exhausted = 0;  // commands that were not sent again because of it
   // One line for each promise that was not kept.
   std::vector<std::string> broken = {};

   totals& of(write_kind kind) { return by_command[static_cast<std::size_t>(kind)]; }
   const totals& of(write_kind kind) const { return by_command[static_cast<std::size_t>(kind)]; }
   // Late runs and second failovers are told apart from the others: errors in them break no promise.
   bool ordinary() const { return !late && !second_failover; }
};

// The first acknowledged write on the new master, or, without a promotion, the first after the fault was felt (a
// connection lost) or, if it never was, after the fault itself.
std::optional<clock::time_point> first_ok(const record&);
std::optional<clock::time_point> first_ok(const record&, std::span<const operation>, std::span<const told>);

// Once asked for, a stop excuses what it interrupted; a cancellation out of nowhere is an error like any other.
inline bool cancelled(const record& r, const operation& o) { return r.cut_short && o.cancelled; }

// Whether it wrote where its writes belong, after the last promotion (or, without one, after the fault).
bool came_back(const record&, std::span<const operation>, std::span<const told>);

figures judge(const record&);

// A run and the verdict on it.
struct judged {
   record seen = {};
   figures found = {};
};

}  // namespace holdfast::drill
