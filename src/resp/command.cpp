#include <holdfast/command.hpp>
#include <holdfast/error.hpp>

#include <algorithm>
#include <cstring>
#include <memory>

namespace holdfast {
namespace {

constexpr std::size_t longest_header = 23;  // '$', 20 digits, CR LF

// Bytes that `put` writes, or some more.
constexpr std::size_t room_for(std::string_view argument) {
   const std::size_t n = argument.size();
   return n + (n < 10 ? 4 : n < 100 ? 5 : n < 1000 ? 6 : longest_header) + 2;
}

[[gnu::always_inline]] inline char* put(char* to, std::string_view argument) {
   *to++ = '$';
   if (argument.size() < 10)
      *to++ = static_cast<char>('0' + argument.size());
   else
      to = std::to_chars(to, to + longest_header, argument.size()).ptr;
   *to++ = '\r';
   *to++ = '\n';
   if (!argument.empty()) std::memcpy(to, argument.data(), argument.size());
   to += argument.size();
   *to++ = '\r';
   *to++ = '\n';
   return to;
}

}  // namespace

void command::assemble(const std::string_view* arguments, std::size_t count) {
   std::size_t room = 0;
   for (std::size_t i = 0; i != count; ++i) room += room_for(arguments[i]);
   char* to = data() + front;
   if (front + room > capacity_) {
      capacity_ = front + room;
      heap_ = new char[capacity_];
      to = heap_ + front;
   }
   char* const first = to;
   for (std::size_t i = 0; i != count; ++i) to = put(to, arguments[i]);
   body_ = static_cast<std::size_t>(to - first);
   count_ = static_cast<std::uint32_t>(count);
   write_header();
}

void command::append(std::string_view argument) {
   const std::size_t needed = front + body_ + room_for(argument);
   char* to = data() + front + body_;
   std::unique_ptr<char[]> old;  // outlives the copy: the argument may be one of our own
   if (needed > capacity_) {
      const std::size_t capacity = std::max(needed, 2 * capacity_);
      char* const wider = new char[capacity];
      std::memcpy(wider + front, data() + front, body_);
      // An argument that lies in the inline buffer would be overwritten by the pointer to the new one.
      char* const end = put(wider + front + body_, argument);
      if (capacity_ != inline_size) old.reset(heap_);
      heap_ = wider;
      capacity_ = capacity;
      body_ = static_cast<std::size_t>(end - (wider + front));
   } else {
      body_ = static_cast<std::size_t>(put(to, argument) - (data() + front));
   }
   ++count_;
   write_header();
}

void command::write_header() noexcept {
   char* to = data() + front;
   *--to = '\n';
   *--to = '\r';
   std::uint32_t n = count_;
   for (; n >= 10; n /= 10) *--to = static_cast<char>('0' + n % 10);
   *--to = static_cast<char>('0' + n);
   *--to = '*';
   header_ = static_cast<std::uint16_t>(data() + front - to);
}

void command::check_not_empty() const {
   if (count_ != 0) return;
   throw failure({errc::invalid_argument, outcome::not_executed, "a command needs at least its name"});
}

void command::copy(const command& other) {
   if (front + other.body_ > inline_size) {
      capacity_ = front + other.body_;
      heap_ = new char[capacity_];
   }
   const std::size_t unused = front - other.header_;
   std::memcpy(data() + unused, other.data() + unused, other.header_ + other.body_);
   body_ = other.body_;
   count_ = other.count_;
   header_ = other.header_;
   idempotent_ = other.idempotent_;
}

void command::take(command& other) noexcept {
   capacity_ = other.capacity_;
   if (capacity_ == inline_size) {
      const std::size_t unused = front - other.header_;
      std::memcpy(inline_ + unused, other.inline_ + unused, other.header_ + other.body_);
   } else {
      heap_ = other.heap_;
      other.capacity_ = inline_size;
   }
   body_ = other.body_;
   count_ = other.count_;
   header_ = other.header_;
   idempotent_ = other.idempotent_;
   other.body_ = 0;
   other.count_ = 0;
   other.header_ = 0;
}

}  // namespace holdfast
