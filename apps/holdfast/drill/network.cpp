#include "drill/network.hpp"

#include "config/parse.hpp"

#include <array>
#include <sstream>

namespace holdfast::drill {
namespace {

using kind = lab::network_fault::kind;
using lab::direction;

struct word {
   std::string_view name;
   kind what;
   std::string_view help;
};

constexpr std::array<word, 8> fault_words = {
   {{"delay", kind::delay, "delay=TIME         all that is said comes so much later: 20ms, 1s"},
    {"rate", kind::dribble, "rate=BYTES         so many bytes a second pass"},
    {"cut", kind::reset, "cut=BYTES          behind so many bytes each connection is reset (RST)"},
    {"close", kind::close, "close=BYTES        ... is closed (FIN)"},
    {"half-close", kind::half_close, "half-close=BYTES   ... is closed in that direction alone"},
    {"stall", kind::stall, "stall=BYTES        ... passes nothing more, and the sender is held back"},
    {"swallow", kind::swallow, "swallow=BYTES      ... loses what is said, in that direction"},
    {"silence", kind::silence, "silence=BYTES      ... loses what is said, in both directions"}}};

const word* word_named(std::string_view name) {
   for (const word& w : fault_words)
      if (w.name == name) return &w;
   return nullptr;
}

// One of them, without its direction.
std::string read_fault(const word& w, std::string_view value, lab::network_fault& f) {
   f.what = w.what;
   if (f.what == kind::delay) {
      const auto time = parse_duration(value);
      if (!time || *time <= duration::zero() || *time > std::chrono::hours(1))
         return "delay is a time like 20ms or 1s, up to 1h";
      f.time = std::chrono::ceil<lab::milliseconds>(*time);
      return {};
   }
   const auto bytes = parse_number<std::size_t>(value);
   if (!bytes || (f.what == kind::dribble && *bytes == 0))
      return std::string(w.name) + " is a number of bytes, as in " + std::string(w.name) + "=1000";
   (f.what == kind::dribble ? f.rate : f.after) = *bytes;
   return {};
}

}  // namespace

std::string read_network(std::string_view words, std::vector<lab::network_fault>& into) {
   std::istringstream list{std::string(words)};
   for (std::string item; std::getline(list, item, ',');) {
      const std::size_t equals = item.find('=');
      const std::size_t at = item.find('@');
      const word* const w = word_named(std::string_view(item).substr(0, equals));
      if (w == nullptr || equals == std::string::npos)
         return "\"" + item + "\" is none of delay=TIME, rate, cut, close, half-close, stall, swallow, silence=BYTES";
      lab::network_fault f;
      const auto value = std::string_view(item).substr(equals + 1, at == std::string::npos ? at : at - equals - 1);
      if (std::string wrong = read_fault(*w, value, f); !wrong.empty()) return wrong;
      const std::string where = at == std::string::npos ? "" : item.substr(at + 1);
      if (at != std::string::npos && where != "requests" && where != "replies")
         return "\"@" + where + "\" is neither @requests nor @replies";
      if (where.empty() && (f.what == kind::delay || f.what == kind::dribble)) {
         for (const lab::network_fault& each : both_ways(f)) into.push_back(each);
      } else {
         f.towards = where == "requests" ? direction::to_server : direction::to_client;
         into.push_back(f);
      }
   }
   return into.empty() ? "is a list like delay=20ms,cut=1000" : "";
}

std::string network_help() {
   std::string text;
   for (const word& w : fault_words) text += "  " + std::string(w.help) + "\n";
   return text;
}

}  // namespace holdfast::drill
