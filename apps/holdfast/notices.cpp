#include "notices.hpp"

#include "explain.hpp"

#include <fmt/format.h>

namespace holdfast::cli {
namespace {

std::string trying_on(std::string_view answer) { return fmt::format("the server answers {}; trying on", answer); }

// A resend's reason is an error's whole line; the first part is what happened.
std::string what_happened(std::string_view why) {
   constexpr std::string_view answered = "the server answered an error: ";
   why = why.substr(0, why.find("; outcome "));
   if (why.starts_with(answered)) return trying_on(why.substr(answered.size()));
   return fmt::format("sending it again ({})", why);
}

}  // namespace

void notices::on(const any_event& any, clock::time_point now) {
   std::visit([&](const auto& e) { hear(e, now); }, any);
}

void notices::hear(const event::connected& e, clock::time_point now) {
   trouble_ends("connected to " + to_string(e.master), now);
}
void notices::hear(const event::suspicion_cleared& e, clock::time_point now) {
   trouble_ends(to_string(e.where) + " answers again", now);
}
void notices::hear(const event::connection_lost& e, clock::time_point now) {
   trouble_begins(now);
   note("lost", fmt::format("lost the connection to {} ({}); looking for the master", to_string(e.where), e.why), now);
}
void notices::hear(const event::suspected& e, clock::time_point now) {
   trouble_begins(now - e.silent_for);
   note("silent", to_string(e.where) + " does not answer; asking whether it is still the master", now);
}
void notices::hear(const event::dial_failed& e, clock::time_point now) {
   constexpr std::string_view answered = "the handshake was answered with an error: ";
   const std::string where = to_string(e.where);
   if (e.why.starts_with(answered) && is_busy(std::string_view(e.why).substr(answered.size())))
      return note("dial " + where, trying_on(std::string_view(e.why).substr(answered.size())), now);
   note("dial " + where, fmt::format("cannot connect to {} ({}); trying on", where, e.why), now);
}
void notices::hear(const event::role_refused& e, clock::time_point now) {
   const std::string where = to_string(e.where);
   note("role " + where, fmt::format("{} is no master but a {}; waiting for a master", where, e.role), now);
}
void notices::hear(const event::sentinel_down& e, clock::time_point now) {
   const std::string where = to_string(e.sentinel);
   note("sentinel " + where, fmt::format("cannot ask Sentinel {} ({}); trying on", where, e.why), now);
}
void notices::hear(const event::sentinel_said& e, clock::time_point now) {
   if (e.channel == "+try-failover") note("failover", "the Sentinels have begun a failover", now);
}
void notices::hear(const event::master_named& e, clock::time_point now) {
   if (e.provisional) return note("selected", to_string(e.to) + " says that it is the master now", now);
   if (!e.from.empty()) note("named", "the Sentinels name another master: " + to_string(e.to), now);
}
void notices::hear(const event::master_withdrawn& e, clock::time_point now) {
   note("withdrawn", fmt::format("{} is not the master after all ({})", to_string(e.master), e.why), now);
}
void notices::hear(const event::resent& e, clock::time_point now) { note("resent", what_happened(e.why), now); }

void notices::trouble_begins(clock::time_point now) {
   if (in_trouble_) return;
   in_trouble_ = true;
   since_ = now;
   told_ = false;
   topics_.clear();
   waiting_.clear();
}

void notices::note(const std::string& topic, std::string line, clock::time_point now) {
   // While all is well nobody needs to know what the Sentinels are about, only that the command itself has to wait.
   if (!in_trouble_ && topic != "resent") return;
   if (topics_.size() < most_topics && topics_.insert(topic).second) waiting_.push_back(std::move(line));
   if (now - since_ < patience) return;
   for (const std::string& each : waiting_) say_(each);
   told_ = told_ || !waiting_.empty();
   waiting_.clear();
}

void notices::trouble_ends(const std::string& how, clock::time_point now) {
   if (in_trouble_ && told_) say_(fmt::format("{} after {}", how, in_words(now - since_)));
   in_trouble_ = told_ = false;
   waiting_.clear();
}

}  // namespace holdfast::cli
