// HOLDFAST_ASSERT(condition): aborts where the library's own reasoning is wrong, in every build, whatever the user's
// NDEBUG says; going on would risk a command that runs twice. The message names the expression, the file and the line,
// and no path of the machine that built it.
#pragma once

#include <array>
#include <cstddef>

namespace holdfast::impl {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

// "/any/where/src/lane/lane.cpp" -> "lane/lane.cpp": copied, so that the path itself does not get into the program.
template <std::size_t Size>
consteval std::array<char, Size> short_name(const char (&path)[Size]) {
   std::size_t start = 0, folder = 0;
   for (std::size_t i = 0; i < Size; ++i) {
      if (path[i] != '/') continue;
      start = folder;
      folder = i + 1;
   }
   std::array<char, Size> name{};
   for (std::size_t i = start; i < Size; ++i) name[i - start] = path[i];
   return name;
}

}  // namespace holdfast::impl

#define HOLDFAST_ASSERT(condition)                                                       \
   do {                                                                                  \
      if (!(condition)) [[unlikely]] {                                                   \
         static constexpr auto holdfast_file = ::holdfast::impl::short_name(__FILE__);   \
         ::holdfast::impl::assertion_failed(#condition, holdfast_file.data(), __LINE__); \
      }                                                                                  \
   } while (false)
