#include "core/ascii_case.hpp"

#include <holdfast/command.hpp>
#include <holdfast/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace holdfast {
namespace {

// "$17\r\n" for each of the short lengths, so that a header is one copy of eight bytes.
struct length_header {
   char text[7] = {};
   std::uint8_t size = 0;
};

constexpr std::size_t short_lengths = 256;
constexpr std::size_t longest_header = 24;  // '$', 20 digits, CR LF, rounded up

constexpr auto length_headers = [] {
   std::array<length_header, short_lengths> table{};
   for (std::size_t n = 0; n != table.size(); ++n) {
      length_header& h = table[n];
      h.text[h.size++] = '$';
      if (n >= 100) h.text[h.size++] = static_cast<char>('0' + n / 100);
      if (n >= 10) h.text[h.size++] = static_cast<char>('0' + n / 10 % 10);
      h.text[h.size++] = static_cast<char>('0' + n % 10);
      h.text[h.size++] = '\r';
      h.text[h.size++] = '\n';
   }
   return table;
}();

// Bytes that `put` writes.
constexpr std::size_t room_for(std::string_view argument) {
   const std::size_t n = argument.size();
   return n + (n < 10 ? 4 : n < 100 ? 5 : n < short_lengths ? 6 : longest_header) + 2;
}

// Writes one argument; there is room for it and some bytes more.
[[gnu::always_inline]] inline char* put(char* to, std::string_view argument) {
   if (argument.size() < short_lengths) {
      const length_header& h = length_headers[argument.size()];
      std::memcpy(to, h.text, sizeof h.text);
      to += h.size;
   } else {
      *to++ = '$';
      to = std::to_chars(to, to + longest_header, argument.size()).ptr;
      *to++ = '\r';
      *to++ = '\n';
   }
   resp::copy_text(to, argument.data(), argument.size());
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
   if (front + room + slack > capacity_) {
      capacity_ = front + room + slack;
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
   const std::size_t needed = front + body_ + room_for(argument) + slack;
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
   if (count_ < 10) {
      const char header[] = {'*', static_cast<char>('0' + count_), '\r', '\n'};
      std::memcpy(to - sizeof header, header, sizeof header);
      header_ = sizeof header;
      return;
   }
   *--to = '\n';
   *--to = '\r';
   std::uint32_t n = count_;
   do {
      *--to = static_cast<char>('0' + n % 10);
      n /= 10;
   } while (n != 0);
   *--to = '*';
   header_ = static_cast<std::uint16_t>(data() + front - to);
}

void command::check_not_empty() const {
   if (count_ != 0) return;
   error e{errc::invalid_argument, outcome::not_executed};
   e.causes.emplace_back("a command needs at least its name");
   throw failure(std::move(e));
}

void command::copy(const command& other) {
   if (front + other.body_ + slack > inline_size) {
      capacity_ = front + other.body_ + slack;
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
