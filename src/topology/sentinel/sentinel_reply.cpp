#include "topology/sentinel/sentinel_reply.hpp"

#include "commands/info_reply.hpp"
#include "core/number.hpp"

#include <algorithm>
#include <limits>

namespace holdfast::impl {
namespace {

// Numbers arrive as text; a server that sends integers says the same.
bool read_number(value_view v, std::uint64_t& into) {
   if (v.kind() == kind::integer) {
      if (v.integer() < 0) return false;
      into = static_cast<std::uint64_t>(v.integer());
      return true;
   }
   return v.kind() == kind::string && parse_number(v.text(), into);
}

bool has_flag(std::string_view flags, std::string_view wanted) {
   while (!flags.empty()) {
      const auto comma = flags.find(',');
      if (flags.substr(0, comma) == wanted) return true;
      if (comma == std::string_view::npos) return false;
      flags.remove_prefix(comma + 1);
   }
   return false;
}

bool is_fields(value_view v) { return (v.kind() == kind::array || v.kind() == kind::map) && v.size() % 2 == 0; }

std::string id_of(value_view entry) {
   const auto id = entry.find("runid").text();
   return id.size() <= longest_run_id ? std::string(id) : std::string();
}

}  // namespace

sentinel_answer_kind read_error(std::string_view text) {
   const auto begins = [&](std::string_view with) { return text.starts_with(with); };
   if (begins("NOAUTH") || begins("WRONGPASS") || begins("ERR invalid password")) return sentinel_answer_kind::refused;
   if (begins("ERR max number of clients") || begins("DENIED")) return sentinel_answer_kind::turned_away;
   if (begins("NOPERM")) return sentinel_answer_kind::forbidden;
   if (begins("ERR No such master") || begins("IDONTKNOW")) return sentinel_answer_kind::unknown_name;
   if (begins("ERR unknown command") || begins("ERR Unknown command")) return sentinel_answer_kind::no_sentinel;
   return sentinel_answer_kind::malformed;
}

sentinel_answer_kind read_master(value_view reply, master_state& into) {
   if (reply.is_error()) return read_error(reply.text());
   if (reply.is_nil()) return sentinel_answer_kind::unknown_name;
   if (!is_fields(reply)) return sentinel_answer_kind::malformed;
   into = {};
   std::string_view host;
   std::string_view port;
   bool has_epoch = false;
   std::uint64_t milliseconds = 0;
   for (const auto& [name, field] : reply.pairs()) {
      const auto key = name.text();
      if (key == "config-epoch") {
         has_epoch = read_number(field, into.epoch);
      } else if (key == "ip") {
         host = field.text();
      } else if (key == "port") {
         port = field.text();
      } else if (key == "runid") {
         if (field.text().size() <= longest_run_id) into.run_id = field.text();
      } else if (key == "flags") {
         into.objectively_down = has_flag(field.text(), "o_down");
         into.failover_in_progress = has_flag(field.text(), "failover_in_progress");
      } else if (key == "down-after-milliseconds" && read_number(field, milliseconds)) {
         constexpr std::uint64_t a_year = 366ULL * 24 * 3600 * 1000;
         into.down_after = std::chrono::milliseconds(std::min(milliseconds, a_year));
      } else if (key == "num-slaves") {
         if (!read_number(field, into.replicas)) return sentinel_answer_kind::malformed;
      } else if (key == "num-other-sentinels" && !read_number(field, into.other_sentinels)) {
         return sentinel_answer_kind::malformed;
      }
   }
   if (!has_epoch) return sentinel_answer_kind::malformed;
   into.shown = read_endpoint(host, port).value_or(endpoint{});
   return sentinel_answer_kind::good;
}

sentinel_answer_kind read_address(value_view reply, endpoint& into) {
   if (reply.is_error()) return read_error(reply.text());
   if (reply.is_nil()) return sentinel_answer_kind::unknown_name;
   if (reply.kind() != kind::array || reply.size() != 2) return sentinel_answer_kind::malformed;
   const auto port = reply[1];
   const auto number = port.kind() == kind::integer ? std::to_string(port.integer()) : std::string(port.text());
   auto where = read_endpoint(reply[0].text(), number);
   if (!where) return sentinel_answer_kind::malformed;
   into = std::move(*where);
   return sentinel_answer_kind::good;
}

sentinel_answer_kind read_nodes(value_view reply, std::size_t at_most, std::vector<listed_node>& into) {
   into.clear();
   if (reply.is_error()) return read_error(reply.text());
   if (reply.is_nil()) return sentinel_answer_kind::unknown_name;
   if (reply.kind() != kind::array) return sentinel_answer_kind::malformed;
   for (const auto& entry : reply) {
      if (!is_fields(entry)) return sentinel_answer_kind::malformed;
      if (into.size() == at_most) break;
      const auto flags = entry.find("flags").text();
      if (has_flag(flags, "s_down") && !has_flag(flags, "sentinel")) continue;
      auto where = read_endpoint(entry.find("ip").text(), entry.find("port").text());
      if (where) into.push_back({std::move(*where), id_of(entry)});
   }
   return sentinel_answer_kind::good;
}

limits limits_of_answers(limits l) {
   l.reply_bytes = std::min(l.reply_bytes, std::size_t{1} << 20);
   l.depth = std::min(l.depth, 8U);
   l.elements = std::min(l.elements, std::size_t{1} << 16);
   return l;
}

std::string shown(std::string_view text) {
   constexpr std::size_t longest = 120;
   std::string out;
   append_printable(out, text.substr(0, longest));
   if (text.size() > longest) out += "...";
   return out;
}

}  // namespace holdfast::impl
