#include "topology/sentinel/sentinel_event.hpp"

#include "commands/info_reply.hpp"
#include "core/number.hpp"
#include "topology/sentinel/sentinel_reply.hpp"

#include <array>

namespace holdfast::impl {
namespace {

// How the payload says whom it is about. The forms are those of sentinelEvent() in Redis' sentinel.c.
enum class form : std::uint8_t {
   addresses,  // <master> <old ip> <old port> <new ip> <new port>
   instance,   // <type> <name> <ip> <port>, followed by "@ <master> <ip> <port>" where it is not the master itself
   own,        // about the Sentinel itself
   number,     // an epoch, of all masters of the Sentinel
};

struct channel_rule {
   std::string_view name;
   hint_kind kind;
   form payload = form::instance;
};

constexpr std::array rules{
   channel_rule{"+switch-master", hint_kind::switched, form::addresses},
   channel_rule{"+promoted-slave", hint_kind::switched},
   channel_rule{"+failover-state-reconf-slaves", hint_kind::configured},  // +promoted-slave went before it
   channel_rule{"+config-update-from", hint_kind::configured},            // +switch-master follows at once
   channel_rule{"+sdown", hint_kind::down},
   channel_rule{"-sdown", hint_kind::up},
   channel_rule{"+odown", hint_kind::objectively_down},
   channel_rule{"-odown", hint_kind::objectively_up},
   channel_rule{"+new-epoch", hint_kind::new_epoch, form::number},
   channel_rule{"+try-failover", hint_kind::tries},
   channel_rule{"+elected-leader", hint_kind::failing_over},
   channel_rule{"+failover-state-select-slave", hint_kind::failing_over},
   channel_rule{"+selected-slave", hint_kind::selected},
   channel_rule{"+failover-state-send-slaveof-noone", hint_kind::failing_over},
   channel_rule{"+failover-state-wait-promotion", hint_kind::failing_over},
   channel_rule{"-failover-abort-not-elected", hint_kind::aborted},
   channel_rule{"-failover-abort-no-good-slave", hint_kind::aborted},
   channel_rule{"-failover-abort-slave-timeout", hint_kind::aborted},
   channel_rule{"+failover-end", hint_kind::finished},
   channel_rule{"+failover-end-for-timeout", hint_kind::finished},
   channel_rule{"+reset-master", hint_kind::reset},
   channel_rule{"+set", hint_kind::configured},
   channel_rule{"+monitor", hint_kind::reset},
   channel_rule{"-monitor", hint_kind::reset},
   channel_rule{"+reboot", hint_kind::up},  // and who was selected stays so
   channel_rule{"+sentinel", hint_kind::sentinels},
   channel_rule{"+sentinel-address-switch", hint_kind::sentinels},
   channel_rule{"+slave", hint_kind::replicas},
   channel_rule{"+slave-reconf-sent", hint_kind::told},
   channel_rule{"+slave-reconf-done", hint_kind::replicas},
   channel_rule{"-role-change", hint_kind::told},
   channel_rule{"+role-change", hint_kind::told},
   channel_rule{"+convert-to-slave", hint_kind::replicas},
   channel_rule{"+fix-slave-config", hint_kind::told},
   channel_rule{"+tilt", hint_kind::told, form::own},
   channel_rule{"-tilt", hint_kind::told, form::own},
};

// GCOV_EXCL_START: the compiler runs it; what ships is the finished table
constexpr auto names = [] {
   std::array<std::string_view, rules.size()> out{};
   for (std::size_t i = 0; i < rules.size(); ++i) out[i] = rules[i].name;
   return out;
}();
// GCOV_EXCL_STOP

// Cuts the first word off `text`; empty at the end.
std::string_view word(std::string_view& text) {
   const auto space = text.find(' ');
   const auto first = text.substr(0, space);
   text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
   return first;
}

// Cuts `name` and what separates it from the rest off `text`. The name is compared whole, so that spaces in it, or a
// name that begins as ours does, mislead nobody.
bool cut_name(std::string_view& text, std::string_view name) {
   if (!text.starts_with(name)) return false;
   const auto rest = text.substr(name.size());
   if (!rest.starts_with(' ')) return false;
   text = rest.substr(1);
   return true;
}

std::optional<endpoint> cut_endpoint(std::string_view& text) {
   const auto host = word(text);
   return read_endpoint(host, word(text));
}

std::optional<hint> read_epoch(hint_kind kind, std::string_view text) {
   hint h{kind};
   if (!parse_number(text, h.epoch)) return std::nullopt;
   return h;
}

std::optional<hint> read_addresses(hint_kind kind, std::string_view text, std::string_view name) {
   if (!cut_name(text, name)) return std::nullopt;
   if (!cut_endpoint(text)) return std::nullopt;
   auto to = cut_endpoint(text);
   if (!to) return std::nullopt;
   return hint{kind, std::move(*to)};
}

std::optional<hint> read_master_instance(const channel_rule& rule, std::string_view text, std::string_view name) {
   if (!cut_name(text, name)) return std::nullopt;
   auto where = cut_endpoint(text);
   if (!where) return std::nullopt;
   // Of a switch, only the node that becomes the master is worth naming, and this message names the one that was.
   if (rule.kind == hint_kind::switched || rule.kind == hint_kind::selected) return hint{rule.kind};
   return hint{rule.kind, std::move(*where)};
}

std::optional<hint> read_other_instance(const channel_rule& rule, std::string_view type, std::string_view text,
                                        std::string_view name) {
   const auto at = text.rfind(" @ ");
   if (at == std::string_view::npos) return std::nullopt;
   auto master = text.substr(at + 3);
   if (!cut_name(master, name)) return std::nullopt;
   auto its_master = cut_endpoint(master);
   if (!its_master) return std::nullopt;
   switch (rule.kind) {
      case hint_kind::up: return hint{hint_kind::replicas};  // perhaps one that was left out of the list
      case hint_kind::down:
      case hint_kind::objectively_down:
      case hint_kind::objectively_up: return hint{hint_kind::told};  // a replica's or a Sentinel's affair
      default: break;
   }
   const bool names_a_node = rule.kind == hint_kind::switched || rule.kind == hint_kind::selected;
   const bool names_a_sentinel = rule.kind == hint_kind::sentinels && type == "sentinel";
   if (!(names_a_node && type == "slave") && !names_a_sentinel) return hint{rule.kind};
   auto self = text.substr(0, at);
   hint h{rule.kind};
   const auto id = word(self);
   if (names_a_sentinel && id.size() <= longest_run_id) h.id = id;
   h.about = cut_endpoint(self).value_or(endpoint{});
   if (rule.kind == hint_kind::selected) h.of = std::move(*its_master);
   return h;
}

}  // namespace

std::span<const std::string_view> event_channels() { return names; }

std::optional<hint> read_hint(std::string_view channel, std::string_view payload, std::string_view name) {
   constexpr std::size_t longest = 2048;  // a Sentinel's own messages have at most 1024 bytes
   if (payload.size() > longest) return std::nullopt;
   for (const auto& rule : rules) {
      if (rule.name != channel) continue;
      if (rule.payload == form::own) return hint{rule.kind};
      if (rule.payload == form::number) return read_epoch(rule.kind, payload);
      if (rule.payload == form::addresses) return read_addresses(rule.kind, payload, name);
      const auto type = word(payload);
      if (type == "master") return read_master_instance(rule, payload, name);
      return read_other_instance(rule, type, payload, name);
   }
   return std::nullopt;
}

}  // namespace holdfast::impl
