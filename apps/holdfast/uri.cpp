#include "uri.hpp"

#include <cstdlib>

namespace holdfast::cli {

namespace {
constexpr const char* default_source = "the default";
}

std::string uri_choice::reminder() const {
   return source == default_source ? "; another server than " + text + " is named with -u URI" : "";
}

uri_choice choose_uri(const std::string& option) {
   if (!option.empty()) return {option, "-u"};
   for (const char* const name : {"HOLDFAST_URI", "REDIS_URL"}) {
      const char* const text = std::getenv(name);
      if (text != nullptr && *text != '\0') return {text, std::string("$") + name};
   }
   return {"redis://127.0.0.1:6379", default_source};
}

result<config> read_uri(const uri_choice& choice) {
   auto read = config::from_uri(choice.text);
   if (!read) {
      error e = read.error();
      const std::string why = e.causes.empty() ? e.code().message() : e.causes.front();
      text_list causes{"the URI from " + choice.source + ": " + why};
      for (std::size_t i = 1; i < e.causes.size(); ++i) causes.push_back(e.causes[i]);
      e.causes = std::move(causes);
      return e;
   }
   return read;
}

}  // namespace holdfast::cli
