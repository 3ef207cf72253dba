// One item of a reply: the line that tells its kind, and what follows.
#include "core/escape.hpp"
#include "core/number.hpp"
#include "resp/reader.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>

namespace holdfast::resp {
namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;  // a status, an error (a script may make long ones)
constexpr std::size_t longest_real = 128;
constexpr std::size_t smallest_item = 3;  // "_\r\n" takes one element no less
constexpr std::size_t line_end = 2;       // CR LF

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
   if (begin_ + offset_ == end_) return step::incomplete;
   if (offset_ >= limits_.reply_bytes) return fail_over_limit(limit::bytes);
   switch (data_[begin_ + offset_]) {
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
   const char* const text = data_.get() + begin_ + offset_ + 1;
   const auto available = static_cast<std::size_t>(data_.get() + end_ - text);
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
   if ((k == kind::real && !is_real(line)) || (k == kind::big_number && !is_big_number(line))) {
      offset_ = start;
      return fail("expected a number");
   }
   detail::value_node& node = add_node();
   node.kind = k;
   node.payload = detail::text_place(start + 1, line.size());
   return step::item;
}

reader::step reader::nil_line() {
   std::string_view line;
   const step found = find_line(line, 0);
   if (found == step::item) add_node();
   return found;
}

reader::step reader::boolean_line() {
   const std::size_t start = offset_;
   std::string_view line;
   const step found = find_line(line, 1);
   if (found != step::item) return found;
   if (line != "t" && line != "f") {
      offset_ = start;
      return fail("expected a boolean");
   }
   detail::value_node& node = add_node();
   node.kind = kind::boolean;
   node.payload = line == "t" ? 1 : 0;
   return step::item;
}

// A line that holds one integer. It is short, so that an incomplete one is looked at again rather than remembered.
reader::step reader::number_line(std::int64_t& n) {
   constexpr int most_digits = 19;  // 19 digits fit 64 bits without a sign
   const char* at = data_.get() + begin_ + offset_ + 1;
   const char* const end = data_.get() + end_;
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
   offset_ = static_cast<std::size_t>(at + line_end - (data_.get() + begin_));
   return step::item;
}

reader::step reader::integer_line() {
   std::int64_t n = 0;
   const step found = number_line(n);
   if (found != step::item) return found;
   detail::value_node& node = add_node();
   node.kind = kind::integer;
   node.payload = static_cast<std::uint64_t>(n);
   return step::item;
}

reader::step reader::bulk(kind k) {
   const std::size_t start = offset_;
   std::int64_t n = 0;
   const step found = number_line(n);
   if (found != step::item) return found;
   const std::size_t header = offset_ - start;
   if (n == -1 && k == kind::string) {
      add_node();
      return step::item;
   }
   if (n < 0 || static_cast<std::uint64_t>(n) > limits_.reply_bytes || offset_ + n > limits_.reply_bytes) {
      offset_ = start;
      return n < 0 ? fail("expected a length") : fail_over_limit(limit::bytes);
   }
   offset_ = start;
   body_ = header;
   length_ = static_cast<std::size_t>(n);
   body_kind_ = k;
   return body();
}

// The string whose length is known.
reader::step reader::body() {
   const std::size_t start = offset_ + body_;
   if (end_ - begin_ < start + length_ + line_end) return step::incomplete;
   const char* const text = data_.get() + begin_ + start;
   if (text[length_] != '\r' || text[length_ + 1] != '\n') return fail("a string that is longer than announced");
   std::size_t skipped = 0;
   if (body_kind_ == kind::verbatim) {
      skipped = 4;  // the format, "txt:"
      if (length_ < skipped || text[3] != ':') return fail("a verbatim string without its format");
   }
   detail::value_node& node = add_node();
   node.kind = body_kind_;
   node.payload = detail::text_place(start + skipped, length_ - skipped);
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
      add_node();
      return step::item;
   }
   const std::size_t room = (limits_.reply_bytes - std::min(offset_, limits_.reply_bytes)) / smallest_item;
   const auto count = static_cast<std::uint64_t>(n);
   std::optional<limit> over;
   if (n < 0) {
      offset_ = start;
      return fail("expected a number of elements");
   }
   if (count > limits_.elements || (k == kind::map ? 2 : 1) * count > limits_.elements - announced_)
      over = limit::elements;
   else if ((k == kind::map ? 2 : 1) * count > room)
      over = limit::bytes;
   else if (n != 0 && open_.size() >= limits_.depth)
      over = limit::depth;
   if (over) {
      offset_ = start;
      return fail_over_limit(*over);
   }
   const auto elements = static_cast<std::uint32_t>((k == kind::map ? 2 : 1) * count);
   announced_ += elements;
   if (!attribute) {
      detail::value_node& node = add_node();
      node.kind = k;
      node.payload = elements;
      if (elements == 0) return step::item;
   }
   if (elements != 0) open_.push_back({static_cast<std::uint32_t>(node_count_ - !attribute), elements, attribute});
   return step::opened;
}

reader::step reader::fail(std::string_view what) {
   broken_ = true;
   problem_ = what;
   const std::size_t at = begin_ + offset_;
   constexpr std::size_t shown = 48;
   problem_ += ", found ";
   append_quoted(problem_, {data_.get() + at, end_ - at}, shown);
   return step::broken;
}

reader::step reader::fail_over_limit(limit which) {
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
   return over_limit_ && no_answers.find(data_[begin_]) == std::string_view::npos;
}

}  // namespace holdfast::resp
