// The reader, against itself: the same bytes in any pieces are the same replies, or break at the same place for the
// same reason; limits hold; what was read is written and read again. Then the ways back, as a command and as views.
//
//    input: limits, how the bytes are multiplied, two bytes that seed the pieces, and the stream
#include "commands/command_table.hpp"
#include "commands/error_reply.hpp"
#include "fuzz/target.hpp"
#include "resp/reader.hpp"
#include "unit/resp/feeding.hpp"

#include <holdfast/command.hpp>
#include <holdfast/random.hpp>

#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace holdfast::fuzz {
namespace {

using impl::reader;

constexpr std::size_t longest_line = std::size_t{1} << 20;

struct told {
   std::vector<value> replies = {};
   std::string problem = {};
   bool over_limit = false;
   std::size_t place = 0;  // in the stream: where the last reply ended
};

bool one_line(std::string_view text, std::size_t longest) {
   return text.size() <= longest && text.find('\n') == std::string_view::npos;
}

void check_limits(value_view v, unsigned depth, std::size_t& elements, const impl::limits& l) {
   elements += v.size();
   if (!v.empty()) require(depth <= l.depth, "a reply is nested no deeper than the limit");
   for (const value_view e : v) check_limits(e, depth + 1, elements, l);
}

// `pieces` gives the size of the next piece.
template <class Pieces>
told read(std::string_view bytes, const impl::limits& l, Pieces&& pieces) {
   reader r{l};
   told t;
   std::size_t fed = 0;
   do {
      const std::size_t n = std::min<std::size_t>(pieces(), bytes.size() - fed);
      impl::test::put(r, bytes.substr(fed, n));
      fed += n;
      for (;;) {
         const auto s = r.next();
         if (s == reader::status::incomplete) break;
         if (s == reader::status::broken) {
            t.problem = r.problem();
            t.over_limit = r.answer_over_limit();
            require(one_line(t.problem, 300) && !t.problem.empty(), "a problem is told in one line");
            impl::test::put(r, "+OK\r\n");
            require(r.next() == reader::status::broken, "what is broken stays so");
            require(r.problem() == t.problem, "a problem is told once");
            return t;
         }
         const std::size_t end = fed - r.buffered();
         require(end > t.place && end - t.place <= l.reply_bytes + longest_line + 64,
                 "a reply is no larger than the limit");
         std::size_t elements = 0;
         check_limits(r.reply(), 1, elements, l);
         require(elements <= l.elements, "a reply has no more elements than the limit");
         t.replies.emplace_back(r.reply());
         require(t.replies.back() == value(r.reply()) && t.replies.back().view() == r.reply(), "a copy is the same");
         t.place = end;
      }
   } while (fed < bytes.size());
   require(r.buffered() == fed - t.place, "what was not given out is counted");
   require(r.prepare().size() <= 4 * bytes.size() + 512 * 1024, "memory follows the bytes that came");
   return t;
}

// Without the bytes that are shown, of which fewer were there when the stream came in pieces.
std::string_view reason(std::string_view problem) { return problem.substr(0, problem.find(", found ")); }
std::string_view shown(std::string_view problem) {
   const auto at = problem.find(", found \"");
   if (at == std::string_view::npos) return {};
   problem.remove_prefix(at + 9);
   if (problem.ends_with("...")) problem.remove_suffix(3);
   if (problem.ends_with('"')) problem.remove_suffix(1);
   if (problem.ends_with("...")) problem.remove_suffix(3);
   return problem;
}

void same(const told& a, const told& b) {
   require(a.replies == b.replies, "the same replies in any pieces");
   require(reason(a.problem) == reason(b.problem), "the same problem in any pieces", a.problem + " / " + b.problem);
   require(a.place == b.place, "at the same place");
   require(a.over_limit == b.over_limit, "of the same kind");
   const auto x = shown(a.problem), y = shown(b.problem);
   require(x.starts_with(y) || y.starts_with(x), "the same bytes are shown", a.problem + " / " + b.problem);
}

// ---- what was read is written, and read again ----------------------------------------------------------------------

std::string serialised_2(value_view v) {  // as a server would to a client that speaks RESP2
   const auto bulk = [](std::string_view text) {
      return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
   };
   switch (v.kind()) {
      case kind::nil: return "$-1\r\n";
      case kind::status: return "+" + std::string(v.text()) + "\r\n";
      case kind::integer:
      case kind::boolean: return ":" + std::to_string(v.integer()) + "\r\n";
      case kind::error:
         if (v.text().find('\r') == std::string_view::npos) return "-" + std::string(v.text()) + "\r\n";
         return bulk(v.text());
      case kind::array:
      case kind::map:
      case kind::set:
      case kind::push: {
         std::string all = "*" + std::to_string(v.size()) + "\r\n";
         for (const value_view e : v) all += serialised_2(e);
         return all;
      }
      default: return bulk(v.text());
   }
}

template <class T>
void same_as(value_view three, value_view two) {
   const auto a = three.try_as<T>(), b = two.try_as<T>();
   require(a.has_value() == b.has_value(), "RESP2 and RESP3 convert alike", to_string(three) + " / " + to_string(two));
   if constexpr (std::is_floating_point_v<T>)
      require(!a || *a == *b || (std::isnan(*a) && std::isnan(*b)), "RESP2 and RESP3 are the same number");
   else
      require(!a || *a == *b, "RESP2 and RESP3 are the same", to_string(three) + " / " + to_string(two));
}

void same_meaning(value_view three, value_view two) {
   require(three.size() == two.size(), "RESP2 has as many elements");
   auto at = two.begin();
   for (const value_view e : three) same_meaning(e, *at++);
   if (three.is_error()) return;
   if (three.kind() == kind::real || three.kind() == kind::integer || three.kind() == kind::big_number)
      same_as<double>(three, two);
   if (three.kind() == kind::boolean) same_as<bool>(three, two);
   if (three.kind() == kind::integer || three.kind() == kind::big_number) {
      same_as<std::int64_t>(three, two);
      same_as<std::uint32_t>(three, two);
   }
   if (three.kind() != kind::boolean && three.kind() != kind::integer) same_as<std::string>(three, two);
   same_as<std::optional<std::vector<std::string>>>(three, two);
   if (three.kind() == kind::map) {
      same_as<std::map<std::string, std::string>>(three, two);
      for (const auto& [k, v] : three.pairs()) {
         if (k.kind() != kind::error && !k.text().empty())
            require(three.find(k.text()).size() == two.find(k.text()).size(), "a key is found in both");
      }
   }
}

void check_parts(value_view v, unsigned depth) {
   require(one_line(to_string(v), 10'000), "a value is shown in one line");
   std::size_t i = 0;
   std::vector<value> parts;
   const bool indexed = v.size() <= 64;
   for (const value_view e : v) {
      if (indexed) require(v[i] == e, "an element by its place is the same one");
      value part(e);
      require(part.view() == e, "a part is what it was in the whole");
      if (depth < 3) check_parts(e, depth + 1);
      if (indexed) parts.push_back(std::move(part));
      ++i;
   }
   require(i == v.size(), "a reply has as many elements as it says");
   if (v.kind() == kind::array && indexed) require(value::of_array(parts).view() == v, "put together it is the same");
   if (v.kind() == kind::set && indexed) require(value::of_set(parts).view() == v, "put together it is the same");
   value copy(v), moved(std::move(copy));
   copy = moved;
   require(copy == moved, "a value survives being moved");
}

void check_again(const told& t) {
   std::string three, two;
   for (const value& v : t.replies) {
      check_parts(v, 0);
      three += impl::test::serialised(v);
      two += serialised_2(v);
      if (v.is_error() || v.kind() == kind::status) {
         for (int bits = 0; bits != 8; ++bits) {
            const auto proof = impl::classify_error(v.text(), (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
            require(!impl::to_string(proof.cls).empty(), "each class has a name");
         }
      }
   }
   const impl::limits none{.depth = 1000};
   const auto whole = [&](std::string_view) { return [] { return std::string::npos; }; };
   const told again = read(three, none, whole(three));
   require(again.problem.empty() && again.replies == t.replies, "what is written is read again as the same");
   const told older = read(two, none, whole(two));
   require(older.problem.empty() && older.replies.size() == t.replies.size(), "what is written as RESP2 is read");
   for (std::size_t i = 0; i != t.replies.size(); ++i) same_meaning(t.replies[i], older.replies[i]);
}

// ---- commands ------------------------------------------------------------------------------------------------------

void check_command(std::string_view bytes) {
   std::vector<std::string_view> arguments;
   for (input in(bytes.substr(0, 2000)); !in.empty();) arguments.push_back(in.line());
   if (arguments.empty()) return;
   const command c = command::from(arguments);
   std::size_t i = 0;
   for (const auto argument : c.arguments()) require(argument == arguments[i++], "a command keeps its arguments");
   require(i == arguments.size() && c.size() == i, "a command keeps all of its arguments");
   require(one_line(to_string(c), 1000), "a command is shown in one line");
   const told t = read(c.bytes(), {}, [] { return std::string::npos; });
   require(t.replies.size() == 1 && t.replies[0].size() == i, "a command is what a server can read");
   const auto* entry = impl::find_command(c);
   require(!to_string(impl::repeats(entry, c)).empty(), "what a second run changes is known of each command");
   if (const auto blocks = impl::block_time(entry, c)) require(*blocks >= duration::zero(), "nothing blocks backwards");
   impl::for_each_key(entry, c, [](std::string_view key) { require(key.size() <= 2000, "a key is an argument"); });
}

std::string multiplied(std::string_view bytes, std::uint8_t how) {
   const std::size_t times = std::min<std::size_t>(1 + how, 64 * 1024 / (bytes.size() + 1));
   if (how < 128 || times < 2) return std::string(bytes);
   std::string all =
      how < 192 ? "*" + std::to_string(times) + "\r\n" : "$" + std::to_string(times * bytes.size()) + "\r\n";
   for (std::size_t i = 0; i != times; ++i) all += bytes;
   if (how >= 192) all += "\r\n";
   return all;
}

}  // namespace

void resp(std::string_view bytes) {
   constexpr holdfast::impl::limits some_limits[] = {
      {}, {.reply_bytes = 64}, {.depth = 2}, {.elements = 5}, {.reply_bytes = 1000, .depth = 4, .elements = 100}};
   input in(bytes);
   const holdfast::impl::limits l = some_limits[in.below(std::size(some_limits))];
   const std::uint8_t how = in.byte();
   random_source random(in.number());
   const std::string_view given = in.rest();
   const std::string stream = multiplied(given, how);

   const told whole = read(stream, l, [] { return std::string::npos; });
   same(whole, read(stream, l, [&] { return std::size_t{1} + random() % 7; }));
   same(whole, read(stream, l, [&] { return random() % 3 == 0 ? std::size_t{1} + random() % 200 : std::size_t{1}; }));
   if (stream.size() <= 256) same(whole, read(stream, l, [] { return std::size_t{1}; }));
   check_again(whole);
   check_command(given);
}

}  // namespace holdfast::fuzz

HOLDFAST_FUZZ_ENTRY(resp)
