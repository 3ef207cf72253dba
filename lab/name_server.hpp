// A small DNS server: it answers as it is told, so that names can fail in every way in which they do.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::lab {

// Runs in a thread of its own, on a UDP port of 127.0.0.1. All members may be called from any thread. A name that it
// was not told of does not exist (NXDOMAIN), unless it lies under a domain that has a wildcard.
class name_server {
 public:
   explicit name_server(std::uint16_t port = 0);  // 0: a free one; throws std::system_error
   ~name_server();
   name_server(const name_server&) = delete;
   name_server& operator=(const name_server&) = delete;

   std::string address() const;  // "127.0.0.1:PORT"
   std::uint16_t port() const;

   enum class says : std::uint8_t {
      addresses,
      no_such_name,  // NXDOMAIN
      no_data,       // the name exists
      failure,       // SERVFAIL
      nothing,
   };
   enum class about : std::uint8_t { ipv4, ipv6 };

   // Each replaces what was said of that name. IPv4 and IPv6 addresses may be mixed: a question about one family is
   // answered with those of it, an empty answer if there are none.
   void resolve(const std::string& name, std::vector<std::string> addresses);
   void forget(const std::string& name) { say(name, says::no_such_name); }
   void fail(const std::string& name) { say(name, says::failure); }
   void be_silent(const std::string& name) { say(name, says::nothing); }
   void say(const std::string& name, says);
   void say(const std::string& name, about, says);  // of the other family what was said stays
   // For all names under that domain that nothing else was said of.
   void resolve_under(const std::string& domain, std::vector<std::string> addresses);

   // How often that name was asked for (two families: twice).
   unsigned asked(const std::string& name) const;

 private:
   struct record {
      says what[2] = {says::no_such_name, says::no_such_name};  // about IPv4, IPv6
      std::vector<std::string> addresses = {};
   };
   void run();
   std::string answer_to(const std::string& question);
   const record& record_of(const std::string& name) const;

   int socket_ = -1;
   int wake_ = -1;
   mutable std::mutex guard_;  // of what follows
   std::map<std::string, record> records_;
   std::map<std::string, record> wildcards_;
   std::map<std::string, unsigned> asked_;
   std::thread thread_;
};

}  // namespace holdfast::lab
