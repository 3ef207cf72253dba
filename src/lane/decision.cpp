#include "lane/decision.hpp"

namespace holdfast::impl {
namespace {

using namespace std::chrono_literals;

// Rule for a reply that proves that the command did not run, and that may be otherwise the next time.
struct gate_rule {
   next_step to;
   pause wait;
   unsigned most;  // after so many the caller hears of it; 0: only the deadline bounds
};

// A pause that starts at zero is none the first time, then 50 ms and more. Why these numbers: docs/decisions.md.
std::optional<gate_rule> gate_of(reply_class c) {
   constexpr auto again = next_step::resend;
   constexpr auto leave = next_step::rediscover_then_resend;
   switch (c) {
      case reply_class::readonly: return gate_rule{leave, {0ms, 500ms}, 0};
      case reply_class::master_down: return gate_rule{leave, {0ms, 500ms}, 0};
      case reply_class::misconf: return gate_rule{leave, {50ms, 500ms}, 0};
      case reply_class::no_replicas: return gate_rule{again, {50ms, 500ms}, 0};
      case reply_class::loading: return gate_rule{again, {100ms, 1s}, 0};
      case reply_class::busy: return gate_rule{again, {100ms, 1s}, 0};
      case reply_class::try_again: return gate_rule{again, {20ms, 500ms}, 0};
      case reply_class::out_of_memory: return gate_rule{again, {100ms, 1s}, 3};
      case reply_class::not_authenticated: return gate_rule{leave, {0ms, 500ms}, 1};
      case reply_class::refused: return gate_rule{leave, {500ms, 5s}, 0};
      case reply_class::demoted: return gate_rule{leave, {0ms, 500ms}, 0};
      default: return std::nullopt;
   }
}

decision finish(outcome ran, errc code) { return {next_step::complete, ran, code, {}}; }

decision after_loss(const situation& s) {
   if (!s.whole) {
      if (s.now >= s.deadline) return finish(outcome::not_executed, errc::deadline_exceeded);
      if (s.pinned) return finish(outcome::not_executed, errc::connection_lost);
      return {next_step::park, outcome::not_executed, errc::connection_lost, {}};
   }
   if (s.fault == fault::reply_too_large) return finish(outcome::executed, errc::limit_exceeded);
   const errc lost = s.fault == fault::broken_protocol ? errc::protocol_error : errc::connection_lost;
   if (s.pinned || !may_repeat(s.repeats, s.delivery)) return finish(outcome::unknown, lost);
   // A read leaves nothing behind that could come late; all else is sent again only behind a fence.
   if (s.fence_impossible && s.repeats != repeat_class::readonly) return finish(outcome::unknown, lost);
   if (s.now >= s.deadline) return finish(outcome::unknown, errc::deadline_exceeded);
   if (s.max_resends && s.attempts > *s.max_resends) return finish(outcome::unknown, lost);
   if (!s.budget) return finish(outcome::unknown, errc::retry_budget_exhausted);
   return {next_step::rediscover_then_resend, outcome::unknown, lost, {}};
}

decision after_reply(const situation& s) {
   if (s.reply.ran != outcome::not_executed) return finish(s.reply.ran, errc::server_error);
   auto g = gate_of(s.reply.cls);
   // Another node may have other users: worth one more try right after a failover.
   if (s.reply.cls == reply_class::no_permission && s.master_is_new) {
      g = gate_rule{next_step::rediscover_then_resend, {50ms, 500ms}, 1};
   }
   if (!g || s.pinned) return finish(outcome::not_executed, errc::server_error);
   // Such commands are meant for the node that they were given to.
   if (s.repeats == repeat_class::never) return finish(outcome::not_executed, errc::server_error);
   if (g->most != 0 && s.pushbacks >= g->most) return finish(outcome::not_executed, errc::server_error);
   if (s.now >= s.deadline) return finish(outcome::not_executed, errc::deadline_exceeded);
   if (s.max_resends && s.attempts > *s.max_resends) return finish(outcome::not_executed, errc::server_error);
   if (!s.budget) return finish(outcome::not_executed, errc::retry_budget_exhausted);
   return {g->to, outcome::not_executed, errc::server_error, g->wait};
}

}  // namespace

bool may_repeat(repeat_class c, delivery d) {
   if (c == repeat_class::never || d == delivery::at_most_once) return false;
   if (c == repeat_class::readonly || c == repeat_class::same) return true;
   return d == delivery::at_least_once;
}

decision decide(const situation& s) { return s.fault == fault::error_reply ? after_reply(s) : after_loss(s); }

}  // namespace holdfast::impl
