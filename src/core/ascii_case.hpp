// Words of the protocol (names of commands, options): ASCII, and the same in upper and lower case.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace holdfast::resp {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

// Copies short texts without a call: most names, keys and numbers have fewer than 17 bytes.
inline void copy_text(char* to, const char* from, std::size_t n) {
   if (n > 16) {
      std::memcpy(to, from, n);
   } else if (n >= 8) {
      std::memcpy(to, from, 8);
      std::memcpy(to + n - 8, from + n - 8, 8);
   } else if (n >= 4) {
      std::memcpy(to, from, 4);
      std::memcpy(to + n - 4, from + n - 4, 4);
   } else {
      for (std::size_t i = 0; i != n; ++i) to[i] = from[i];
   }
}

constexpr bool same_word(std::string_view a, std::string_view b) {
   if (a.size() != b.size()) return false;
   for (std::size_t i = 0; i != a.size(); ++i) {
      if (lower(a[i]) != lower(b[i])) return false;
   }
   return true;
}

// A word of up to 23 bytes in lower case, as numbers: compared and hashed at once instead of letter by letter.
struct word_key {
   static constexpr std::size_t longest = 23;
   std::uint64_t part[3] = {};

   word_key() = default;
   constexpr explicit word_key(std::string_view word) {  // not longer than `longest`
      if (std::is_constant_evaluated() || std::endian::native != std::endian::little) {
         for (std::size_t i = 0; i != word.size(); ++i)
            part[i / 8] |= static_cast<std::uint64_t>(static_cast<unsigned char>(word[i])) << i % 8 * 8;
      } else {
         copy_text(reinterpret_cast<char*>(part), word.data(), word.size());
      }
      for (std::uint64_t& p : part) {
         if (p != 0) p = lowered(p);
      }
      part[2] |= static_cast<std::uint64_t>(word.size()) << 56;  // a zero byte in the word is no end of it
   }

   constexpr std::uint32_t hash() const {
      constexpr std::uint64_t odd = 0x9e3779b97f4a7c15u;
      const std::uint64_t mixed = ((part[0] * odd ^ part[1]) * odd ^ part[2]) * odd;
      return static_cast<std::uint32_t>(mixed >> 40);
   }
   friend constexpr bool operator==(const word_key&, const word_key&) = default;

 private:
   // Eight letters at once: a byte has its high bit in `upper` if it is in 'A'..'Z'.
   static constexpr std::uint64_t lowered(std::uint64_t bytes) {
      constexpr std::uint64_t each = 0x0101010101010101u;
      const std::uint64_t seven = bytes & 0x7f * each;
      const std::uint64_t from_a = seven + (0x80 - 'A') * each;
      const std::uint64_t behind_z = seven + (0x80 - 'Z' - 1) * each;
      const std::uint64_t upper = (from_a ^ behind_z) & ~bytes & 0x80 * each;
      return bytes | upper >> 2;
   }
};

}  // namespace holdfast::resp
