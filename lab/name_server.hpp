// A small DNS server: it answers as it is told, so that names can fail in every way in which they do.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::lab {

// Runs in a thread of its own, on a free UDP port of 127.0.0.1. All members may be called from any thread. A name that
// it was not told of does not exist (NXDOMAIN).
class name_server {
 public:
   name_server();  // throws std::system_error
   ~name_server();
   name_server(const name_server&) = delete;
   name_server& operator=(const name_server&) = delete;

   std::string address() const;  // "127.0.0.1:PORT"

   // Each replaces what was said of that name. IPv4 and IPv6 addresses may be mixed: a question about one family is
   // answered with those of it, an empty answer if there are none.
   void resolve(const std::string& name, std::vector<std::string> addresses);
   void forget(const std::string& name);  // NXDOMAIN
   void fail(const std::string& name);    // SERVFAIL
   // Questions about that name go unanswered; or only those about IPv6.
   void be_silent(const std::string& name);
   void be_silent_on_ipv6(const std::string& name);

   // How often that name was asked for (two families: twice).
   unsigned asked(const std::string& name) const;

 private:
   struct record {
      enum class kind { addresses, missing, failing, silent } what = kind::missing;
      std::vector<std::string> addresses = {};
      bool silent_on_ipv6 = false;
   };
   void run();
   std::string answer_to(const std::string& question);

   int socket_ = -1;
   int wake_ = -1;
   mutable std::mutex guard_;  // of what follows
   std::map<std::string, record> records_;
   std::map<std::string, unsigned> asked_;
   std::thread thread_;
};

}  // namespace holdfast::lab
