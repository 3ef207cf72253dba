// A reply of a server: nil, text, a number, a boolean, or an aggregate of replies.
#pragma once

#include <holdfast/result.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

// What a reply is. Where RESP2 and RESP3 spell the same thing in different ways, it is one kind here (nil). Where RESP2
// knows no better (a map arrives as an array, a real or a boolean as a string or an integer), `as` bridges the gap.
enum class kind : std::uint8_t {
   nil,
   string,      // a bulk string
   status,      // a simple string: "OK", "QUEUED"
   error,       // an error inside an aggregate; as a whole reply it is a failed result instead
   integer,     // 64 bits, signed
   real,        // a double; its text as the server sent it is kept
   boolean,     //
   verbatim,    // text with a format, which is dropped
   big_number,  // an integer of any length, as text
   array,       //
   map,         // key, value, key, value: its elements are counted and indexed as those of an array
   set,         //
   push,        // out of band: published messages, invalidations
};

std::string_view to_string(kind);

class value;
class value_view;

namespace impl {

// One reply, or one element of it, in a flat preorder array: an aggregate stands before its elements.
struct value_node {
   std::uint64_t payload = 0;  // text: offset, and length << 32; integer, boolean: itself; aggregate: its elements
   std::uint32_t span = 1;     // the nodes from this one to the end of its last element
   holdfast::kind kind = holdfast::kind::nil;
   bool stored_apart = false;  // used by `value`

   std::uint32_t offset() const { return static_cast<std::uint32_t>(payload); }
   std::uint32_t length() const { return static_cast<std::uint32_t>(payload >> 32); }
   bool has_text() const {
      using k = holdfast::kind;
      return kind <= k::big_number && kind != k::nil && kind != k::integer && kind != k::boolean;
   }
};

template <class T>
bool read(value_view, T&);
template <class T>
struct borrows;

constexpr std::uint64_t text_place(std::size_t offset, std::size_t length) {
   return static_cast<std::uint64_t>(offset) | static_cast<std::uint64_t>(length) << 32;
}

[[noreturn]] void throw_type_mismatch(value_view, std::string_view asked_for);
error type_mismatch(value_view, std::string_view asked_for);
template <class T>
constexpr std::string_view describe();

}  // namespace impl

// A reply that lies elsewhere: in a `value`, or in the receive buffer. Cheap to copy; valid as long as that is.
//
// T in as<T>: any integer but a character type, double, float, bool, std::string, std::string_view, value, value_view,
// std::optional<T> (nil is empty), std::pair, std::tuple and std::array (of as many elements as the reply has), a
// std::chrono::duration (a number in units of its own: seconds for TTL, milliseconds for PTTL), and what has push_back
// (std::vector), insert (std::set) or keys (std::map, std::unordered_map) of these. A type of your own is read by a
// function that argument-dependent lookup finds, and that answers false for a reply that is none:
//
//    bool from_value(holdfast::value_view from, customer& to) { return from.find("name").read(to.name); }
//
// A number or a boolean is also read from text that is wholly one, because
// RESP2 sends it so. A map is read from a map, from an array that alternates keys and values, and from an array of
// pairs; so is a vector of pairs. An error is never read as text (but see `text`).
class value_view {
 public:
   class iterator;
   class pair_range;

   value_view() noexcept;  // nil
   value_view(const impl::value_node* node, const char* bytes) noexcept : node_(node), bytes_(bytes) {}

   holdfast::kind kind() const noexcept { return node_->kind; }
   bool is_nil() const noexcept { return kind() == kind::nil; }
   bool is_error() const noexcept { return kind() == kind::error; }
   bool is_aggregate() const noexcept { return kind() >= kind::array; }

   // The text of a string, a status, an error, a real, a verbatim string or a big number; empty for all others.
   std::string_view text() const noexcept {
      return has_text() ? std::string_view{bytes_ + node_->offset(), node_->length()} : std::string_view{};
   }
   // The integer; a boolean as 0 or 1; 0 for all others.
   std::int64_t integer() const noexcept { return has_integer() ? std::bit_cast<std::int64_t>(node_->payload) : 0; }
   double real() const noexcept;  // 0 unless it is a real
   bool boolean() const noexcept { return kind() == kind::boolean && node_->payload != 0; }

   // The elements of an aggregate; a map of n pairs has 2n. 0 for all others.
   std::size_t size() const noexcept { return is_aggregate() ? node_->payload : 0; }
   bool empty() const noexcept { return size() == 0; }
   // The i-th element, i < size(). In constant time where no element is an aggregate.
   value_view operator[](std::size_t i) const noexcept;
   iterator begin() const noexcept;
   iterator end() const noexcept;
   // The elements two by two: of a map, or of an array that alternates keys and values. An odd last one is left out.
   pair_range pairs() const noexcept;
   // The value of a text key in a map or an array that alternates keys and values; nil if it is not there.
   value_view find(std::string_view key) const noexcept;

   // Throws failure (errc::type_mismatch, outcome::executed: the command ran, its reply is of another type).
   template <class T>
   T as() const {
      T out{};
      if (!impl::read(*this, out)) impl::throw_type_mismatch(*this, impl::describe<T>());
      return out;
   }
   template <class T>
   result<T> try_as() const {
      T out{};
      if (!impl::read(*this, out)) return impl::type_mismatch(*this, impl::describe<T>());
      return out;
   }
   // False: it is no T; `out` can then only be assigned to or destroyed. `out` is empty before, if it is a list.
   template <class T>
   bool read(T& out) const {
      return impl::read(*this, out);
   }

   // Same kind, same content; maps and sets in the same order. NaN equals NaN.
   friend bool operator==(value_view, value_view) noexcept;

 private:
   friend class value;
   bool has_text() const noexcept { return node_->has_text(); }
   bool has_integer() const noexcept { return kind() == kind::integer || kind() == kind::boolean; }

   const impl::value_node* node_;
   const char* bytes_;
};

// Over the elements of an aggregate, each a value_view.
class value_view::iterator {
 public:
   using value_type = value_view;
   using reference = value_view;
   using pointer = void;
   using difference_type = std::ptrdiff_t;
   using iterator_category = std::input_iterator_tag;
   using iterator_concept = std::forward_iterator_tag;

   iterator() = default;
   iterator(const impl::value_node* node, const char* bytes) noexcept : node_(node), bytes_(bytes) {}
   value_view operator*() const noexcept { return {node_, bytes_}; }
   iterator& operator++() noexcept {
      node_ += node_->span;
      return *this;
   }
   iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
   }
   friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.node_ == b.node_; }

 private:
   const impl::value_node* node_ = nullptr;
   const char* bytes_ = nullptr;
};

// Over the elements two by two, each a std::pair of value_views.
class value_view::pair_range {
 public:
   class iterator {
    public:
      using value_type = std::pair<value_view, value_view>;
      using reference = value_type;
      using pointer = void;
      using difference_type = std::ptrdiff_t;
      using iterator_category = std::input_iterator_tag;

      iterator() = default;
      iterator(value_view::iterator at, std::size_t left) noexcept : at_(at), left_(left) {}
      value_type operator*() const noexcept { return {*at_, *std::next(at_)}; }
      iterator& operator++() noexcept {
         ++ ++at_;
         --left_;
         return *this;
      }
      iterator operator++(int) noexcept {
         const iterator before = *this;
         ++*this;
         return before;
      }
      friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.left_ == b.left_; }

    private:
      value_view::iterator at_ = {};
      std::size_t left_ = 0;
   };

   explicit pair_range(value_view v) noexcept : view_(v) {}
   iterator begin() const noexcept { return {view_.begin(), size()}; }
   iterator end() const noexcept { return {view_.end(), 0}; }
   std::size_t size() const noexcept { return view_.size() / 2; }

 private:
   value_view view_;
};

inline value_view value_view::operator[](std::size_t i) const noexcept {
   const impl::value_node* node = node_ + 1;
   if (node_->span == node_->payload + 1) return {node + i, bytes_};
   for (; i != 0; --i) node += node->span;
   return {node, bytes_};
}
inline value_view::iterator value_view::begin() const noexcept { return {node_ + 1, bytes_}; }
inline value_view::iterator value_view::end() const noexcept { return {node_ + node_->span, bytes_}; }
inline value_view::pair_range value_view::pairs() const noexcept { return pair_range{*this}; }

// A reply that owns what it holds. A number, and text of up to 48 bytes, lies inside; anything larger is one block on
// the heap, however many elements it has. Reads as a value_view does, to which it converts.
class value {
 public:
   using iterator = value_view::iterator;
   static constexpr std::size_t inline_text = 48;

   value() noexcept {}  // nil
   explicit value(value_view from);
   value(const value& other) : value(other.view()) {}
   value(value&& other) noexcept { take(other); }
   value& operator=(const value& other) {
      if (this != &other) *this = value(other);
      return *this;
   }
   value& operator=(value&& other) noexcept {
      if (this != &other) {
         release();
         take(other);
      }
      return *this;
   }
   ~value() { release(); }

   // By hand, for tests and for answers that no server gave.
   static value of_string(std::string_view text) { return of_text(kind::string, text); }
   static value of_status(std::string_view text) { return of_text(kind::status, text); }
   static value of_error(std::string_view text) { return of_text(kind::error, text); }
   static value of_verbatim(std::string_view text) { return of_text(kind::verbatim, text); }
   static value of_big_number(std::string_view digits) { return of_text(kind::big_number, digits); }
   static value of_integer(std::int64_t n);
   static value of_real(double d);
   static value of_boolean(bool b);
   static value of_array(const std::vector<value>& elements) { return of_aggregate(kind::array, elements); }
   static value of_set(const std::vector<value>& elements) { return of_aggregate(kind::set, elements); }
   static value of_push(const std::vector<value>& elements) { return of_aggregate(kind::push, elements); }
   static value of_map(const std::vector<std::pair<value, value>>& pairs);

   value_view view() const noexcept;
   operator value_view() const noexcept { return view(); }

   holdfast::kind kind() const noexcept { return root_.kind; }
   bool is_nil() const noexcept { return kind() == kind::nil; }
   bool is_error() const noexcept { return kind() == kind::error; }
   bool is_aggregate() const noexcept { return kind() >= kind::array; }
   std::string_view text() const noexcept { return view().text(); }  // this, and all views, live as long as the value
   std::int64_t integer() const noexcept { return view().integer(); }
   double real() const noexcept { return view().real(); }
   bool boolean() const noexcept { return view().boolean(); }
   std::size_t size() const noexcept { return view().size(); }
   bool empty() const noexcept { return size() == 0; }
   value_view operator[](std::size_t i) const noexcept { return view()[i]; }
   iterator begin() const noexcept { return view().begin(); }
   iterator end() const noexcept { return view().end(); }
   value_view::pair_range pairs() const noexcept { return view().pairs(); }
   value_view find(std::string_view key) const noexcept { return view().find(key); }

   // What borrows from the value (std::string_view, alone or inside) is given only by a value that stays.
   template <class T>
   T as() const& {
      return view().as<T>();
   }
   template <class T>
      requires(!impl::borrows<T>::value)
   T as() && {
      return view().as<T>();
   }
   template <class T>
   result<T> try_as() const& {
      return view().try_as<T>();
   }
   template <class T>
      requires(!impl::borrows<T>::value)
   result<T> try_as() && {
      return view().try_as<T>();
   }
   template <class T>
      requires(impl::borrows<T>::value)
   T as() && = delete;
   template <class T>
      requires(impl::borrows<T>::value)
   result<T> try_as() && = delete;

   friend bool operator==(const value& a, const value& b) noexcept { return a.view() == b.view(); }

 private:
   static value of_text(holdfast::kind k, std::string_view text);
   static value of_aggregate(holdfast::kind k, const std::vector<value>& elements);
   void set_text(holdfast::kind k, std::string_view text);
   void take(value& other) noexcept;
   void release() noexcept {
      if (root_.stored_apart) delete[] block_;
   }

   impl::value_node root_ = {};
   union {
      char inline_[inline_text];
      char* block_;  // an aggregate's nodes, then the bytes of their texts; or the bytes of one long text
   };
};

// One readable line, for messages and tests: ["a", 1, nil, {"k": 2.5}]. What servers sent is escaped, and what is long
// is cut.
std::string to_string(value_view);
inline std::string to_string(const value& v) { return to_string(v.view()); }
std::ostream& operator<<(std::ostream&, value_view);
std::ostream& operator<<(std::ostream&, const value&);
std::ostream& operator<<(std::ostream&, kind);

}  // namespace holdfast

#include <holdfast/detail/value_conversion.hpp>
