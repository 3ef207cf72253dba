// Names to addresses, without blocking: c-ares, driven by the loop's own poll().
//
// Who asks while the same name is being resolved gets that answer; so a resolver that is slower than a connect timeout
// is found out about once, not given up anew with each try. Good answers are kept: for a moment instead of asking, and
// for as long as need be where asking fails or takes long. Failures are never kept.
#pragma once

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

namespace holdfast::poll {

class resolver {
 public:
   struct answer {
      std::uint32_t link = 0;
      std::uint32_t serial = 0;
      std::vector<endpoint> addresses;  // empty: see `problem`
      std::string problem;
   };

   resolver() = default;
   ~resolver();
   resolver(const resolver&) = delete;
   resolver& operator=(const resolver&) = delete;

   // The name servers of those channels that are made from now on, "ADDRESS:PORT,..."; empty: the system's. For tests,
   // which bring a server of their own; not to be changed while another thread resolves names.
   static std::string& name_servers();

   void start(std::uint32_t link, std::uint32_t serial, const endpoint& where, time_point now);
   void add_to(std::vector<pollfd>&) const;                                 // what to wait for
   std::optional<std::chrono::milliseconds> timeout(time_point now) const;  // and how long at most
   void process(const pollfd* begin, const pollfd* end, time_point now);    // after poll(): those added by add_to
   bool busy() const { return pending_ != 0; }
   std::vector<answer> take_answers();

 private:
   // A node that comes back elsewhere under its old name is looked for at its old address so long at most.
   static constexpr duration fresh_for = std::chrono::seconds(1);
   // How long the addresses in hand wait: those of an earlier answer for a newer one, those of one family for the other
   // (RFC 8305, "resolution delay"). Some networks lose all questions about IPv6.
   static constexpr duration patience = std::chrono::milliseconds(50);
   // Until a question is sent again, and doubled with each round: datagrams get lost. c-ares' own is 5 s.
   static constexpr std::chrono::milliseconds again_after{500};
   static constexpr int most_rounds = 4;
   static constexpr std::size_t most_names = 256;

   struct query;
   struct asker {
      std::uint32_t link = 0;
      std::uint32_t serial = 0;
      std::uint16_t port = 0;
   };
   struct name {
      bool asked[2] = {false, false};  // and not answered yet: for IPv4, for IPv6
      std::vector<asker> askers;
      std::vector<std::string> addresses;  // of the last good answer, IPv4 first
      std::vector<std::string> coming[2];  // of the one that is being given: IPv4, IPv6
      time_point answered = {};
      time_point patient_until = never;  // askers are waiting, and there is something to give them
      std::string problem;
   };
   void ask(const std::string& host, name&);
   std::string open_channel();  // empty, or the problem
   void came(const std::string& host, bool v6, std::vector<std::string> addresses, int status);
   void settle(const std::string& host, name&);
   void give(const asker&, const name&, const std::string& problem);

   ares_channeldata* channel_ = nullptr;  // made with the first name
   bool outdated_ = false;                // its servers did not answer: others may be configured by now
   bool reopening_ = false;
   std::size_t pending_ = 0;
   time_point now_ = {};
   std::map<std::string, name> names_;
   std::vector<answer> answers_;
};

}  // namespace holdfast::poll
