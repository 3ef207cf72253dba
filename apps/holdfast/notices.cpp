#include "notices.hpp"

#include <fmt/format.h>

namespace holdfast::cli {

void notices::on(const any_event& any, clock::time_point now) {
   if (const auto* e = std::get_if<event::connected>(&any)) return over(e->master, now);
   if (const auto* e = std::get_if<event::dial_failed>(&any))
      return trouble("dial " + to_string(e->where),
                     fmt::format("cannot connect to {} ({}); trying on", to_string(e->where), e->why), now);
   if (const auto* e = std::get_if<event::role_refused>(&any))
      return trouble("role " + to_string(e->where),
                     fmt::format("{} is no master but a {}; waiting for a master", to_string(e->where), e->role), now);
   if (const auto* e = std::get_if<event::connection_lost>(&any))
      return trouble("lost " + to_string(e->where),
                     fmt::format("lost the connection to {} ({}); looking for the master", to_string(e->where), e->why),
                     now);
   if (const auto* e = std::get_if<event::suspected>(&any))
      return trouble("silent " + to_string(e->where),
                     fmt::format("{} does not answer; asking whether it is still the master", to_string(e->where)),
                     now);
   if (const auto* e = std::get_if<event::master_lost>(&any))
      return trouble("no master", "no master is known: " + e->why + "; asking on", now);
   if (const auto* e = std::get_if<event::sentinel_said>(&any)) {
      if (e->channel == "+try-failover") return trouble("failover", "the Sentinels have begun a failover", now);
      return;
   }
   if (const auto* e = std::get_if<event::master_named>(&any)) {
      if (e->from.empty()) return;
      return trouble(
         "named " + to_string(e->to),
         fmt::format("the Sentinels name {} as the master instead of {}", to_string(e->to), to_string(e->from)), now);
   }
   if (const auto* e = std::get_if<event::resent>(&any)) return trouble("resent", "sent again: " + e->why, now);
}

void notices::trouble(std::string topic, std::string line, clock::time_point now) {
   if (!in_trouble_) {
      in_trouble_ = true;
      since_ = now;
   }
   if (topics_.insert(std::move(topic)).second) waiting_.push_back(std::move(line));
   if (now - since_ < patience) return;
   for (const std::string& each : waiting_) say_(each);
   told_ = told_ || !waiting_.empty();
   waiting_.clear();
}

void notices::over(const endpoint& master, clock::time_point now) {
   if (told_) {
      const std::chrono::duration<double> lasted = now - since_;
      say_(fmt::format("connected to {} after {:.1f} s", to_string(master), lasted.count()));
   }
   in_trouble_ = told_ = false;
   topics_.clear();
   waiting_.clear();
}

}  // namespace holdfast::cli
