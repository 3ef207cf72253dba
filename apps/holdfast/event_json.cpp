#include "json.hpp"

#include <type_traits>

namespace holdfast::cli {
namespace {

json fields(const event::sentinel_up& e) { return {{"sentinel", endpoint_as_json(e.sentinel)}}; }
json fields(const event::sentinel_down& e) {
   return {{"sentinel", endpoint_as_json(e.sentinel)}, {"why", text_as_json(e.why)}};
}
json fields(const event::sentinel_learned& e) { return {{"sentinel", endpoint_as_json(e.sentinel)}}; }
json fields(const event::sentinel_said& e) {
   return {{"sentinel", endpoint_as_json(e.sentinel)},
           {"channel", text_as_json(e.channel)},
           {"payload", text_as_json(e.payload)}};
}
json fields(const event::master_named& e) {
   return {{"from", endpoint_as_json(e.from)},
           {"to", endpoint_as_json(e.to)},
           {"epoch", e.epoch},
           {"provisional", e.provisional}};
}
json fields(const event::master_confirmed& e) { return {{"master", endpoint_as_json(e.master)}, {"epoch", e.epoch}}; }
json fields(const event::master_withdrawn& e) {
   return {{"master", endpoint_as_json(e.master)},
           {"epoch", e.epoch},
           {"back_to", endpoint_as_json(e.back_to)},
           {"why", text_as_json(e.why)}};
}
json fields(const event::stale_answer& e) {
   return {{"sentinel", endpoint_as_json(e.sentinel)},
           {"named", endpoint_as_json(e.named)},
           {"epoch", e.epoch},
           {"believed_epoch", e.believed_epoch}};
}
json fields(const event::new_lineage& e) {
   return {{"master", endpoint_as_json(e.master)}, {"epoch", e.epoch}, {"abandoned_epoch", e.abandoned_epoch}};
}
json fields(const event::master_lost& e) { return {{"why", text_as_json(e.why)}}; }
json fields(const event::connected& e) {
   return {{"master", endpoint_as_json(e.master)}, {"epoch", e.epoch}, {"resp3", e.resp3}};
}
json fields(const event::dial_failed& e) {
   return {{"where", endpoint_as_json(e.where)}, {"why", text_as_json(e.why)}};
}
json fields(const event::role_refused& e) {
   return {{"where", endpoint_as_json(e.where)}, {"role", text_as_json(e.role)}};
}
json fields(const event::connection_lost& e) {
   return {{"where", endpoint_as_json(e.where)}, {"why", text_as_json(e.why)}, {"unanswered", e.unanswered}};
}
json fields(const event::suspected& e) {
   return {{"where", endpoint_as_json(e.where)}, {"silent_for_ms", in_ms(e.silent_for)}};
}
json fields(const event::suspicion_cleared& e) { return {{"where", endpoint_as_json(e.where)}}; }
json fields(const event::fenced& e) {
   return {{"where", endpoint_as_json(e.where)}, {"done", e.done}, {"why", text_as_json(e.why)}};
}
json fields(const event::resent& e) {
   return {{"command", text_as_json(e.command)},
           {"attempt", e.attempt},
           {"why", text_as_json(e.why)},
           {"where", endpoint_as_json(e.where)}};
}
json fields(const event::outcome_unknown& e) {
   return {{"command", text_as_json(e.command)}, {"why", text_as_json(e.why)}, {"where", endpoint_as_json(e.where)}};
}
json fields(const event::budget_exhausted& e) {
   return {{"command", text_as_json(e.command)}, {"why", text_as_json(e.why)}, {"where", endpoint_as_json(e.where)}};
}
json fields(const event::breaker_changed& e) { return {{"state", text_as_json(e.state)}}; }

}  // namespace

json event_as_json(const any_event& e) {
   json out = {{"event", name_of(e)}};
   out.update(std::visit([](const auto& what) { return fields(what); }, e));
   return out;
}

}  // namespace holdfast::cli
