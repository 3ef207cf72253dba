#include "resp/reader.hpp"

#include "core/escape.hpp"
#include "core/number.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

namespace holdfast::impl {
namespace {

constexpr std::size_t line_end = 2;  // CR LF
constexpr std::size_t kept_nodes = std::size_t{64} << 10;

}  // namespace

reader::reader(const limits& l) : limits_(l) {
   // Offsets and counts of nodes have 32 bits.
   constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
   limits_.reply_bytes = std::min(limits_.reply_bytes, most);
   limits_.elements = std::min(limits_.elements, most / 2);
}

std::span<char> reader::prepare(std::size_t at_least) {
   if (complete_) begin_reply();
   if (buffer_.size() == 0) nodes_.trim(kept_nodes);
   return buffer_.prepare(at_least);
}

void reader::reset() {
   begin_reply();
   buffer_.clear();
   nodes_.trim(kept_nodes);
   broken_ = over_limit_ = false;
   problem_.clear();
}

// ---- replies -------------------------------------------------------------------------------------------------------

void reader::begin_reply() {
   if (complete_) buffer_.use(offset_);
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
   if (offset_ == buffer_.size() && body_ == 0) return status::incomplete;
   for (;;) {
      step made = step::item;
      if (!plain_strings()) made = body_ != 0 ? body() : item();
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

// A string that is there as a whole: what stands behind it. Null for all else, which is not yet to say that it is
// wrong.
inline const char* plain_string(const char* at, const char* end, const char* reply, value_node& node) {
   constexpr std::ptrdiff_t most_digits = 18;
   const auto is_line_end = [](const char* here) { return here[0] == '\r' && here[1] == '\n'; };
   if (*at != '$') return nullptr;
   const char* const first = ++at;
   std::uint64_t n = 0;
   for (; at != end && *at >= '0' && *at <= '9'; ++at) n = n * 10 + static_cast<unsigned>(*at - '0');
   if (at == first || at - first > most_digits || static_cast<std::uint64_t>(end - at) < n + 2 * line_end)
      return nullptr;
   const char* const text = at + line_end;
   if (!is_line_end(at) || !is_line_end(text + n)) return nullptr;
   node = {text_place(static_cast<std::size_t>(text - reply), n), 1, kind::string, false};
   return text + n + line_end;
}

}  // namespace

// Most of what servers send, in one tight pass: strings, up to the last one of the innermost aggregate.
// True: that last one is complete (but not counted yet). False: what comes next is for `item`.
bool reader::plain_strings() {
   if (looked_ != 0 || body_ != 0 || offset_ >= limits_.reply_bytes) return false;
   const char* const reply = buffer_.begin();
   const char* const end = reply + std::min(buffer_.size(), limits_.reply_bytes);
   const char* at = reply + offset_;
   std::uint32_t left = open_.empty() ? 1 : open_.back().left;
   while (at != end) {
      if (node_count_ == nodes_.capacity()) grow_nodes();
      const char* const behind = plain_string(at, end, reply, nodes_[node_count_]);
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

void reader::grow_nodes() { nodes_.grow(std::max<std::size_t>(16, 2 * nodes_.capacity())); }

void reader::add_node(kind k, std::uint64_t payload) {
   if (node_count_ == nodes_.capacity()) grow_nodes();
   nodes_[node_count_++] = {payload, 1, k, false};
}

// ---- one item: the line that tells its kind, and what follows ------------------------------------------------------

namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;  // a status, an error (a script may make long ones)
constexpr std::size_t longest_real = 128;
constexpr std::size_t smallest_item = 3;  // "_\r\n" takes one element no less

bool is_real(std::string_view text) {
   if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
   if (text == "inf" || text == "nan") return true;
   if (text.empty() || text.front() < '0' || text.front() > '9') return false;
   return parse_number<double>(text).has_value();
}

bool is_big_number(std::string_view text) {
   if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
   return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

reader::step reader::item() {
   if (offset_ == buffer_.size()) return step::incomplete;
   if (offset_ >= limits_.reply_bytes) return fail_over_limit(limit::bytes, offset_);
   switch (buffer_.begin()[offset_]) {
      case '$': return bulk(kind::string);
      case ':': return integer_line();
      case '+': return text_line(kind::status);
      case '-': return text_line(kind::error);
      case '*': return aggregate(kind::array, false);
      case '_': return nil_line();
      case ',': return text_line(kind::real);
      case '#': return boolean_line();
      case '(': return text_line(kind::big_number);
      case '!': return bulk(kind::error);
      case '=': return bulk(kind::verbatim);
      case '%': return aggregate(kind::map, false);
      case '~': return aggregate(kind::set, false);
      case '>':
         if (!open_.empty()) return fail("a push message inside another reply");
         return aggregate(kind::push, false);
      case '|': return aggregate(kind::map, true);
      default: return fail("expected the start of a reply");
   }
}

// The line that starts behind the type's byte. Once found, `offset_` is behind it.
reader::step reader::find_line(std::string_view& line, std::size_t at_most) {
   const char* const text = buffer_.begin() + offset_ + 1;
   const auto available = static_cast<std::size_t>(buffer_.end() - text);
   const std::size_t window = std::min(available, at_most + 1);
   const void* const found = looked_ < window ? std::memchr(text + looked_, '\r', window - looked_) : nullptr;
   if (found == nullptr) {
      if (available > at_most) return fail("a line that is too long");
      looked_ = window;
      return step::incomplete;
   }
   const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - text);
   looked_ = length;
   if (length + 1 == available) return step::incomplete;
   if (text[length + 1] != '\n') return fail("expected a line feed behind a carriage return");
   line = {text, length};
   looked_ = 0;
   offset_ += 1 + length + line_end;
   return step::item;
}

reader::step reader::text_line(kind k) {
   const std::size_t start = offset_;
   std::string_view line;
   const step found = find_line(line, k == kind::real ? longest_real : longest_line);
   if (found != step::item) return found;
   if ((k == kind::real && !is_real(line)) || (k == kind::big_number && !is_big_number(line)))
      return fail("expected a number", start);
   add_node(k, text_place(start + 1, line.size()));
   return step::item;
}

reader::step reader::nil_line() {
   std::string_view line;
   const step found = find_line(line, 0);
   if (found == step::item) add_node(kind::nil, 0);
   return found;
}

reader::step reader::boolean_line() {
   const std::size_t start = offset_;
   std::string_view line;
   const step found = find_line(line, 1);
   if (found != step::item) return found;
   if (line != "t" && line != "f") return fail("expected a boolean", start);
   add_node(kind::boolean, line == "t" ? 1 : 0);
   return step::item;
}

// A line that holds one integer. It is short, so that an incomplete one is looked at again rather than remembered.
reader::step reader::number_line(std::int64_t& n) {
   constexpr int most_digits = 19;  // 19 digits fit 64 bits without a sign
   const char* at = buffer_.begin() + offset_ + 1;
   const char* const end = buffer_.end();
   bool negative = false;
   if (at != end && (*at == '-' || *at == '+')) negative = *at++ == '-';
   const char* const first = at;
   std::uint64_t magnitude = 0;
   for (; at != end; ++at) {
      const auto digit = static_cast<unsigned>(static_cast<unsigned char>(*at)) - '0';
      if (digit > 9) break;
      if (at - first == most_digits) return fail("a number that is too large");
      magnitude = magnitude * 10 + digit;
   }
   if (at == end) return step::incomplete;
   if (at == first || *at != '\r') return fail("expected a number");
   if (at + 1 == end) return step::incomplete;
   if (at[1] != '\n') return fail("expected a line feed behind a carriage return");
   constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
   if (magnitude > largest + (negative ? 1 : 0)) return fail("a number that is too large");
   n = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
   offset_ = static_cast<std::size_t>(at + line_end - buffer_.begin());
   return step::item;
}

reader::step reader::integer_line() {
   std::int64_t n = 0;
   const step found = number_line(n);
   if (found == step::item) add_node(kind::integer, static_cast<std::uint64_t>(n));
   return found;
}

reader::step reader::bulk(kind k) {
   const std::size_t start = offset_;
   std::int64_t n = 0;
   const step found = number_line(n);
   if (found != step::item) return found;
   const std::size_t header = offset_ - start;
   if (n == -1 && k == kind::string) {
      add_node(kind::nil, 0);
      return step::item;
   }
   offset_ = start;
   if (n < 0) return fail("expected a length");
   if (static_cast<std::uint64_t>(n) > limits_.reply_bytes || start + header + n > limits_.reply_bytes)
      return fail_over_limit(limit::bytes, offset_);
   body_ = header;
   length_ = static_cast<std::size_t>(n);
   body_kind_ = k;
   return body();
}

// The string whose length is known.
reader::step reader::body() {
   const std::size_t start = offset_ + body_;
   if (buffer_.size() < start + length_ + line_end) return step::incomplete;
   const char* const text = buffer_.begin() + start;
   if (text[length_] != '\r' || text[length_ + 1] != '\n') return fail("a string that is longer than announced");
   std::size_t skipped = 0;
   if (body_kind_ == kind::verbatim) {
      skipped = 4;  // the format, "txt:"
      if (length_ < skipped || text[3] != ':') return fail("a verbatim string without its format");
   }
   add_node(body_kind_, text_place(start + skipped, length_ - skipped));
   offset_ = start + length_ + line_end;
   body_ = 0;
   return step::item;
}

reader::step reader::aggregate(kind k, bool attribute) {
   const std::size_t start = offset_;
   std::int64_t n = 0;
   const step found = number_line(n);
   if (found != step::item) return found;
   if (n == -1 && k == kind::array) {
      add_node(kind::nil, 0);
      return step::item;
   }
   const std::size_t room = (limits_.reply_bytes - std::min(offset_, limits_.reply_bytes)) / smallest_item;
   if (n < 0) return fail("expected a number of elements", start);
   const std::uint64_t announced = (k == kind::map ? 2 : 1) * static_cast<std::uint64_t>(n);
   if (announced > limits_.elements - announced_) return fail_over_limit(limit::elements, start);
   if (announced > room) return fail_over_limit(limit::bytes, start);
   if (n != 0 && open_.size() >= limits_.depth) return fail_over_limit(limit::depth, start);
   const auto elements = static_cast<std::uint32_t>(announced);
   announced_ += elements;
   if (!attribute) {
      add_node(k, elements);
      if (elements == 0) return step::item;
   }
   if (elements != 0) open_.push_back({static_cast<std::uint32_t>(node_count_ - !attribute), elements, attribute});
   return step::opened;
}

reader::step reader::fail(std::string_view what, std::size_t at) {
   offset_ = at;
   return fail(what);
}

reader::step reader::fail(std::string_view what) {
   broken_ = true;
   problem_ = what;
   constexpr std::size_t shown = 48;
   problem_ += ", found ";
   append_quoted(problem_, {buffer_.begin() + offset_, buffer_.size() - offset_}, shown);
   return step::broken;
}

reader::step reader::fail_over_limit(limit which, std::size_t at) {
   offset_ = at;
   over_limit_ = true;
   const auto set_by = [](const char* name, std::size_t n) {
      return " (config::limits::" + std::string(name) + ", " + std::to_string(n) + ")";
   };
   switch (which) {
      case limit::bytes: return fail("the reply is larger than the limit" + set_by("reply_bytes", limits_.reply_bytes));
      case limit::depth:
         return fail("the reply is nested deeper than the limit" + set_by("reply_nesting", limits_.depth));
      case limit::elements: break;
   }
   return fail("the reply has more elements than the limit" + set_by("reply_elements", limits_.elements));
}

bool reader::answer_over_limit() const {
   constexpr std::string_view no_answers = "-!>|";  // errors, pushes, and what an attribute belongs to did not come
   return over_limit_ && no_answers.find(*buffer_.begin()) == std::string_view::npos;
}

}  // namespace holdfast::impl
