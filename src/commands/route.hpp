// Which shard a command goes to, and the hash slot of a key by which Redis Cluster tells that.
#pragma once

#include <holdfast/command.hpp>

#include <cstdint>
#include <string_view>

namespace holdfast::impl {

using shard_id = std::uint32_t;

// Under Sentinels, and with one server, there is one shard.
constexpr shard_id route(const command&) { return 0; }

// CRC16 (XMODEM) of the key, modulo 16384. Where the key has a hash tag, text between its first '{' and the next '}',
// the tag alone counts, so that keys of one tag share a slot. (Redis Cluster specification, "Hash tags")
std::uint16_t key_slot(std::string_view key);

}  // namespace holdfast::impl
