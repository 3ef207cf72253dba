// What the fuzz targets share. A target is a function of bytes: it reads them as a script, plays it, and throws where a
// promise is broken. libFuzzer calls it (HOLDFAST_FUZZ_ENTRY), and so does the replay of the committed corpus.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace holdfast::fuzz {

void resp(std::string_view bytes);
void uri(std::string_view bytes);
void sentinel(std::string_view bytes);
void engine(std::string_view bytes);

struct broken_promise : std::logic_error {
   using std::logic_error::logic_error;
};

inline void require(bool holds, const char* promise) {
   if (!holds) throw broken_promise(promise);
}
inline void require(bool holds, const char* promise, std::string_view seen) {
   if (!holds) throw broken_promise(promise + (": " + std::string(seen)));
}

inline bool is_one_line(std::string_view text) {
   return std::none_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

// The bytes from the front on; zeros when they are used up. What a byte means never depends on those behind it, so that
// an input keeps its meaning when its end is changed.
class input {
 public:
   explicit input(std::string_view bytes) : rest_(bytes) {}

   bool empty() const { return rest_.empty(); }
   std::uint8_t byte() {
      if (rest_.empty()) return 0;
      const auto b = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      return b;
   }
   std::size_t below(std::size_t n) { return byte() % n; }  // n <= 256
   bool one_in(std::size_t n) { return below(n) == n - 1; }
   std::size_t number() { return byte() + std::size_t{256} * byte(); }
   std::string_view take(std::size_t n) {
      const auto taken = rest_.substr(0, n);
      rest_.remove_prefix(taken.size());
      return taken;
   }
   std::string_view line() {  // up to a line feed, which is left out
      const auto taken = rest_.substr(0, rest_.find('\n'));
      rest_.remove_prefix(std::min(rest_.size(), taken.size() + 1));
      return taken;
   }
   std::string_view rest() { return take(rest_.size()); }

 private:
   std::string_view rest_;
};

}  // namespace holdfast::fuzz

#ifdef HOLDFAST_LIBFUZZER
#define HOLDFAST_FUZZ_ENTRY(target)                                                    \
   extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
   extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
      holdfast::fuzz::target({reinterpret_cast<const char*>(data), size});             \
      return 0;                                                                        \
   }
#else
#define HOLDFAST_FUZZ_ENTRY(target)
#endif
