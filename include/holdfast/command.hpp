// A command with its arguments, as it will be sent.
#pragma once

#include <holdfast/detail/requirements.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>

namespace holdfast {

namespace impl {

template <class T>
concept text_argument =
   std::convertible_to<const T&, std::string_view> && !std::is_same_v<std::remove_cvref_t<T>, std::nullptr_t>;
template <class T>
concept number_argument =
   std::floating_point<T> ||
   (std::integral<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char> && !std::is_same_v<T, signed char> &&
    !std::is_same_v<T, unsigned char> && !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char8_t> &&
    !std::is_same_v<T, char16_t> && !std::is_same_v<T, char32_t>);

// An argument as text, for as long as the command is being put together.
template <class T>
class argument_text {
 public:
   explicit argument_text(const T& text) : text_(text) {}
   operator std::string_view() const { return text_; }

 private:
   std::string_view text_;
};
template <number_argument T>
class argument_text<T> {
 public:
   explicit argument_text(T number) : end_(std::to_chars(text_, text_ + sizeof text_, number).ptr) {}
   argument_text(const argument_text&) = delete;
   argument_text& operator=(const argument_text&) = delete;
   operator std::string_view() const { return {text_, static_cast<std::size_t>(end_ - text_)}; }

 private:
   char text_[48];
   char* end_;
};

}  // namespace impl

// What may be an argument: what converts to std::string_view (binary-safe; of a string literal, what stands before the
// first zero byte), an integer, or a floating-point number (sent with the fewest digits that read back the same). A
// bool or a character is neither: say which you mean.
template <class T>
concept command_argument = impl::text_argument<T> || impl::number_argument<T>;

namespace impl {

template <class T>
inline constexpr bool is_number_of_another_kind = std::integral<T> && !number_argument<T> && !std::is_same_v<T, bool>;

// Text of an error at compile time.
template <class T>
constexpr void check_is_argument() {
   constexpr bool is_bool = std::is_same_v<T, bool>;
   static_assert(!is_bool, "a bool is no argument of a command: write the word or the number that the command wants");
   static_assert(!is_number_of_another_kind<T>,
                 "a character is no argument of a command: write a text of one character, \"x\", or an int");
   static_assert(is_bool || is_number_of_another_kind<T> || command_argument<T>,
                 "this is no argument of a command: write what converts to std::string_view, or a number; for a range "
                 "of texts there is command::from");
}

}  // namespace impl

// Owns its bytes, the first 128 or so inside itself; can be sent any number of times. Not changed by being sent, so
// that threads may share a const command.
//
//    command set{"SET", key, 17, "EX", 60};
//    client.run({"INCR", "hits"});
class command {
 public:
   class argument_iterator;
   class argument_range;

   template <command_argument... Args>
      requires(sizeof...(Args) >= 1)
   command(const Args&... args) {  // implicit, so that braces are enough where a command is asked for
      assemble_from(impl::argument_text<Args>(args)...);
   }
   // Arguments of which no command can be made: the compiler says why, and what to write instead.
   template <class... Args>
      requires((sizeof...(Args) >= 2) && !(command_argument<Args> && ...))
   command(const Args&...) {
      (impl::check_is_argument<Args>(), ...);
   }
   template <class A = command>
   command(std::initializer_list<std::string_view>, std::initializer_list<std::string_view>) {
      check_has_no_braces<A>();
   }
   template <command_argument A, class... More>
   command(const A&, std::initializer_list<std::string_view>, const More&...) {
      check_has_no_braces<A>();
   }
   template <command_argument A, command_argument B, class... More>
   command(const A&, const B&, std::initializer_list<std::string_view>, const More&...) {
      check_has_no_braces<A>();
   }
   // From a range of texts, the name first. Throws failure (errc::invalid_argument) if it is empty.
   template <class Range>
      requires requires(const Range& r) { std::string_view(*std::begin(r)); }
   static command from(const Range& arguments) {
      command made;
      for (const auto& argument : arguments) made.append(std::string_view(argument));
      made.check_not_empty();
      return made;
   }

   command(const command& other) { copy(other); }
   command(command&& other) noexcept { take(other); }  // `other` is left without arguments: assign to it or drop it
   command& operator=(const command& other) {
      if (this != &other) {
         command copied(other);
         release();
         take(copied);
      }
      return *this;
   }
   command& operator=(command&& other) noexcept {
      if (this != &other) {
         release();
         take(other);
      }
      return *this;
   }
   ~command() { release(); }

   // Adds an argument at the end.
   template <command_argument T>
   command& arg(const T& argument) & {
      append(impl::argument_text<T>(argument));
      return *this;
   }
   template <command_argument T>
   command&& arg(const T& argument) && {
      return std::move(arg(argument));
   }

   // Says that running it twice does no harm: neither to the state nor to who reads the reply. It is then resent as a
   // plain SET is (see delivery.hpp). Has no effect on what is never sent twice (FLUSHALL, SHUTDOWN, ...). Default:
   // false, and what is known about the command decides.
   command& idempotent(bool yes) & noexcept {
      idempotent_ = yes;
      return *this;
   }
   command&& idempotent(bool yes) && noexcept { return std::move(idempotent(yes)); }
   bool idempotent() const noexcept { return idempotent_; }

   std::size_t size() const noexcept { return count_; }  // the arguments, the name included
   std::string_view name() const noexcept { return argument(0); }
   std::string_view argument(std::size_t i) const noexcept;  // i < size(); takes i steps
   argument_range arguments() const noexcept;                // all of them, the name first, each a std::string_view
   // As it is sent: an array of bulk strings in RESP.
   std::string_view bytes() const noexcept { return {data() + front - header_, header_ + body_}; }

   // The same arguments, and both declared idempotent or neither.
   friend bool operator==(const command& a, const command& b) noexcept {
      return a.idempotent_ == b.idempotent_ && a.bytes() == b.bytes();
   }

 private:
   // The header, "*3\r\n", ends where the arguments begin: it can grow to the left when an argument is added.
   static constexpr std::size_t front = 16;
   static constexpr std::size_t inline_size = front + 136;

   command() noexcept {}
   template <class A>
   static constexpr void check_has_no_braces() {
      static_assert(std::is_void_v<A>,
                    "a command has no braces inside: write its arguments one after the other, {\"DEL\", \"a\", \"b\"}; "
                    "several commands are a std::vector<holdfast::command>");
   }
   template <class... Texts>
   void assemble_from(const Texts&... texts) {
      const std::string_view all[] = {texts...};
      assemble(all, sizeof...(Texts));
   }
   void assemble(const std::string_view* arguments, std::size_t count);
   void append(std::string_view argument);
   void write_header() noexcept;
   void check_not_empty() const;
   void copy(const command& other);
   void take(command& other) noexcept;
   void release() noexcept {
      if (capacity_ != inline_size) delete[] heap_;
   }
   char* data() noexcept { return capacity_ == inline_size ? inline_ : heap_; }
   const char* data() const noexcept { return capacity_ == inline_size ? inline_ : heap_; }

   std::size_t body_ = 0;
   std::size_t capacity_ = inline_size;
   std::uint32_t count_ = 0;
   std::uint16_t header_ = 0;
   bool idempotent_ = false;
   union {
      char inline_[inline_size];
      char* heap_;
   };
};

class command::argument_iterator {
 public:
   using value_type = std::string_view;
   using reference = std::string_view;
   using pointer = void;
   using difference_type = std::ptrdiff_t;
   using iterator_category = std::input_iterator_tag;
   using iterator_concept = std::forward_iterator_tag;

   argument_iterator() = default;
   explicit argument_iterator(const char* at) noexcept : at_(at) {}
   std::string_view operator*() const noexcept {
      const char* text = at_ + 1;
      std::size_t length = 0;
      for (; *text != '\r'; ++text) length = length * 10 + static_cast<std::size_t>(*text - '0');
      return {text + 2, length};
   }
   argument_iterator& operator++() noexcept {
      const std::string_view here = **this;
      at_ = here.data() + here.size() + 2;
      return *this;
   }
   argument_iterator operator++(int) noexcept {
      const argument_iterator before = *this;
      ++*this;
      return before;
   }
   friend bool operator==(const argument_iterator& a, const argument_iterator& b) noexcept { return a.at_ == b.at_; }

 private:
   const char* at_ = nullptr;
};

class command::argument_range {
 public:
   argument_range(const char* first, const char* last) noexcept : first_(first), last_(last) {}
   argument_iterator begin() const noexcept { return argument_iterator{first_}; }
   argument_iterator end() const noexcept { return argument_iterator{last_}; }

 private:
   const char* first_;
   const char* last_;
};

inline command::argument_range command::arguments() const noexcept { return {data() + front, data() + front + body_}; }
inline std::string_view command::argument(std::size_t i) const noexcept {
   argument_iterator at{data() + front};
   for (; i != 0; --i) ++at;
   return *at;
}

// The command as one readable line of at most some hundred characters, for messages: its name, its keys (as far as
// their places are known) and how long its other arguments are, never what they are: SET greeting <11 bytes>. Of AUTH,
// HELLO, ACL, CONFIG and MIGRATE nothing but the name.
std::string to_string(const command&);
std::ostream& operator<<(std::ostream&, const command&);

}  // namespace holdfast
