#include "json.hpp"

#include <chrono>
#include <cmath>
#include <set>

namespace holdfast::cli {
namespace {

bool is_utf8(std::string_view text) {
   while (!text.empty()) {
      const std::size_t length = impl::utf8_length(text);
      if (length == 0) return false;
      text.remove_prefix(length);
   }
   return true;
}

std::string base64(std::string_view bytes) {
   constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
   std::string out;
   out.reserve((bytes.size() + 2) / 3 * 4);
   for (std::size_t i = 0; i < bytes.size(); i += 3) {
      const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
      unsigned group = 0;
      for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
      for (std::size_t k = 0; k < 4; ++k) out += k <= n ? digits[group >> (18 - 6 * k) & 63] : '=';
   }
   return out;
}

json map_as_json(value_view map) {
   std::set<std::string_view> keys;
   bool plain = true;
   for (const auto& [key, unused] : map.pairs()) {
      const bool is_text = key.kind() == kind::string || key.kind() == kind::status;
      plain = plain && is_text && is_utf8(key.text()) && keys.insert(key.text()).second;
   }
   for (const std::string_view mark : {"base64", "error", "map"})
      plain = plain && !(keys.size() == 1 && keys.contains(mark));
   json object = json::object();
   if (plain) {
      for (const auto& [key, element] : map.pairs()) object[std::string(key.text())] = reply_as_json(element);
      return object;
   }
   json pairs = json::array();
   for (const auto& [key, element] : map.pairs()) pairs.push_back({reply_as_json(key), reply_as_json(element)});
   object["map"] = std::move(pairs);
   return object;
}

std::string code_name(const std::error_code& code) {
   if (code.category() != error_category()) return code.message();
   switch (static_cast<errc>(code.value())) {
      case errc::deadline_exceeded: return "deadline_exceeded";
      case errc::connection_lost: return "connection_lost";
      case errc::no_sentinel: return "no_sentinel";
      case errc::unknown_master: return "unknown_master";
      case errc::no_master: return "no_master";
      case errc::refused: return "refused";
      case errc::authentication_failed: return "authentication_failed";
      case errc::server_error: return "server_error";
      case errc::protocol_error: return "protocol_error";
      case errc::queue_full: return "queue_full";
      case errc::limit_exceeded: return "limit_exceeded";
      case errc::circuit_open: return "circuit_open";
      case errc::retry_budget_exhausted: return "retry_budget_exhausted";
      case errc::cancelled: return "cancelled";
      case errc::not_durable: return "not_durable";
      case errc::not_supported: return "not_supported";
      case errc::type_mismatch: return "type_mismatch";
      case errc::invalid_argument: return "invalid_argument";
      case errc::concurrent_use: return "concurrent_use";
   }
   return "unknown_code";
}

}  // namespace

double in_ms(std::chrono::nanoseconds d) { return std::round(static_cast<double>(d.count()) / 1e3) / 1e3; }

json endpoint_as_json(const endpoint& e) { return e.empty() ? json(nullptr) : text_as_json(to_string(e)); }

json text_as_json(std::string_view text) {
   if (is_utf8(text)) return std::string(text);
   return {{"base64", base64(text)}};
}

json reply_as_json(value_view v) {
   switch (v.kind()) {
      case kind::nil: return nullptr;
      case kind::integer: return v.integer();
      case kind::boolean: return v.boolean();
      case kind::real: return std::isfinite(v.real()) ? json(v.real()) : text_as_json(v.text());
      case kind::error: return {{"error", text_as_json(v.text())}};
      case kind::string:
      case kind::status:
      case kind::verbatim:
      case kind::big_number: return text_as_json(v.text());
      case kind::map: return map_as_json(v);
      case kind::array:
      case kind::set:
      case kind::push: break;
   }
   json array = json::array();
   for (const value_view element : v) array.push_back(reply_as_json(element));
   return array;
}

json error_as_json(const error& e) {
   json out = {{"code", code_name(e.code())},
               {"outcome", to_string(e.outcome)},
               {"message", text_as_json(e.what())},
               {"server_text", text_as_json(e.server_text)},
               {"attempts", e.attempts},
               {"elapsed_ms", in_ms(e.elapsed)},
               {"endpoint", endpoint_as_json(e.where)},
               {"causes", json::array()}};
   for (const std::string& cause : e.causes) out["causes"].push_back(text_as_json(cause));
   if (e.reply != nullptr) {
      out["reply"] = reply_as_json(*e.reply);
      out["replicas_acked"] = e.replicas_acked;
   }
   return out;
}

std::string one_line(const json& j) { return j.dump(); }

}  // namespace holdfast::cli
