#include "resp/reader.hpp"

#include "core/assertion.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace holdfast::resp {
namespace {

constexpr std::size_t line_end = 2;  // CR LF
constexpr std::size_t kept_bytes = std::size_t{4} << 20;
constexpr std::size_t kept_nodes = std::size_t{64} << 10;

template <class T>
T* reallocate(T* old, std::size_t count) {
   void* const wider = std::realloc(static_cast<void*>(old), count * sizeof(T));
   if (wider == nullptr) throw std::bad_alloc();
   return static_cast<T*>(wider);
}

}  // namespace

reader::reader(const limits& l) : limits_(l) {
   // Offsets and counts of nodes have 32 bits.
   constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
   limits_.reply_bytes = std::min(limits_.reply_bytes, most);
   limits_.elements = std::min(limits_.elements, most / 2);
}

// ---- the buffer ----------------------------------------------------------------------------------------------------

std::span<char> reader::prepare(std::size_t at_least) {
   if (complete_) begin_reply();
   const std::size_t waiting = end_ - begin_;
   if (waiting == 0) {
      begin_ = end_ = 0;
      trim();
   }
   if (capacity_ - end_ < at_least) {
      // Moving costs what is waiting: done only if as much is won by it, so that it is paid for by bytes received.
      if (begin_ >= waiting && begin_ != 0) {
         if (waiting != 0) std::memmove(data_.get(), data_.get() + begin_, waiting);
         begin_ = 0;
         end_ = waiting;
      }
      if (capacity_ - end_ < at_least) grow(std::max(end_ + at_least, 2 * capacity_));
   }
   return {data_.get() + end_, capacity_ - end_};
}

void reader::commit(std::size_t n) {
   HOLDFAST_ASSERT(n <= capacity_ - end_);
   end_ += n;
}

void reader::grow(std::size_t capacity) {
   char* const wider = reallocate(data_.get(), capacity);
   data_.release();
   data_.reset(wider);
   capacity_ = capacity;
}

void reader::trim() {
   if (capacity_ > kept_bytes) {
      data_.reset();
      capacity_ = 0;
   }
   if (node_capacity_ > kept_nodes) {
      nodes_.reset();
      node_capacity_ = 0;
   }
}

void reader::reset() {
   begin_reply();
   begin_ = end_ = 0;
   broken_ = over_limit_ = false;
   problem_.clear();
   trim();
}

// ---- replies -------------------------------------------------------------------------------------------------------

void reader::begin_reply() {
   if (complete_) begin_ += offset_;
   complete_ = false;
   offset_ = 0;
   looked_ = 0;
   body_ = 0;
   node_count_ = 0;
   announced_ = 0;
   open_.clear();
}

reader::status reader::next() {
   if (broken_) return status::broken;
   if (complete_) begin_reply();
   for (;;) {
      step made = step::item;
      if (!plain_items()) made = body_ != 0 ? body() : item();
      switch (made) {
         case step::incomplete: return status::incomplete;
         case step::broken: return status::broken;
         case step::opened: break;
         case step::item:
            if (close_aggregates()) {
               complete_ = true;
               return status::reply;
            }
      }
   }
}

namespace {

constexpr std::ptrdiff_t most_digits = 18;

bool is_line_end(const char* at) { return at[0] == '\r' && at[1] == '\n'; }

// The digits from `at` on, which must end before `end`: what stands behind them, or null.
inline const char* digits(const char* at, const char* end, std::uint64_t& n) {
   const char* const first = at;
   auto digit = static_cast<unsigned>(static_cast<unsigned char>(*at)) - '0';
   if (digit > 9) return nullptr;
   n = 0;
   do {
      n = n * 10 + digit;
      if (++at == end) return nullptr;
      digit = static_cast<unsigned>(static_cast<unsigned char>(*at)) - '0';
   } while (digit <= 9);
   return at - first > most_digits ? nullptr : at;
}

// A string or an integer that is there as a whole: what stands behind it. Null for all else, which is not yet to say
// that it is wrong.
inline const char* plain_item(const char* at, const char* end, const char* reply, detail::value_node& node) {
   constexpr std::ptrdiff_t shortest = 4;
   if (end - at < shortest) return nullptr;
   std::uint64_t n = 0;
   if (*at == '$') {
      const char* const line = digits(at + 1, end, n);
      if (line == nullptr || static_cast<std::uint64_t>(end - line) < n + 2 * line_end) return nullptr;
      const char* const text = line + line_end;
      if (!is_line_end(line) || !is_line_end(text + n)) return nullptr;
      node = {detail::text_place(static_cast<std::size_t>(text - reply), n), 1, kind::string, false};
      return text + n + line_end;
   }
   if (*at == ':') {
      const bool negative = at[1] == '-';
      const char* const line = digits(at + 1 + negative, end, n);
      if (line == nullptr || end - line < 2 || !is_line_end(line)) return nullptr;
      node = {negative ? 0 - n : n, 1, kind::integer, false};
      return line + line_end;
   }
   return nullptr;
}

}  // namespace

// Most of what servers send, in one tight pass: strings and integers, up to the last one of the innermost aggregate.
// True: that last one is complete (but not counted yet). False: what comes next is for `item`.
bool reader::plain_items() {
   if (looked_ != 0 || body_ != 0 || offset_ >= limits_.reply_bytes) return false;
   const char* const reply = data_.get() + begin_;
   const char* const end = reply + std::min(end_ - begin_, limits_.reply_bytes);
   const char* at = reply + offset_;
   std::uint32_t left = open_.empty() ? 1 : open_.back().left;
   while (at != end) {
      if (node_count_ == node_capacity_) grow_nodes();
      const char* const behind = plain_item(at, end, reply, nodes_[node_count_]);
      if (behind == nullptr) break;
      ++node_count_;
      at = behind;
      if (--left == 0) break;
   }
   if (at == reply + offset_) return false;
   offset_ = static_cast<std::size_t>(at - reply);
   if (!open_.empty()) open_.back().left = left == 0 ? 1 : left;
   return left == 0;
}

// An item is complete; so may be the aggregates that it was the last of. True: so is the reply.
bool reader::close_aggregates() {
   while (!open_.empty()) {
      frame& innermost = open_.back();
      if (--innermost.left != 0) return false;
      const frame closed = innermost;
      open_.pop_back();
      if (closed.attribute) {
         node_count_ = closed.node;  // what it is an attribute of comes next
         return false;
      }
      nodes_[closed.node].span = static_cast<std::uint32_t>(node_count_ - closed.node);
   }
   return true;
}

void reader::grow_nodes() {
   const std::size_t capacity = std::max<std::size_t>(16, 2 * node_capacity_);
   detail::value_node* const wider = reallocate(nodes_.get(), capacity);
   nodes_.release();
   nodes_.reset(wider);
   node_capacity_ = capacity;
}

detail::value_node& reader::add_node() {
   if (node_count_ == node_capacity_) grow_nodes();
   return nodes_[node_count_++] = detail::value_node{};
}

}  // namespace holdfast::resp
