// The bytes that a server sent, cut into replies: RESP2 and RESP3, in whatever pieces they arrive.
#pragma once

#include "resp/raw_array.hpp"
#include "resp/receive_buffer.hpp"

#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl {

// Bounds of a single reply. Beyond them the stream counts as broken.
struct limits {
   std::size_t reply_bytes = std::size_t{512} << 20;  // with its framing; at most 4 GiB - 1
   unsigned depth = 64;                               // aggregates inside aggregates
   std::size_t elements = std::size_t{16} << 20;      // in all aggregates of the reply together
};

// Cuts the bytes of one connection. No byte is looked at twice, however small the pieces, and memory follows the bytes
// that came, never a length that was announced.
class reader {
 public:
   explicit reader(const limits& l);

   // Space to receive into, as receive_buffer::prepare; then `commit` says how many bytes came.
   std::span<char> prepare(std::size_t at_least = 64 * 1024);
   void commit(std::size_t n) { buffer_.commit(n); }

   enum class status : std::uint8_t {
      reply,       // `reply()` is the next one
      incomplete,  // more bytes are needed
      broken,      // this is not the protocol, or over a limit; nothing that follows can be understood
   };
   status next();
   // The reply that `next` found, in place: valid until the next call of next(), prepare() or reset().
   value_view reply() const { return {nodes_.data(), buffer_.begin()}; }
   // After `broken`: what is wrong, in plain words. The server's bytes are escaped and short.
   const std::string& problem() const { return problem_; }
   // After `broken`: all was well but for a limit, and what goes over it is the answer to a command, and no error.
   bool answer_over_limit() const;

   std::size_t buffered() const { return buffer_.size() - (complete_ ? offset_ : 0); }  // received, not yet given out
   void reset();  // for a new connection; keeps a bounded part of its storage

 private:
   struct frame {
      std::uint32_t node = 0;  // the aggregate
      std::uint32_t left = 0;  // elements still to come
      bool attribute = false;  // it is dropped when it is complete
   };
   enum class step : std::uint8_t { item, opened, incomplete, broken };

   void begin_reply();
   void grow_nodes();
   void add_node(kind k, std::uint64_t payload);
   bool plain_strings();
   step item();
   step text_line(kind k);
   step integer_line();
   step boolean_line();
   step nil_line();
   step bulk(kind k);
   step body();
   step aggregate(kind k, bool attribute);
   step find_line(std::string_view& line, std::size_t at_most);
   step number_line(std::int64_t& n);
   step fail(std::string_view what);
   step fail(std::string_view what, std::size_t at);
   enum class limit : std::uint8_t { bytes, depth, elements };
   step fail_over_limit(limit, std::size_t at);
   bool close_aggregates();

   receive_buffer buffer_;   // begins with the reply being read, or that was given out last
   std::size_t offset_ = 0;  // where its next item starts
   std::size_t looked_ = 0;  // from offset_: what is known to hold no end of line
   std::size_t body_ = 0;    // from offset_: where the bytes of the string begin whose length is known; 0: none
   std::size_t length_ = 0;  // of that string
   kind body_kind_ = kind::nil;
   bool complete_ = false;
   bool broken_ = false;
   bool over_limit_ = false;

   raw_array<value_node> nodes_;
   std::size_t node_count_ = 0;
   std::size_t announced_ = 0;  // elements, those of attributes included
   std::vector<frame> open_;    // the aggregates that are not complete, outermost first
   limits limits_;
   std::string problem_;
};

}  // namespace holdfast::impl
