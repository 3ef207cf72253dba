// Calls of the workloads, in one table: what each of them sends, reads and changes. Each carries its number as its last
// argument, by which the servers' side is matched with the callers'; GET and SELECT have no room for one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::sim {

enum class call_kind : std::uint8_t {
   add,
   push,
   set,
   get,
   echo,
   set_once,
   transaction,
   read,     // MGET
   select,   // which database what follows is for
   reading,  // a transaction that reads, too
   swap,     // GETSET: its reply is what it replaced
};
inline constexpr std::size_t call_kinds = 11;

// The keys of a client, each with its number behind.
inline constexpr std::string_view key_letters = "clsn";
// As a bit; 0: it is none of them.
constexpr unsigned key_bit(std::string_view key) {
   const std::size_t at = key.empty() ? key_letters.npos : key_letters.find(key[0]);
   return at == key_letters.npos ? 0 : 1U << at;
}

enum class call_form : std::uint8_t {
   key_and_number,  // NAME key number
   transaction,
   other,
};

struct call_rule {
   std::string_view name;            // of its command, or of the first one
   std::string_view writes;          // letters of the keys that it changes
   bool repeats_harmlessly = false;  // else a second run would be seen, in the data or in the reply
   call_form form = call_form::key_and_number;
   bool of_handshake = false;  // a handshake has it, too
};
inline constexpr std::array<call_rule, call_kinds> call_rules{{
   {"INCRBY", "c"},
   {"RPUSH", "l"},
   {"SET", "s", true},
   {"GET", "", true, call_form::other},
   {"ECHO", "", true, call_form::other},
   {"SETNX", "n"},
   {"MULTI", "cl", false, call_form::transaction},
   {"MGET", "", true, call_form::other},
   {"SELECT", "", false, call_form::other, true},
   {"MULTI", "cl", false, call_form::transaction},
   {"GETSET", "s"},
}};

constexpr const call_rule& rule_of(call_kind k) { return call_rules[static_cast<std::size_t>(k)]; }
constexpr std::string_view to_string(call_kind k) { return rule_of(k).name; }
constexpr bool is_transaction(call_kind k) { return rule_of(k).form == call_form::transaction; }
constexpr bool repeats_harmlessly(call_kind k) { return rule_of(k).repeats_harmlessly; }
constexpr bool changes_data(call_kind k) { return !rule_of(k).writes.empty(); }
constexpr unsigned written_by(call_kind k) {
   unsigned bits = 0;
   for (const char c : rule_of(k).writes) bits |= key_bit({&c, 1});
   return bits;
}

}  // namespace holdfast::sim
