#include "lane/fences_due.hpp"

namespace holdfast::impl {

void fences_due::remember(place at, const identity& who, bool others_wait) {
   for (lost_connection& l : lost_) l.waited_for = l.waited_for && others_wait;
   std::erase_if(lost_, [&](const lost_connection& l) { return l.at.is_same(at) && l.who.run_id == who.run_id; });
   if (lost_.size() == most) forget_one();
   lost_.push_back({std::move(at), who});
}

// The oldest for which nothing waits; else the oldest. Without a run id it would stand for every process there is: what
// waits for it is worth that.
void fences_due::forget_one() {
   const auto idle = std::find_if(lost_.begin(), lost_.end(), [](const auto& l) { return !l.waited_for; });
   const auto which = idle != lost_.end() ? idle : lost_.begin();
   if (which->waited_for || !which->who.run_id.empty()) forgotten_.push_back(which->who.run_id);
   lost_.erase(which);
   if (forgotten_.size() <= most_forgotten) return;
   forgotten_.erase(forgotten_.begin());
   forgotten_.front().clear();
}

bool fences_due::may_be_forgotten(std::string_view run_id) const {
   return std::any_of(forgotten_.begin(), forgotten_.end(),
                      [&](const std::string& id) { return id.empty() || run_id.empty() || id == run_id; });
}

std::vector<earlier_connection> fences_due::earlier(const place& here) const {
   std::vector<earlier_connection> found;
   for (const lost_connection& l : lost_) found.push_back({l.who, l.at.is_same(here)});
   return found;
}

void fences_due::take_fates(const std::vector<earlier_connection>& found, const place& here,
                            const std::string& run_id) {
   std::vector<lost_connection> left;
   for (std::size_t i = 0; i < found.size(); ++i) {
      auto one = result::not_needed;
      switch (found[i].is) {
         case earlier_connection::fate::ended: one = result::holds; break;
         case earlier_connection::fate::alive: one = result::impossible; break;
         case earlier_connection::fate::unproven:
            one = may_be_same(lost_[i], here) ? result::impossible : result::unproven;
            [[fallthrough]];
         case earlier_connection::fate::elsewhere:
            left.push_back(std::move(lost_[i]));
            left.back().passed = true;
            if (one == result::impossible) left.back().waited_for = false;  // what waited ends now
            if (left.back().at.is_same(here)) left.back().at.where = {};
            break;
      }
      result_ = std::max(result_, one);
      if (problem_.empty()) problem_ = found[i].why;
   }
   lost_ = std::move(left);
   if (!may_be_forgotten(run_id)) return;
   std::erase_if(forgotten_, [&](const auto& id) { return id.empty() || run_id.empty() || id == run_id; });
   result_ = result::impossible;
   if (problem_.empty())
      problem_ = "writes were lost at more than " + std::to_string(most) +
                 " nodes, and which connection is to be ended here is not known any more";
}

// Decides where neither run ids nor a kill tell. A failover alone leads to another process: a master is not its own
// replica. A new address under the same epoch may be another name of the same node, and so may the next but one.
bool fences_due::may_be_same(const lost_connection& l, const place& here) {
   const bool was_replaced = !l.passed && here.epoch > l.at.epoch;
   return l.waited_for && !was_replaced;
}

bool fences_due::is_due(const endpoint* present, const std::string* named_run_id) const {
   if (named_run_id != nullptr && may_be_forgotten(*named_run_id)) return true;
   return std::any_of(lost_.begin(), lost_.end(), [&](const lost_connection& l) {
      if (present != nullptr && l.at.where == *present) return true;
      if (named_run_id == nullptr) return false;
      return named_run_id->empty() || l.who.run_id.empty() || *named_run_id == l.who.run_id;
   });
}

}  // namespace holdfast::impl
