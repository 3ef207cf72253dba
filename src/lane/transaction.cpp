#include "lane/transaction.hpp"

#include "commands/shown.hpp"

#include <algorithm>

namespace holdfast::impl {
namespace {

bool is_bracket(command_role r) {
   return r == command_role::multi || r == command_role::exec || r == command_role::discard;
}

// With a script inside, not repeatable at all.
repeat_class worst_member(const operation& op) {
   auto worst = repeat_class::readonly;
   for (const command& c : op.commands) {
      const auto* entry = find_command(c);
      if (!is_bracket(role_of(entry))) worst = std::max(worst, repeats(entry, c));
   }
   return worst;
}

reply_proof proof_of_member(const operation& op, std::size_t i) {
   const auto* entry = find_command(op.commands[i]);
   return classify_error(op.results[i].error().server_text, is_script(entry), false, is_native(entry));
}

reply_proof proof_without_multi(const operation& op) {
   const auto reason = proof_of_member(op, 0);
   for (std::size_t i = 1; i + 1 < op.commands.size(); ++i) {
      if (op.results[i]) return {reason.cls, outcome::executed};
      const auto member = proof_of_member(op, i);
      if (member.ran != outcome::not_executed) return {reason.cls, member.ran};
   }
   return reason;
}

reply_proof proof_of_transaction(const operation& op) {
   if (multi_was_refused(op)) return proof_without_multi(op);
   const std::size_t last = op.commands.size() - 1;
   const auto proof = classify_error(op.results[last].error().server_text, false, true, true);
   if (proof.cls != reply_class::aborted) return proof;
   // Nothing of it ran, because a member was refused when it was queued: perhaps only for now.
   for (std::size_t i = 1; i < last; ++i) {
      if (op.results[i]) continue;
      const auto reason = classify_error(op.results[i].error().server_text, false, false, true);
      return is_gate(reason.cls) ? reason : proof;
   }
   return proof;
}

bool alters_connection(command_role r) {
   return r == command_role::select || r == command_role::auth || r == command_role::hello ||
          r == command_role::set_name || r == command_role::connection;
}

}  // namespace

bool is_plain_read(const command_entry* entry) {
   return entry != nullptr && entry->repeat == repeat_class::readonly && entry->repeat_by_arguments == nullptr;
}

bool is_read(const command_entry* entry, const command& c) {
   if (is_plain_read(entry)) return true;
   return entry != nullptr && entry->traits.readonly && repeats(entry, c) == repeat_class::readonly;
}

bool only_reads(const operation& op) {
   return std::all_of(op.commands.begin(), op.commands.end(), [](const command& c) {
      const auto* entry = find_command(c);
      return is_bracket(role_of(entry)) || is_read(entry, c);
   });
}

repeat_class repeats(const operation& op) {
   return op.is_transaction() ? worst_member(op) : repeats(op.entry, op.commands.front());
}

reply_proof proof_of(const operation& op) {
   return op.is_transaction() ? proof_of_transaction(op) : proof_of_member(op, 0);
}

reply_proof proof_of_work(const operation& op) {
   const auto& reply = op.form->replies()[op.form->decisive()];
   if (reply) return {.ran = outcome::executed};
   return classify_error(reply.error().server_text, is_script(op.entry), false, is_native(op.entry));
}

std::optional<refusal> refused_inside(const operation& op) {
   const std::size_t last = op.commands.size() - 1;
   const auto& all = op.results[last];
   if (!op.is_transaction() || !all || all->kind() != kind::array || all->size() + 1 != last) return {};
   std::optional<refusal> found;
   for (std::size_t i = 1; i < last; ++i) {
      const value_view reply = (*all)[i - 1];
      const auto* const entry = find_command(op.commands[i]);
      if (is_plain_read(entry) && op.delivery != delivery::at_most_once) continue;
      if (reply.kind() != kind::error) return {};
      const auto proof = classify_error(reply.text(), is_script(entry), false, is_native(entry));
      if (proof.ran != outcome::not_executed) return {};
      if (!found && is_gate(proof.cls)) found = refusal{i, proof};
   }
   return found;
}

bool alters_connection(const operation& op) {
   const auto role = role_of(op.entry);
   if (role != command_role::multi) return alters_connection(role);
   return std::any_of(op.commands.begin(), op.commands.end(),
                      [](const command& c) { return alters_connection(role_of(find_command(c))); });
}

void note(const operation& op, session& s) {
   if (!op.is_transaction()) return s.note(role_of(op.entry), op.commands.front());
   // After DISCARD, or where a WATCH undid it, there is no such array.
   const std::size_t members = op.commands.size() - 2;
   const value& all = *op.results[op.commands.size() - 1];
   if (all.kind() != kind::array || all.size() != members) return;
   for (std::size_t i = 0; i < members; ++i) {
      const command& c = op.commands[i + 1];
      if (all[i].kind() != kind::error) s.note(role_of(find_command(c)), c);
   }
}

void hide_values(operation& op) {
   for (std::size_t i = 0; i < op.commands.size(); ++i) {
      if (op.results[i]) continue;
      auto& text = op.results[i].error().server_text;
      text = without_values(text, op.commands[i]);
   }
}

bool may_be_inside(std::string_view said) {
   constexpr std::string_view outside[] = {
      "EXECABORT ",
      "ERR EXEC without MULTI",
      "ERR DISCARD without MULTI",
      "MOVED ",
      "ASK ",
      "CROSSSLOT ",
      "CLUSTERDOWN ",
      "TRYAGAIN ",
   };
   return std::none_of(std::begin(outside), std::end(outside), [&](auto words) { return said.starts_with(words); });
}

}  // namespace holdfast::impl
