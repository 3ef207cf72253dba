// A round over the addresses of a name: each is taken once, until one is a master. A name may stand for a master and
// its replicas. Where none of its addresses says that it is a master, and none ever did, a replica is what the name is
// for; and one fixed address is what it is.
#pragma once

#include "commands/handshake.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace holdfast::impl {

class address_round {
 public:
   void begin() {
      round_way_ = way_;
      said_.reset();
      is_final_ = true;
   }
   void end() { replicas_only_ = std::exchange(replica_met_, false); }

   void on_replica() {
      replica_met_ = true;
      is_final_ = false;
   }
   // An address failed. Of several the round fails for good only if each of them does: another may be the right one,
   // when it comes up. What a server said tells more than that there was no connection to the other.
   handshake::problem conclude(handshake::problem p, bool has_next) {
      is_final_ = is_final_ && p.final;
      if (!p.text.empty()) said_ = p;
      if (said_) p = *said_;
      p.final = is_final_ && !has_next;
      return p;
   }
   void on_ready(std::string_view role) {
      replica_met_ = replicas_only_ = false;
      master_seen_ = master_seen_ || role == "master";
   }
   bool is_unwanted(std::string_view role) const {
      return (role == "slave" || role == "replica") && (master_seen_ || !replicas_only_);
   }

   handshake::way way() const { return round_way_; }  // how the connections of this round begin
   void set_next_way(handshake::way w) { way_ = w; }  // for the next connection to the same address, or round

 private:
   handshake::way way_ = handshake::way::hello;
   handshake::way round_way_ = handshake::way::hello;
   bool master_seen_ = false;                // what was connected to was a master once
   bool replica_met_ = false;                // in this round
   bool replicas_only_ = false;              // the last round found replicas, and no master
   std::optional<handshake::problem> said_;  // by a server, in this round
   bool is_final_ = true;                    // each address of the round so far failed for good
};

}  // namespace holdfast::impl
