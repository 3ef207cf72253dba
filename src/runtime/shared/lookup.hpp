// What a name is looked up as, and what two answers to one question amount to. Pure, so that it can be tested for all
// that name servers may say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl {

// How a name that is not whole is completed: resolv.conf(5).
struct search_rules {
   std::vector<std::string> domains = {};
   unsigned ndots = 1;  // a name with fewer dots is tried as it stands only after the domains

   friend bool operator==(const search_rules&, const search_rules&) = default;
};

// What these rules are read from. An empty text says nothing.
struct search_sources {
   std::string_view resolv_conf = {};   // the file's content
   std::string_view local_domain = {};  // the environment's LOCALDOMAIN: instead of the file's domains
   std::string_view res_options = {};   // the environment's RES_OPTIONS: behind the file's
   std::string_view own_name = {};      // of this host: its domain is searched where nothing else is said
};
search_rules read_search_rules(const search_sources&);
search_rules system_search_rules(const std::string& resolv_conf);  // of this machine, now, and of that file

// The whole names to ask for, in this order, each with the dot of the root behind it. The first that exists is the one
// that was meant; those behind it may be strangers.
std::vector<std::string> candidates(std::string_view name, const search_rules&);

// What is known of one address family of a candidate.
enum class family_answer : std::uint8_t {
   pending,       // not answered yet
   addresses,     // here they are
   no_such_name,  // NXDOMAIN
   no_data,       // the name exists, without an address of this family
   failed,        // SERVFAIL, REFUSED, silence, nonsense: nothing is known
};

enum class lookup_step : std::uint8_t {
   wait,
   found,      // use the addresses that came
   next_name,  // there is no such name, or it has no address: on to the next candidate
   fail,       // it may exist: neither are there addresses, nor may another candidate be asked for instead
};

// `patient`: what is pending has some time left.
lookup_step step_after(family_answer v4, family_answer v6, bool patient);

}  // namespace holdfast::impl
