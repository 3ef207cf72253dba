// Which process handed out a cursor of SCAN, SSCAN, HSCAN or ZSCAN. A cursor is a place in the hash tables of one
// process; another one takes it without complaint and passes over a part of the keys. So a scan that would go on in
// another process is refused. What this lane has not seen handed out, or sent, is let through: it may be right.
//
// Of each scan the newest cursor is remembered, of at most 1024.
#pragma once

#include "lane/operation.hpp"

#include <holdfast/command.hpp>
#include <holdfast/endpoint.hpp>
#include <holdfast/value.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::impl {

class scan_cursors {
 public:
   // From now on commands go to this process. Without a run id (INFO server was refused) it is known by its address.
   void connected(const endpoint& where, const std::string& run_id);

   // Whether it may be a scan, or have one inside.
   bool may_concern(const operation& op) const {
      return is_scan(op.entry) || (op.is_transaction() && !records_.empty());
   }
   // Null, or where the process was reached that the cursor belongs to, if it is another one.
   const endpoint* origin_elsewhere(const command_entry&, const command&) const;
   const endpoint* origin_elsewhere(const operation&) const;  // of the first such scan in it
   void sent(const command_entry&, const command&);
   void answered(const command_entry&, const command&, const value& reply);

   bool empty() const { return records_.empty(); }
   static constexpr std::size_t most = 1024;

 private:
   struct process {
      endpoint where;
      std::string run_id;
   };
   struct record {
      std::uint64_t scan = 0;  // a hash of the command's name, its key and the cursor
      std::uint32_t process = 0;
   };
   static constexpr std::size_t most_processes = 64;

   const record* find(std::uint64_t scan) const;
   void remember(std::uint64_t scan);
   void forget(std::uint64_t scan);

   std::vector<process> processes_;
   std::uint32_t current_ = 0;
   std::vector<record> records_;
   std::size_t oldest_ = 0;  // of a full list: the next one to be replaced
};

}  // namespace holdfast::impl
