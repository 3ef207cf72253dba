#include "commands/connection_kills.hpp"

#include <utility>

namespace holdfast::impl {

command connection_kills::ask(std::size_t which) {
   earlier_connection& e = all_[which];
   command kill{"CLIENT", "KILL", "ID", e.who.id};
   if (!e.who.address.empty()) kill.arg("ADDR").arg(e.who.address);
   e.asked = true;
   asked_.push_back(which);
   return kill;
}

std::vector<command> connection_kills::first() {
   asked_.clear();
   answered_ = 0;
   std::vector<command> found;
   for (std::size_t i = 0; i < all_.size(); ++i) {
      earlier_connection& e = all_[i];
      e.asked = false;
      if (e.same_address && !e.who.id.empty() && !e.who.address.empty()) found.push_back(ask(i));
   }
   return found;
}

std::vector<command> connection_kills::later(const std::string& run_id) {
   std::vector<command> found;
   for (std::size_t i = 0; i < all_.size(); ++i) {
      const earlier_connection& e = all_[i];
      if (e.asked || e.who.id.empty()) continue;
      const bool both_known = !e.who.run_id.empty() && !run_id.empty();
      if (both_known ? e.who.run_id == run_id : !e.who.address.empty()) found.push_back(ask(i));
   }
   return found;
}

// The answer is the number of connections that were ended: one, or none if it had ended by itself.
void connection_kills::answered(std::string refused) { all_[asked_[answered_++]].refused = std::move(refused); }

// "0 killed" is proof, too: in this process there is no such connection any more.
void connection_kills::conclude(const std::string& run_id) {
   using fate = earlier_connection::fate;
   for (earlier_connection& e : all_) {
      const bool both_known = !e.who.run_id.empty() && !run_id.empty();
      if (both_known && e.who.run_id != run_id) continue;  // elsewhere
      const bool may_be_another = !both_known && !e.same_address;
      e.is = may_be_another ? fate::unproven : fate::alive;
      if (e.asked && e.refused.empty())
         e.is = may_be_another ? fate::elsewhere : fate::ended;
      else if (e.asked)
         e.why = e.refused;
      else if (e.who.id.empty())
         e.why = "the server did not tell who we were (CLIENT INFO)";
      else
         e.why =
            "the server did not tell its run id (INFO server), and the connections of a Unix socket have no address";
      if (may_be_another && !e.why.empty()) e.why += "; whether this is another node than before can't be known";
   }
}

}  // namespace holdfast::impl
