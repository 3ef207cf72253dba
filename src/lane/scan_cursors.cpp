#include "lane/scan_cursors.hpp"

#include <algorithm>
#include <string_view>

namespace holdfast::impl {
namespace {

constexpr std::uint64_t fnv(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
   for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
   return (hash ^ 0xff) * 0x100000001b3;  // the end of a part
}

// SCAN cursor ...; HSCAN key cursor ...
std::size_t place_of_cursor(const command_entry& e) { return e.name == "scan" ? 1 : 2; }

// Zero where it begins a scan, or is no cursor.
std::uint64_t hash_of(const command_entry& e, const command& c, std::string_view cursor) {
   const bool is_number = !cursor.empty() && cursor.find_first_not_of("0123456789") == std::string_view::npos;
   cursor.remove_prefix(std::min(cursor.find_first_not_of('0'), cursor.size()));
   if (!is_number || cursor.empty()) return 0;
   const std::uint64_t scan = place_of_cursor(e) == 2 ? fnv(c.argument(1), fnv(e.name)) : fnv(e.name);
   return fnv(cursor, scan) | 1;
}

std::uint64_t given_to(const command_entry& e, const command& c) {
   const std::size_t at = place_of_cursor(e);
   return c.size() > at ? hash_of(e, c, c.argument(at)) : 0;
}

}  // namespace

void scan_cursors::connected(const endpoint& where, const std::string& run_id) {
   const auto same = [&](const process& p) {
      return p.run_id.empty() || run_id.empty() ? p.where == where : p.run_id == run_id;
   };
   const auto found = std::find_if(processes_.begin(), processes_.end(), same);
   if (found != processes_.end()) {
      current_ = static_cast<std::uint32_t>(found - processes_.begin());
      return;
   }
   // As many masters as that are beyond anybody's scan.
   if (processes_.size() == most_processes) {
      processes_.clear();
      records_.clear();
      oldest_ = 0;
   }
   current_ = static_cast<std::uint32_t>(processes_.size());
   processes_.push_back({where, run_id});
}

const scan_cursors::record* scan_cursors::find(std::uint64_t scan) const {
   const auto found = std::find_if(records_.begin(), records_.end(), [&](const record& r) { return r.scan == scan; });
   return found == records_.end() ? nullptr : &*found;
}

const endpoint* scan_cursors::origin_elsewhere(const command_entry& e, const command& c) const {
   if (records_.empty()) return nullptr;
   const std::uint64_t scan = given_to(e, c);
   const record* const r = scan != 0 ? find(scan) : nullptr;
   return r == nullptr || r->process == current_ ? nullptr : &processes_[r->process].where;
}

const endpoint* scan_cursors::origin_elsewhere(const operation& op) const {
   for (const command& c : op.commands) {
      const auto* const entry = op.is_transaction() ? find_command(c) : op.entry;
      if (!is_scan(entry)) continue;
      if (const endpoint* elsewhere = origin_elsewhere(*entry, c)) return elsewhere;
   }
   return nullptr;
}

void scan_cursors::sent(const command_entry& e, const command& c) {
   if (const std::uint64_t scan = given_to(e, c); scan != 0 && find(scan) == nullptr) remember(scan);
}

void scan_cursors::answered(const command_entry& e, const command& c, const value& reply) {
   if (reply.kind() != kind::array || reply.size() != 2) return;
   forget(given_to(e, c));
   if (const std::uint64_t next = hash_of(e, c, reply[0].text()); next != 0) {
      forget(next);  // a coincidence: the newest counts
      remember(next);
   }
}

void scan_cursors::remember(std::uint64_t scan) {
   const record r{scan, current_};
   if (records_.size() < most) return records_.push_back(r);
   records_[oldest_] = r;
   oldest_ = (oldest_ + 1) % most;
}

void scan_cursors::forget(std::uint64_t scan) {
   const auto found = std::find_if(records_.begin(), records_.end(), [&](const record& r) { return r.scan == scan; });
   if (found == records_.end()) return;
   if (records_.size() == most) {
      found->scan = 0;  // matches nothing; its turn comes
      return;
   }
   *found = records_.back();
   records_.pop_back();
}

}  // namespace holdfast::impl
