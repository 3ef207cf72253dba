// Which servers a subcommand works on.
#pragma once

#include <holdfast/config.hpp>

#include <string>

namespace holdfast::cli {

// What `-u` says, or $HOLDFAST_URI, or $REDIS_URL, or redis://127.0.0.1:6379. An empty variable counts as unset.
struct uri_choice {
   std::string text = {};
   std::string source = {};  // "-u", "$REDIS_URL", ..., for messages

   // To be added to what says that the server could not be used: empty where the user named it.
   std::string reminder() const;
};
uri_choice choose_uri(const std::string& option);

// Reads it. A bad one is an error whose causes name its source too; a password is never shown.
result<config> read_uri(const uri_choice&);

}  // namespace holdfast::cli
