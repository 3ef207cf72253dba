// A connection that passes through a relay: its two sockets, and what is under way between them.
#pragma once

#include "lab/await.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::lab {

// One direction.
class stream {
 public:
   stream() = default;
   stream(int from, int to) : from_(from), to_(to) {}

   bool wants_read() const { return !heard_out_ && underway_ < most_underway; }
   bool wants_write() const { return !due_.empty(); }
   // What `from` said; it (or the end, or the reset, of `from`) is due `delay` later.
   std::string_view read(milliseconds delay);
   // Passes on what is due. False: the connection is broken, the reset of `from` being due, or `to` taking no more.
   bool write(clock::time_point now);
   // When something is due next that is not due yet.
   std::optional<clock::time_point> next_due() const;
   bool over() const { return shut_; }
   void forget();

 private:
   enum class piece_kind { bytes, end, reset };
   struct piece {
      piece_kind kind = piece_kind::bytes;
      clock::time_point due = {};
      std::string bytes = {};
   };
   static constexpr std::size_t most_underway = 1024 * 1024;  // beyond it `from` is not read: TCP holds it back

   bool mature(clock::time_point now);

   int from_ = -1;
   int to_ = -1;
   std::deque<piece> pieces_ = {};
   std::string due_ = {};
   std::size_t underway_ = 0;
   bool heard_out_ = false;  // `from` has ended, or reset
   bool ending_ = false;     // its end is due
   bool shut_ = false;       // and `to` was told
};

struct passage {
   int client = -1;
   int server = -1;
   stream up = {};
   stream down = {};
   std::string last_said = {};  // the end of what the client said, should a marker be split between two reads
   bool reply_to_be_lost = false;
   bool broken = false;

   bool over() const { return broken || (up.over() && down.over()); }
};

}  // namespace holdfast::lab
