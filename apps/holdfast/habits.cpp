#include "habits.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace holdfast::cli {
namespace {

using line_position = std::vector<std::string>::const_iterator;

// What redis-cli takes as options and Holdfast as parts of the URI.
struct server_options {
   std::string host = {}, port = {}, database = {}, socket = {};
   bool user = false, password = false, tls = false, uri = false;

   bool any() const {
      return user || password || tls || !host.empty() || !port.empty() || !database.empty() || !socket.empty();
   }
};

bool is_option(const std::string& word) { return word.size() > 1 && word.front() == '-' && word != "--"; }

template <std::size_t Size>
bool is_one_of(const std::string& word, const std::array<const char*, Size>& words) {
   return std::find(words.begin(), words.end(), word) != words.end();
}

constexpr std::array subcommands_with_uri = {"exec", "resolve", "watch"};
constexpr std::array subcommands = {"exec", "resolve", "watch", "drill", "sim", "check", "switchover", "proxy"};
constexpr std::array ours_with_value = {"--deadline", "--delivery", "--acks"};
constexpr std::array ours_alone = {"--json"};

// Takes one option, and its value if it has one. False for what is neither redis-cli's nor ours.
bool take(line_position& at, line_position end, server_options& found) {
   const std::string& option = *at++;
   const auto value = [&] { return at == end ? std::string() : *at++; };
   if (option == "-h")
      found.host = value();
   else if (option.starts_with("-h"))  // -hHOST
      found.host = option.substr(2);
   else if (option == "-p")
      found.port = value();
   else if (option == "-n")
      found.database = value();
   else if (option == "-s")
      found.socket = value();
   else if (option == "-u" || option == "--uri")
      found.uri = true, value();
   else if (option == "--user")
      found.user = true, value();
   else if (option == "-a" || option == "--pass")
      found.password = true, value();
   else if (option == "--askpass")
      found.password = true;
   else if (option == "--tls" || option == "--insecure")
      found.tls = true;
   else if (is_one_of(option, std::array{"--cacert", "--cert", "--key", "--sni"}))
      found.tls = true, value();
   else if (is_one_of(option, ours_with_value))
      value();
   else
      return is_one_of(option, ours_alone);
   return true;
}

std::string uri_of(const server_options& found) {
   if (found.uri) return "URI";
   const std::string login =
      found.user || found.password ? std::string(found.user ? "USER" : "") + ":PASSWORD@" : std::string();
   if (!found.socket.empty())
      return "unix://" + login + found.socket + (found.database.empty() ? "" : "?db=" + found.database);
   std::string host = found.host.empty() ? "127.0.0.1" : found.host;
   if (host.find(':') != std::string::npos) host = "[" + host + "]";
   return "redis://" + login + host + (found.port.empty() ? "" : ":" + found.port) +
          (found.database.empty() ? "" : "/" + found.database);
}

// The command by its name alone: what follows may be secret.
std::string rest_of(const std::string& subcommand, line_position at, line_position end) {
   if (subcommand != "exec") return "";
   if (at != end && *at == "exec") ++at;
   if (at == end || is_option(*at) || names_server(*at)) return " COMMAND [ARG...]";
   return " " + *at + (at + 1 == end ? "" : " ...");
}

}  // namespace

bool names_server(const std::string& word) {
   if (word.find("://") != std::string::npos) return true;
   const std::size_t colon = word.rfind(':');
   return colon != std::string::npos && colon != 0 && colon + 1 != word.size() &&
          std::all_of(word.begin() + static_cast<std::ptrdiff_t>(colon) + 1, word.end(),
                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string instead_of_habit(const std::vector<std::string>& line) {
   if (line.empty()) return "";
   auto at = line.begin();
   const bool named = is_one_of(*at, subcommands_with_uri);
   if (!named && !is_option(*at) && !names_server(*at)) return "";
   const std::string subcommand = named ? *at++ : "exec";

   server_options found;
   while (at != line.end() && is_option(*at)) {
      // Alone, or before a subcommand, it asks for help.
      const bool asks_for_help = at + 1 == line.end() || is_option(at[1]) || (!named && is_one_of(at[1], subcommands));
      if (*at == "-h" && asks_for_help) return "";
      if (!take(at, line.end(), found)) break;
   }
   const std::string instead = "holdfast " + subcommand + " -u ";
   if (found.any()) {
      if (found.uri)
         return "host, port, password and database belong into the URI: " + instead +
                "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]" + rest_of(subcommand, at, line.end());
      return "redis-cli's options are a URI here: " + instead + uri_of(found) + rest_of(subcommand, at, line.end()) +
             (found.tls ? "; but TLS is not built yet" : "");
   }
   if (found.uri && !named)
      return "options come behind the subcommand: " + instead + "URI" + rest_of(subcommand, at, line.end());
   if (at != line.end() && names_server(*at)) {
      const bool is_uri = at->find("://") != std::string::npos;
      const std::string uri = is_uri ? "URI" : "redis://" + *at;  // the URI itself may hold a password
      const std::string place = subcommand == "exec" ? " in place of a command" : " without -u";
      return std::string(is_uri ? "a URI" : "HOST:PORT") + place + ": is that meant as -u URI? " + instead + uri +
             rest_of(subcommand, at + 1, line.end());
   }
   return "";
}

}  // namespace holdfast::cli
