// What the tests of the reader share: feeding it bytes in pieces, and writing a value as a server would.
#pragma once

#include "resp/reader.hpp"

#include <holdfast/value.hpp>

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::impl::test {

inline void put(reader& r, std::string_view bytes) {
   const auto space = r.prepare(bytes.size());
   if (!bytes.empty()) std::memcpy(space.data(), bytes.data(), bytes.size());
   r.commit(bytes.size());
}

// What came out of a stream: its replies, and why it broke, if it did.
struct outcome_of_stream {
   std::vector<value> replies = {};
   std::string problem = {};
   bool at_rest = true;
   friend bool operator==(const outcome_of_stream&, const outcome_of_stream&) = default;
};

inline reader::status take_all(reader& r, outcome_of_stream& into) {
   for (;;) {
      const reader::status s = r.next();
      if (s != reader::status::reply) return s;
      into.replies.emplace_back(r.reply());
   }
}

// Feeds the bytes in pieces that end at the given positions (ascending), and the rest as one.
inline outcome_of_stream feed(std::string_view bytes, const std::vector<std::size_t>& cuts = {}, const limits& l = {}) {
   reader r{l};
   outcome_of_stream result;
   std::size_t from = 0;
   const auto piece = [&](std::size_t to) {
      put(r, bytes.substr(from, to - from));
      from = to;
      if (take_all(r, result) == reader::status::broken) result.problem = r.problem();
      return result.problem.empty();
   };
   for (const std::size_t cut : cuts) {
      if (!piece(cut)) return result;
   }
   piece(bytes.size());
   result.at_rest = r.buffered() == 0;
   return result;
}

inline std::vector<std::size_t> every_byte(std::string_view bytes) {
   std::vector<std::size_t> cuts;
   for (std::size_t i = 1; i < bytes.size(); ++i) cuts.push_back(i);
   return cuts;
}

// In RESP3.
inline std::string serialised(value_view v) {
   const auto line = [](char type, std::string_view text) { return type + std::string{text} + "\r\n"; };
   const auto bulk = [&](char type, std::string_view text) {
      return line(type, std::to_string(text.size())) + std::string{text} + "\r\n";
   };
   const auto aggregate = [&](char type, std::size_t count) {
      std::string all = line(type, std::to_string(count));
      for (const value_view element : v) all += serialised(element);
      return all;
   };
   switch (v.kind()) {
      case kind::nil: return "_\r\n";
      case kind::string: return bulk('$', v.text());
      case kind::status: return line('+', v.text());
      case kind::error: return bulk('!', v.text());
      case kind::integer: return line(':', std::to_string(v.integer()));
      case kind::real: return line(',', v.text());
      case kind::boolean: return line('#', v.boolean() ? "t" : "f");
      case kind::verbatim: return bulk('=', "txt:" + std::string{v.text()});
      case kind::big_number: return line('(', v.text());
      case kind::array: return aggregate('*', v.size());
      case kind::map: return aggregate('%', v.size() / 2);
      case kind::set: return aggregate('~', v.size());
      case kind::push: return aggregate('>', v.size());
   }
   return {};
}

}  // namespace holdfast::impl::test
