#include "topology/sentinel/belief.hpp"

#include <algorithm>

namespace holdfast::impl {
namespace {

std::size_t count(std::span<const sentinel_vote> in_hand, const endpoint& where, std::uint64_t epoch,
                  bool repeated_only) {
   return static_cast<std::size_t>(std::count_if(in_hand.begin(), in_hand.end(), [&](const sentinel_vote& o) {
      return o.epoch == epoch && o.where == where && (o.repeated || !repeated_only);
   }));
}

master_choice choose_under_same_epoch(const master_node& believed, std::span<const sentinel_vote> in_hand) {
   const auto voters = static_cast<std::size_t>(
      std::count_if(in_hand.begin(), in_hand.end(), [&](const sentinel_vote& o) { return o.epoch == believed.epoch; }));
   bool first_time = false;
   for (const auto& o : in_hand) {
      if (o.epoch != believed.epoch || o.where == believed.where) continue;
      if (2 * count(in_hand, o.where, o.epoch, true) > voters) return {belief_change::adopt, o.where, o.epoch};
      first_time = first_time || !o.repeated;
   }
   return {first_time ? belief_change::ask_again : belief_change::keep, believed.where, believed.epoch};
}

}  // namespace

master_choice choose_master(const master_node* believed, std::span<const sentinel_vote> in_hand) {
   if (in_hand.empty()) return {};
   std::uint64_t newest = 0;
   for (const auto& o : in_hand) newest = std::max(newest, o.epoch);
   if (believed && newest < believed->epoch) return {belief_change::keep, believed->where, believed->epoch};
   if (believed && newest == believed->epoch) return choose_under_same_epoch(*believed, in_hand);

   const sentinel_vote* best = nullptr;
   std::size_t most = 0;
   for (const auto& o : in_hand) {
      if (o.epoch != newest) continue;
      const auto votes = count(in_hand, o.where, newest, false);
      if (votes <= most) continue;
      best = &o;
      most = votes;
   }
   return {belief_change::adopt, best->where, newest};
}

bool leave_out_unsupported(std::vector<sentinel_vote>& in_hand, std::size_t known) {
   std::optional<std::uint64_t> newest;
   for (const auto& o : in_hand) {
      if (o.configured) newest = std::max(newest.value_or(0), o.epoch);
   }
   if (!newest) return false;
   const auto newer = std::count_if(in_hand.begin(), in_hand.end(),
                                    [&](const sentinel_vote& o) { return o.epoch > *newest && o.proven; });
   if (2 * static_cast<std::size_t>(newer) > known) return false;
   return std::erase_if(in_hand, [&](const sentinel_vote& o) { return o.epoch > *newest; }) != 0;
}

std::optional<sentinel_vote> agreed_older(const master_node& believed, std::span<const sentinel_vote> in_hand,
                                          std::size_t known) {
   if (in_hand.empty() || 2 * in_hand.size() <= known || in_hand[0].epoch >= believed.epoch) return std::nullopt;
   const auto same = [&](const sentinel_vote& o) { return o.where == in_hand[0].where && o.epoch == in_hand[0].epoch; };
   if (!std::all_of(in_hand.begin(), in_hand.end(), same)) return std::nullopt;
   return in_hand[0];
}

}  // namespace holdfast::impl
