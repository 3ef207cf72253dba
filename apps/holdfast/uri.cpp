#include "uri.hpp"

#include <cstdlib>

namespace holdfast::cli {

uri_choice choose_uri(const std::string& option) {
   if (!option.empty()) return {option, "-u"};
   for (const char* const name : {"HOLDFAST_URI", "REDIS_URL"}) {
      const char* const text = std::getenv(name);
      if (text != nullptr && *text != '\0') return {text, std::string("$") + name};
   }
   return {"redis://127.0.0.1:6379", "the default"};
}

result<config> read_uri(const uri_choice& choice) {
   auto read = config::from_uri(choice.text);
   if (!read) {
      error e = read.error();
      if (e.causes.empty()) e.causes.push_back(e.code().message());
      e.causes.front() = "the URI from " + choice.source + ": " + e.causes.front();
      return e;
   }
   return read;
}

}  // namespace holdfast::cli
