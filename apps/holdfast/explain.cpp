#include "explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <vector>

namespace holdfast::cli {
namespace {

constexpr std::size_t most_causes = 4;

// The library's causes go from the general to the particular, and what names a server often says the general one again.
std::vector<std::string> distinct_causes(const error& e) {
   std::vector<std::string> distinct;
   for (auto cause = e.causes.begin(); cause != e.causes.end(); ++cause) {
      const bool said_again = std::any_of(
         cause + 1, e.causes.end(), [&](const std::string& later) { return later.find(*cause) != std::string::npos; });
      if (!said_again) distinct.push_back(*cause);
   }
   return distinct;
}

std::string causes(const error& e) {
   const auto all = distinct_causes(e);
   std::string text;
   for (std::size_t i = 0; i < all.size() && i < most_causes; ++i) text += (i == 0 ? "" : "; ") + all[i];
   if (all.size() > most_causes) text += fmt::format("; and {} more", all.size() - most_causes);
   return text;
}

std::string in_brackets(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

std::string sentinels_of(const config& servers) {
   std::string text;
   for (const endpoint& sentinel : servers.sentinels) text += (text.empty() ? "" : ", ") + to_string(sentinel);
   return text;
}

std::string how_to_log_in(const error& e, const config& servers) {
   const std::string all = causes(e);
   if (all.starts_with("Sentinel")) {
      const bool none = servers.sentinel_password.empty();
      return none ? "give the Sentinels' own: ?sentinel_password=PASSWORD at the end of the URI"
                  : "check sentinel_username and sentinel_password in the URI";
   }
   return servers.password.empty() ? "give it in the URI: redis://[USER]:PASSWORD@HOST"
                                   : "check USER and PASSWORD in the URI";
}

// What a server that expects TLS does when it is spoken to in plain: it sends an alert, or hangs up.
std::string tls_hint(const std::string& why) {
   if (why.find("\\x15\\x03") != std::string::npos) return "; that looks like TLS, which is not built yet";
   if (why.find("closed by the other side") == std::string::npos) return "";
   return "; a TLS port, for one, hangs up like this, and TLS is not built yet";
}

std::string of_unknown_outcome(const error& e) {
   const std::string where = e.where.empty() ? "" : " to " + to_string(e.where);
   const std::string often = e.attempts > 1 ? fmt::format(" {} times", e.attempts) : "";
   std::string reason = e.code() == errc::connection_lost || e.code() == errc::server_error ? "" : e.code().message();
   if (!e.server_text.empty()) reason += (reason.empty() ? "" : "; ") + e.server_text;
   if (const auto more = causes(e); !more.empty()) reason += (reason.empty() ? "" : "; ") + more;
   return fmt::format(
      "outcome unknown: the command was sent{}{}, and it may have run, now or later{}; "
      "look at the data before you repeat it",
      where, often, in_brackets(reason));
}

std::string of_final_trouble(const error& e, const config& servers) {
   if (e.code().category() != error_category())
      return fmt::format("not executed: {}{}", e.code().message(), in_brackets(causes(e)));
   const auto code = static_cast<errc>(e.code().value());
   const std::string tried = fmt::format("within {}{}", in_words(e.elapsed), in_brackets(causes(e)));
   switch (code) {
      case errc::unknown_master:
         return fmt::format(
            "no master named \"{}\" is known to the Sentinels{}; check the name at the end of the URI: "
            "SENTINEL MASTERS, asked of a Sentinel, lists those that there are",
            servers.master, in_brackets(sentinels_of(servers)));
      case errc::authentication_failed: return fmt::format("{}; {}", causes(e), how_to_log_in(e, servers));
      case errc::no_sentinel:
         return fmt::format(
            "no Sentinel answered {}; check that they run, and that HOST:PORT in the URI is theirs "
            "(usually port 26379)",
            tried);
      case errc::no_master:
         if (servers.sentinels.empty())
            return fmt::format("the server could not be reached {}; check that it runs, and HOST:PORT in the URI{}",
                               tried, tls_hint(tried));
         return fmt::format(
            "the Sentinels answer, but no master could be reached {}; check that it runs, and that its "
            "address can be reached from here",
            tried);
      case errc::protocol_error: return fmt::format("{}; check HOST:PORT in the URI{}", causes(e), tls_hint(causes(e)));
      case errc::server_error:
         if (!is_busy(e.server_text)) break;
         return fmt::format("not executed within {}: the server kept answering {}; give it longer with --deadline",
                            in_words(e.elapsed), e.server_text);
      case errc::refused: return fmt::format("the server turns connections away {}", tried);
      case errc::deadline_exceeded:
         return fmt::format("not executed {}; give it longer with --deadline",
                            e.server_text.empty() ? tried : tried + ": the server kept answering " + e.server_text);
      case errc::cancelled: return fmt::format("interrupted after {}; not executed", in_words(e.elapsed));
      default: break;
   }
   return fmt::format("not executed: {}{}", e.code().message(), in_brackets(causes(e)));
}

// Why a search ended that was connected to a server.
std::string last_word_of(const error& e) {
   return e.server_text.empty() ? "connected, but it does not answer" : "it answers " + e.server_text;
}

}  // namespace

std::string in_words(std::chrono::nanoseconds d) {
   if (d < std::chrono::seconds(1))
      return fmt::format("{} ms", std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
   return fmt::format("{:.1f} s", std::chrono::duration<double>(d).count());
}

bool is_busy(std::string_view answer) { return answer.starts_with("BUSY ") || answer.starts_with("LOADING "); }

std::string explain(const error& e, const config& servers) {
   if (e.outcome == outcome::unknown)
      return (e.code() == errc::cancelled ? "interrupted after " + in_words(e.elapsed) + "; " : "") +
             of_unknown_outcome(e);
   if (e.outcome == outcome::executed) {
      if (e.code() == errc::not_durable)
         return fmt::format("it ran, but only {} replicas acknowledged it", e.replicas_acked);
      if (e.code() == errc::limit_exceeded)
         return fmt::format(
            "it ran, but its reply was not taken: {}; ask for less of it at a time, or raise that limit in a program "
            "of your own",
            causes(e));
      return "it ran, wholly or in part, before that error";
   }
   if (e.code() == errc::invalid_argument || e.code() == errc::not_supported) {
      const std::string detail = causes(e);
      const std::string said = e.server_text.empty() || detail.find(e.server_text) != std::string::npos
                                  ? detail
                                  : detail + ": " + e.server_text;
      if (said.find("MULTI") != std::string::npos) return said + "; from a shell, a script does the same: EVAL";
      return said.empty() ? e.code().message() : said;
   }
   return of_final_trouble(e, servers);
}

std::string explain_unreachable(const error& e, const config& servers) {
   const std::error_code code = e.code();
   const bool silent = code == errc::deadline_exceeded || code == errc::connection_lost;
   error of_search(silent ? make_error_code(errc::no_master) : code, outcome::not_executed);
   of_search.server_text = e.server_text;
   of_search.elapsed = e.elapsed;
   // That our own question may still be answered is nothing to worry about.
   std::copy_if(e.causes.begin(), e.causes.end(), std::back_inserter(of_search.causes),
                [](const std::string& cause) { return !cause.starts_with("not fenced"); });
   if (silent && of_search.causes.empty()) of_search.causes.push_back(to_string(e.where) + ": " + last_word_of(e));
   return explain(of_search, servers);
}

}  // namespace holdfast::cli
