// Names to addresses, without blocking: c-ares, driven by whatever the runtime waits with.
//
// /etc/hosts is looked into first. Then both address families of one candidate (lookup.hpp) are asked for, and only
// where it certainly has no address of either, the next candidate: a short name must not get its IPv4 address from one
// search domain and its IPv6 address from another.
//
// Who asks while the same name is being resolved gets that answer; so a resolver that is slower than a connect timeout
// is found out about once, not given up anew with each try. Good answers are kept: for a moment instead of asking, and
// for as long as need be where asking fails or takes long. That a name is gone is an answer too: it replaces what was
// known, and is not kept itself. Failures are never kept.
#pragma once

#include "runtime/shared/lookup.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/time.hpp>

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

struct ares_channeldata;
struct ares_addrinfo;

namespace holdfast::impl {

struct name_settings {
   std::string servers = {};                      // "ADDRESS:PORT,..."; empty: those of `resolv_conf`
   std::string resolv_conf = "/etc/resolv.conf";  // read again when its servers have not answered
};

class resolver {
 public:
   struct answer {
      std::uint32_t link = 0;
      std::uint32_t serial = 0;
      std::vector<endpoint> addresses;  // empty: see `problem`
      std::string problem;
   };

   explicit resolver(name_settings s = {}) : settings_(std::move(s)) {}
   ~resolver();
   resolver(const resolver&) = delete;
   resolver& operator=(const resolver&) = delete;

   void start(std::uint32_t link, std::uint32_t serial, const endpoint& where, time_point now);
   void add_to(std::vector<pollfd>&) const;                                 // what to wait for
   std::optional<std::chrono::milliseconds> timeout(time_point now) const;  // and how long at most
   void process(const pollfd* begin, const pollfd* end, time_point now);    // after poll(): those added by add_to
   bool busy() const { return pending_ != 0; }
   std::vector<answer> take_answers();

 private:
   // A node that comes back elsewhere under its old name is looked for at its old address so long at most.
   static constexpr duration fresh_for = std::chrono::seconds(1);
   // How long an earlier answer waits for a newer one: less than a Sentinel is waited for (300 ms), and more than a
   // name server takes, as the address may be somebody else's by now.
   static constexpr duration stale_after = std::chrono::milliseconds(200);
   // How long the addresses of one family wait for the other (RFC 8305, "resolution delay"). Some networks lose all
   // questions about IPv6.
   static constexpr duration patience = std::chrono::milliseconds(50);
   // Until a question is sent again, and doubled with each round: datagrams get lost. c-ares' own is 5 s. Where one
   // family has no addresses, the other is given as long.
   static constexpr std::chrono::milliseconds again_after{500};
   static constexpr int most_rounds = 4;
   static constexpr std::size_t most_names = 256;

   struct query;
   struct asker {
      std::uint32_t link = 0;
      std::uint32_t serial = 0;
      std::uint16_t port = 0;
   };
   struct family {
      family_answer answer = family_answer::pending;
      std::vector<std::string> addresses = {};
   };
   struct name {
      std::vector<asker> askers;
      std::vector<std::string> addresses;  // of the last good answer, IPv4 first
      time_point answered = {};
      time_point stale_at = never;  // askers are waiting, and these addresses will do from then on

      bool searching = false;
      std::vector<std::string> candidates;
      std::size_t at = 0;            // in `candidates`
      std::uint64_t question = 0;    // the last one's number: answers to earlier ones are not looked at
      family families[2];            // IPv4, IPv6
      time_point decide_at = never;  // one family has answered: the other is waited for until then
      std::string problem;
   };
   enum class ending : std::uint8_t { found, gone, failed };

   void search(const std::string& host, name&);
   bool find_locally(const std::string& host, name&);
   void ask(const std::string& host, name&);
   std::string open_channel();  // empty, or the problem
   void close();
   void came(const query&, std::vector<std::string> addresses, int status);
   void go_on(const std::string& host, name&);
   void conclude(const std::string& host, name&, ending);
   void give_all(const std::string& host, name&, const std::string& problem);
   void give(const asker&, const name&, const std::string& problem);

   name_settings settings_;
   search_rules rules_;
   ares_channeldata* channel_ = nullptr;  // made with the first name
   ares_channeldata* files_ = nullptr;    // the same, for /etc/hosts alone
   bool outdated_ = false;                // its servers did not answer: others may be configured by now
   bool closing_ = false;
   std::size_t pending_ = 0;
   std::uint64_t questions_ = 0;
   time_point now_ = {};
   std::map<std::string, name> names_;
   std::vector<answer> answers_;
};

}  // namespace holdfast::impl
