#include "lane/abandoned.hpp"

namespace holdfast::impl {

abandoned::abandoned(operation& op)
   : entry_(op.entry),
     decisive_(op.form != nullptr ? op.form->decisive() : op.commands.size() - 1),
     changes_(!op.reads_only && !ends_script(op)),
     is_transaction_(op.is_transaction()) {
   if (changes_) touched_ = footprint_of(op);
   for (std::size_t i = 0; i < op.replies; ++i) {
      const auto& reply = op.reply_to(i);
      on_reply(!reply, reply ? std::string_view() : reply.error().server_text);
   }
}

void abandoned::on_reply(bool is_error, std::string_view text) {
   const std::size_t i = replies_++;
   if (i == 0 && is_error && is_transaction_) multi_was_refused_ = true;
   if (i != decisive_) {
      if (is_error && is_transaction_) note_refused_member(classify_error(text, false, false, true).cls);
      return;
   }
   proof_ = {.ran = outcome::executed};
   if (is_error) proof_ = classify_error(text, is_script(entry_), is_transaction_, is_native(entry_));
   if (is_error && member_at_gate_ && proof_.ran == outcome::not_executed) proof_.cls = *member_at_gate_;
   if (multi_was_refused_) proof_.ran = outcome::unknown;  // the members ran as they came
}

}  // namespace holdfast::impl
