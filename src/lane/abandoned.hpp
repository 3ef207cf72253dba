// An operation in flight whose caller has left: what it touches, and what its replies prove. They are swallowed, but a
// write goes on conflicting for its keys until the reply that decides shows that it did not run.
#pragma once

#include "commands/error_reply.hpp"
#include "lane/footprint.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace holdfast::impl {

class abandoned {
 public:
   explicit abandoned(operation&);

   void on_reply(bool is_error, std::string_view text);
   // By what was answered so far: unknown until the reply that decides.
   reply_proof proof() const { return proof_; }
   bool may_have_changed() const { return changes_ && proof_.ran != outcome::not_executed; }
   bool multi_was_refused() const { return multi_was_refused_; }
   const footprint& touched() const { return touched_; }

 private:
   void note_refused_member(reply_class cls) {
      if (!member_at_gate_ && is_gate(cls)) member_at_gate_ = cls;
   }

   footprint touched_;
   const command_entry* entry_;
   std::size_t decisive_;
   std::size_t replies_ = 0;
   bool changes_;
   bool is_transaction_;
   bool multi_was_refused_ = false;
   std::optional<reply_class> member_at_gate_;  // for which EXEC is refused
   reply_proof proof_ = {.ran = outcome::unknown};
};

}  // namespace holdfast::impl
