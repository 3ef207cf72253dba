#include "core/escape.hpp"
#include "core/number.hpp"
#include "resp/kind_and_size.hpp"

#include <holdfast/detail/reply_reader.hpp>
#include <holdfast/value.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <ostream>

namespace holdfast {
namespace {

using impl::value_node;

constexpr value_node nil_node{};

// Bytes that the texts of these nodes occupy.
struct byte_range {
   std::size_t first = 0;
   std::size_t last = 0;
};

byte_range occupied(const value_node* nodes, std::size_t count) {
   byte_range r;
   const value_node* const end = nodes + count;
   const value_node* const front = std::find_if(nodes, end, [](const value_node& n) { return n.has_text(); });
   if (front == end) return r;
   const value_node* back = end - 1;
   while (!back->has_text()) --back;
   r.first = front->offset();
   r.last = std::size_t{back->offset()} + back->length();
   return r;
}

// Less than this in front of the first text is copied along, which spares a change to every node.
constexpr std::size_t small_lead = 64;

}  // namespace

value_view::value_view() noexcept : node_(&nil_node), bytes_(nullptr) {}

double value_view::real() const noexcept {
   double d = 0;
   if (kind() == kind::real) impl::read_real(*this, d);
   return d;
}

value_view value_view::find(std::string_view key) const noexcept {
   for (const auto [k, v] : pairs()) {
      if (k.kind() != kind::error && k.has_text() && k.text() == key) return v;
   }
   return {};
}

bool operator==(value_view a, value_view b) noexcept {
   if (a.node_->span != b.node_->span) return false;
   // Both are preorder arrays of the same length: equal node by node is equal as trees.
   for (std::uint32_t i = 0; i != a.node_->span; ++i) {
      const value_view x{a.node_ + i, a.bytes_};
      const value_view y{b.node_ + i, b.bytes_};
      if (x.kind() != y.kind()) return false;
      if (x.kind() == kind::real) {
         const double p = x.real();
         const double q = y.real();
         if (!(p == q || (std::isnan(p) && std::isnan(q)))) return false;
      } else if (x.has_text() ? x.text() != y.text() : x.node_->payload != y.node_->payload) {
         return false;
      }
   }
   return true;
}

// ---- value ---------------------------------------------------------------------------------------------------------

value::value(value_view from) {
   if (from.has_text()) {
      set_text(from.kind(), from.text());
   } else if (from.empty()) {
      root_ = *from.node_;
      root_.stored_apart = false;
   } else {
      const std::size_t count = from.node_->span;
      byte_range r = occupied(from.node_, count);
      if (r.first <= small_lead) r.first = 0;
      const std::size_t node_bytes = count * sizeof(value_node);
      block_ = new char[node_bytes + (r.last - r.first)];
      std::memcpy(block_, from.node_, node_bytes);
      if (r.last != r.first) std::memcpy(block_ + node_bytes, from.bytes_ + r.first, r.last - r.first);
      if (r.first != 0) {
         auto* const nodes = reinterpret_cast<value_node*>(block_);
         for (std::size_t i = 0; i != count; ++i) {
            if (nodes[i].has_text()) nodes[i].payload -= r.first;
         }
      }
      root_ = *from.node_;
      root_.stored_apart = true;
   }
}

void value::set_text(holdfast::kind k, std::string_view text) {
   root_.kind = k;
   root_.payload = impl::text_place(0, text.size());
   if (text.size() > inline_text) {
      block_ = new char[text.size()];
      root_.stored_apart = true;
      std::memcpy(block_, text.data(), text.size());
   } else if (!text.empty()) {
      std::memcpy(inline_, text.data(), text.size());
   }
}

void value::take(value& other) noexcept {
   root_ = other.root_;
   if (root_.stored_apart)
      block_ = other.block_;
   else if (root_.has_text())
      std::memcpy(inline_, other.inline_, inline_text);
   other.root_ = {};
}

value_view value::view() const noexcept {
   if (!root_.stored_apart) return {&root_, inline_};
   if (!is_aggregate()) return {&root_, block_};
   return {reinterpret_cast<const value_node*>(block_), block_ + root_.span * sizeof(value_node)};
}

value value::of_text(holdfast::kind k, std::string_view text) {
   value v;
   v.set_text(k, text);
   return v;
}

value value::of_integer(std::int64_t n) {
   value v;
   v.root_.kind = kind::integer;
   v.root_.payload = std::bit_cast<std::uint64_t>(n);
   return v;
}

value value::of_boolean(bool b) {
   value v;
   v.root_.kind = kind::boolean;
   v.root_.payload = b ? 1 : 0;
   return v;
}

value value::of_real(double d) {
   char text[64];
   const auto end = std::to_chars(text, text + sizeof text, d).ptr;
   return of_text(kind::real, {text, static_cast<std::size_t>(end - text)});
}

value value::of_map(const std::vector<std::pair<value, value>>& pairs) {
   std::vector<value> flat;
   flat.reserve(2 * pairs.size());
   for (const auto& [k, v] : pairs) {
      flat.push_back(k);
      flat.push_back(v);
   }
   return of_aggregate(kind::map, flat);
}

value value::of_aggregate(holdfast::kind k, const std::vector<value>& elements) {
   std::vector<value_node> nodes(1);
   std::string bytes;
   for (const value& element : elements) {
      const value_view v = element.view();
      const byte_range r = occupied(v.node_, v.node_->span);
      const std::size_t start = bytes.size();
      if (r.last != r.first) bytes.append(v.bytes_ + r.first, r.last - r.first);
      for (std::uint32_t i = 0; i != v.node_->span; ++i) {
         value_node n = v.node_[i];
         n.stored_apart = false;
         if (n.has_text()) n.payload = impl::text_place(n.offset() - r.first + start, n.length());
         nodes.push_back(n);
      }
   }
   nodes[0].kind = k;
   nodes[0].payload = elements.size();
   nodes[0].span = static_cast<std::uint32_t>(nodes.size());
   return value(value_view{nodes.data(), bytes.data()});
}

// ---- reading -------------------------------------------------------------------------------------------------------

namespace impl {
namespace {

bool is_number_text(value_view from) {
   const auto k = from.kind();
   return k == kind::string || k == kind::status || k == kind::verbatim || k == kind::big_number;
}

}  // namespace

bool read_integer(value_view from, std::int64_t& out) noexcept {
   if (from.kind() == kind::integer || from.kind() == kind::boolean) return out = from.integer(), true;
   return is_number_text(from) && parse_number(from.text(), out);
}

bool read_unsigned(value_view from, std::uint64_t& out) noexcept {
   if (is_number_text(from)) return parse_number(from.text(), out);
   std::int64_t n = 0;
   if (!read_integer(from, n) || n < 0) return false;
   out = static_cast<std::uint64_t>(n);
   return true;
}

bool read_real(value_view from, double& out) noexcept {
   if (from.kind() == kind::integer) return out = static_cast<double>(from.integer()), true;
   if (from.kind() != kind::real && !is_number_text(from)) return false;
   std::string_view text = from.text();
   if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
   return parse_number(text, out);
}

bool read_boolean(value_view from, bool& out) noexcept {
   std::int64_t n = 0;
   if (!read_integer(from, n) || n < 0 || n > 1) return false;
   out = n == 1;
   return true;
}

bool read_text(value_view from, std::string_view& out) noexcept {
   if (!is_number_text(from) && from.kind() != kind::real) return false;
   out = from.text();
   return true;
}

error type_mismatch(value_view from, std::string_view asked_for) {
   return {errc::type_mismatch, outcome::executed,
           "asked for " + std::string(asked_for) + ", the reply is " + impl::kind_and_size(from)};
}

error reading_threw(const std::exception_ptr& thrown) {
   error e(errc::type_mismatch, outcome::executed);
   try {
      std::rethrow_exception(thrown);
   } catch (const std::exception& x) {
      e.causes.push_back(std::string("from_value threw: ") + x.what());
   } catch (...) {
      e.causes.emplace_back("from_value threw");
   }
   return e;
}

void throw_type_mismatch(value_view from, std::string_view asked_for) { throw failure(type_mismatch(from, asked_for)); }

}  // namespace impl

// ---- printing ------------------------------------------------------------------------------------------------------

std::string_view to_string(kind k) {
   constexpr std::string_view names[] = {"nil",      "string",     "status", "error", "integer", "real", "boolean",
                                         "verbatim", "big number", "array",  "map",   "set",     "push"};
   return names[static_cast<std::size_t>(k)];
}

namespace {

constexpr std::size_t longest_line = 400;
constexpr std::size_t longest_text = 120;

void append_value(std::string& line, value_view v);

void append_elements(std::string& line, value_view v) {
   const bool keyed = v.kind() == kind::map;
   line += keyed ? "{" : v.kind() == kind::set ? "set[" : v.kind() == kind::push ? "push[" : "[";
   std::size_t i = 0;
   for (const value_view element : v) {
      if (i != 0) line += keyed && i % 2 == 1 ? ": " : ", ";
      if (line.size() > longest_line) {
         line += "... " + std::to_string(v.size()) + " elements";
         break;
      }
      append_value(line, element);
      ++i;
   }
   line += keyed ? "}" : "]";
}

void append_value(std::string& line, value_view v) {
   switch (v.kind()) {
      case kind::nil: line += "nil"; break;
      case kind::string:
      case kind::verbatim: impl::append_quoted(line, v.text(), longest_text); break;
      case kind::status:
      case kind::real:
      case kind::big_number: impl::append_escaped(line, v.text(), longest_text); break;
      case kind::error:
         line += "error ";
         impl::append_quoted(line, v.text(), longest_text);
         break;
      case kind::integer: line += std::to_string(v.integer()); break;
      case kind::boolean: line += v.boolean() ? "true" : "false"; break;
      case kind::array:
      case kind::map:
      case kind::set:
      case kind::push: append_elements(line, v); break;
   }
}

}  // namespace

std::string to_string(value_view v) {
   std::string line;
   append_value(line, v);
   return line;
}

std::ostream& operator<<(std::ostream& out, value_view v) { return out << to_string(v); }
std::ostream& operator<<(std::ostream& out, const value& v) { return out << to_string(v.view()); }
std::ostream& operator<<(std::ostream& out, kind k) { return out << to_string(k); }

}  // namespace holdfast
