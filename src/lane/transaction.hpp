// Rules for MULTI ... EXEC given as one operation: it is as repeatable as its worst member, the reason
// of its failure may stand in any of its replies, and what it did to the connection stands in the reply to EXEC.
#pragma once

#include "commands/error_reply.hpp"
#include "commands/session.hpp"
#include "lane/operation.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace holdfast::impl {

// Of any operation, also of a single command.
repeat_class repeats(const operation&);
bool is_plain_read(const command_entry*);  // whatever its arguments are
bool is_read(const command_entry*, const command&);
bool only_reads(const operation&);
// Proof by the error in the last reply. All replies are in `results`.
reply_proof proof_of(const operation&);
// Proof by the reply that decides, which was answered, of an exchange.
reply_proof proof_of_work(const operation&);
// EXEC was answered with an array, and yet nothing was done: a gate turned away what a script wanted to write, and all
// else read. The member that says so, and the gate.
struct refusal {
   std::size_t member = 0;
   reply_proof proof = {};
};
std::optional<refusal> refused_inside(const operation&);
// Whether it may change the state of the connection (database, user, name, protocol).
bool alters_connection(const operation&);
// Fills in what its commands say: the first thing that is done to an operation.
inline void describe(operation& op) {
   op.entry = find_command(op.commands.front());
   op.reads_only = op.is_transaction() ? only_reads(op) : is_read(op.entry, op.commands.front());
   op.alters = role_of(op.entry) != command_role::plain && alters_connection(op);
   op.blocks = op.is_transaction() ? std::nullopt : block_time(op.entry, op.commands.front());
   op.bytes = 0;
   for (const command& c : op.commands) op.bytes += c.bytes().size();
}
// It was answered without an error: takes over what it changed.
void note(const operation&, session&);
// It went on to its end although a member was refused: what a user stores is not shown.
void hide_values(operation&);

// MULTI itself was answered with an error: the members behind it run one by one as they come.
inline bool multi_was_refused(const operation& op) { return op.is_transaction() && op.replies != 0 && !op.results[0]; }

// Reply to EXEC or DISCARD: whether the connection may be inside the transaction still, where all that
// follows would be answered with QUEUED, and never run. So is DISCARD that is forbidden, or EXEC before Redis 6.2.
bool may_be_inside(std::string_view said);

}  // namespace holdfast::impl
