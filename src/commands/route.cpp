#include "commands/route.hpp"

namespace holdfast::impl {
namespace {

constexpr std::uint16_t slots = 16384;

std::string_view hashed_part(std::string_view key) {
   const auto open = key.find('{');
   if (open == std::string_view::npos) return key;
   const auto close = key.find('}', open + 1);
   return close == std::string_view::npos || close == open + 1 ? key : key.substr(open + 1, close - open - 1);
}

}  // namespace

std::uint16_t key_slot(std::string_view key) {
   unsigned crc = 0;
   for (const char c : hashed_part(key)) {
      crc ^= static_cast<unsigned char>(c) << 8U;
      for (int bit = 0; bit != 8; ++bit) crc = (crc << 1U) ^ ((crc & 0x8000U) != 0 ? 0x1021U : 0U);
   }
   return static_cast<std::uint16_t>((crc & 0xFFFFU) % slots);
}

}  // namespace holdfast::impl
