// Wire commands of one call of the user, where these are not what the user gave: a write and the WAIT behind it, a
// script by its hash, ASKING and the command. It says what is written, and makes the user's result of the replies. A
// plain command and a MULTI ... EXEC need none: they are the operation itself.
//
// The command that is asked (`operation::commands`) stands for the exchange in all else: its keys, how far it may be
// repeated, how it is shown. Owned by the caller, like the operation, and used until that is done.
#pragma once

#include <holdfast/command.hpp>
#include <holdfast/result.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast::impl {

class exchange {
 public:
   virtual ~exchange() = default;

   // The commands to be written now, on this connection (its serial). Asked each time that the operation is written;
   // they stay until all are answered, or `wire` is asked again.
   virtual std::span<const command> wire(std::uint32_t connection) = 0;
   // Which of them does the work: once the last byte of that is taken, the operation may have run. Those before it
   // leave nothing on the server.
   virtual std::size_t decisive() const = 0;
   // Room for a reply to each.
   virtual result<value>* replies() = 0;

   enum class next : std::uint8_t {
      done,   // `into` is what the caller gets
      again,  // nothing ran; `into` has the server's error, and `wire` has another form of it now
   };
   // All are answered.
   virtual next fold(result<value>& into) = 0;
};

}  // namespace holdfast::impl
