#include <holdfast/event.hpp>

#include <chrono>
#include <iterator>
#include <variant>

namespace holdfast {
namespace {

std::string in_ms(duration d) {
   return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count()) + " ms";
}

std::string line(const event::sentinel_up& e) { return "Sentinel " + to_string(e.sentinel) + " answers"; }
std::string line(const event::sentinel_down& e) {
   return "Sentinel " + to_string(e.sentinel) + " does not answer: " + e.why;
}
std::string line(const event::sentinel_learned& e) { return "learned of Sentinel " + to_string(e.sentinel); }
std::string line(const event::sentinel_said& e) {
   return "Sentinel " + to_string(e.sentinel) + " said " + e.channel + " " + e.payload;
}
std::string line(const event::master_named& e) {
   const std::string epoch = " (epoch " + std::to_string(e.epoch) + ")";
   if (e.provisional)
      return to_string(e.to) + " was selected, and says that it is the master now instead of " + to_string(e.from) +
             epoch;
   if (e.from.empty()) return "the Sentinels name " + to_string(e.to) + " as the master" + epoch;
   return "the Sentinels name " + to_string(e.to) + " as the master instead of " + to_string(e.from) + epoch;
}
std::string line(const event::master_confirmed& e) {
   return "the Sentinels confirm " + to_string(e.master) + " as the master (epoch " + std::to_string(e.epoch) + ")";
}
std::string line(const event::master_withdrawn& e) {
   return to_string(e.master) + " is not the master after all (epoch " + std::to_string(e.epoch) + "), back to " +
          to_string(e.back_to) + ": " + e.why;
}
std::string line(const event::stale_answer& e) {
   return "Sentinel " + to_string(e.sentinel) + " still names " + to_string(e.named) + " of epoch " +
          std::to_string(e.epoch) + ", not believed: epoch " + std::to_string(e.believed_epoch) + " is newer";
}
std::string line(const event::new_lineage& e) {
   return "all Sentinels agree on " + to_string(e.master) + " under epoch " + std::to_string(e.epoch) +
          ": they were rebuilt, epoch " + std::to_string(e.abandoned_epoch) + " is abandoned";
}
std::string line(const event::master_lost& e) { return "no master is named: " + e.why; }
std::string line(const event::connected& e) {
   return "connected to " + to_string(e.master) + (e.resp3 ? " (RESP3)" : " (RESP2)");
}
std::string line(const event::dial_failed& e) { return "could not connect to " + to_string(e.where) + ": " + e.why; }
std::string line(const event::role_refused& e) { return to_string(e.where) + " is no master but a " + e.role; }
std::string line(const event::connection_lost& e) {
   return "lost the connection to " + to_string(e.where) + ": " + e.why +
          "; unanswered: " + std::to_string(e.unanswered);
}
std::string line(const event::suspected& e) {
   return to_string(e.where) + " has not answered for " + in_ms(e.silent_for) + ": probing it";
}
std::string line(const event::suspicion_cleared& e) { return to_string(e.where) + " answered after all"; }
std::string line(const event::fenced& e) {
   if (e.done)
      return "the lost connection to " + to_string(e.where) + " is fenced: nothing sent on it can run any more";
   return "the lost connection to " + to_string(e.where) + " could not be fenced: " + e.why;
}
// " word HOST:PORT", or nothing where no node is known.
std::string at(const char* word, const endpoint& where) {
   return where == endpoint{} ? "" : std::string(word) + to_string(where);
}
std::string line(const event::resent& e) {
   return "sent again" + at(" to ", e.where) + " (attempt " + std::to_string(e.attempt) + "): " + e.command +
          "; before: " + e.why;
}
std::string line(const event::outcome_unknown& e) {
   return "outcome unknown" + at(" at ", e.where) + ": " + e.command + "; " + e.why;
}
std::string line(const event::budget_exhausted& e) {
   return "not sent again" + at(" to ", e.where) + ", as the retry budget is spent: " + e.command + "; " + e.why;
}
std::string line(const event::breaker_changed& e) { return "the circuit breaker is " + e.state; }

}  // namespace

std::string_view name_of(const any_event& e) {
   // In the order of any_event.
   constexpr std::string_view names[] = {"sentinel_up",    "sentinel_down",    "sentinel_learned", "sentinel_said",
                                         "master_named",   "master_confirmed", "master_withdrawn", "stale_answer",
                                         "new_lineage",    "master_lost",      "connected",        "dial_failed",
                                         "role_refused",   "connection_lost",  "suspected",        "suspicion_cleared",
                                         "fenced",         "resent",           "outcome_unknown",  "budget_exhausted",
                                         "breaker_changed"};
   static_assert(std::size(names) == std::variant_size_v<any_event>);
   return names[e.index()];
}

std::string to_string(const any_event& e) {
   std::string out;
   impl::append_printable(out, std::visit([](const auto& what) { return line(what); }, e));
   return out;
}

}  // namespace holdfast
