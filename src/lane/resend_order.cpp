#include "lane/resend_order.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace holdfast::lane {
namespace {

bool has_older(const std::map<std::uint64_t, operation*>& of, std::uint64_t sequence) {
   return !of.empty() && of.begin()->first < sequence;
}

}  // namespace

template <class F>
reach resend_order::each_hash(const operation& op, F&& f) {
   std::size_t arguments = 0;
   for (const command& c : op.commands) arguments += c.size();
   if (arguments <= most_arguments)
      return each_key(op, [&](std::string_view key) { f(std::hash<std::string_view>{}(key)); });
   const reach its = each_key(op, [](std::string_view) {});
   return its == reach::keys ? reach::everything : its;
}

void resend_order::add(operation& op) {
   all_.emplace_hint(all_.end(), op.sequence, &op);
   side& its = side_of(op);
   its.all.emplace_hint(its.all.end(), op.sequence, &op);
   const reach found = each_hash(op, [&](std::size_t hash) { its.by_key.insert({hash, op.sequence, &op}); });
   if (found == reach::nothing) return;
   its.touching.emplace_hint(its.touching.end(), op.sequence, &op);
   if (found == reach::everything) its.everything.emplace_hint(its.everything.end(), op.sequence, &op);
}

void resend_order::remove(operation& op) {
   all_.erase(op.sequence);
   side& its = side_of(op);
   its.all.erase(op.sequence);
   its.touching.erase(op.sequence);
   its.everything.erase(op.sequence);
   each_hash(op, [&](std::size_t hash) { its.by_key.erase({hash, op.sequence, &op}); });
}

std::vector<operation*> resend_order::all() const {
   std::vector<operation*> found;
   found.reserve(all_.size());
   for (const auto& [sequence, op] : all_) found.push_back(op);
   return found;
}

bool resend_order::has_older_writer(const operation& op) const {
   if (!has_older(writers_.touching, op.sequence)) return false;
   bool found = has_older(writers_.everything, op.sequence);
   const reach its = each_hash(op, [&](std::size_t hash) {
      if (found) return;
      const auto at = writers_.by_key.lower_bound({hash, 0, nullptr});
      found = at != writers_.by_key.end() && at->hash == hash && at->sequence < op.sequence;
   });
   return its == reach::everything || (its == reach::keys && found);
}

std::vector<operation*> resend_order::overtaken_by(const operation* ran, std::uint64_t sequence) const {
   std::vector<operation*> found;
   const auto take_older = [&](const by_sequence& from) {
      for (const auto& [its, op] : from) {
         if (its >= sequence) return;
         found.push_back(op);
      }
   };
   take_older(writers_.all);
   reach touches = reach::everything;
   if (ran != nullptr) {
      touches = each_hash(*ran, [&](std::size_t hash) {
         for (auto at = readers_.by_key.lower_bound({hash, 0, nullptr});
              at != readers_.by_key.end() && at->hash == hash && at->sequence < sequence; ++at)
            found.push_back(at->op);
      });
   }
   if (touches == reach::everything) take_older(readers_.touching);
   if (touches == reach::keys) take_older(readers_.everything);
   const auto older = [](const operation* a, const operation* b) { return a->sequence < b->sequence; };
   std::sort(found.begin(), found.end(), older);
   found.erase(std::unique(found.begin(), found.end()), found.end());
   return found;
}

}  // namespace holdfast::lane
