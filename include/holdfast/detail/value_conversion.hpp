// How `as<T>` reads a reply. Included by <holdfast/value.hpp>; not for use on its own.
#pragma once

#include <holdfast/value.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <limits>
#include <optional>
#include <tuple>

namespace holdfast::impl {

template <class T>
inline constexpr bool is_character_v =
   std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> || std::is_same_v<T, char16_t> ||
   std::is_same_v<T, char32_t>;

template <class T>
concept map_like =
   requires(T t, typename T::key_type k, typename T::mapped_type m) { t.insert_or_assign(std::move(k), std::move(m)); };
template <class T>
concept set_like = !map_like<T> && requires(T t, typename T::key_type k) { t.insert(std::move(k)); };
template <class T>
concept list_like =
   requires(T t, typename T::value_type v) { t.push_back(std::move(v)); } && !std::is_same_v<T, std::string>;

template <class T>
inline constexpr bool is_optional_v = false;
template <class T>
inline constexpr bool is_optional_v<std::optional<T>> = true;
template <class T>
inline constexpr bool is_pair_v = false;
template <class A, class B>
inline constexpr bool is_pair_v<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_tuple_v = false;
template <class... T>
inline constexpr bool is_tuple_v<std::tuple<T...>> = true;
template <class T>
inline constexpr bool is_array_v = false;
template <class T, std::size_t n>
inline constexpr bool is_array_v<std::array<T, n>> = true;
template <class T>
inline constexpr bool is_duration_v = false;
template <class Rep, class Period>
inline constexpr bool is_duration_v<std::chrono::duration<Rep, Period>> = true;
template <class T>
concept has_from_value = requires(value_view from, T& to) {
   { from_value(from, to) } -> std::convertible_to<bool>;
};

// Whether T points into the reply that it was read from.
template <class T>
struct borrows : std::is_same<T, value_view> {};
template <>
struct borrows<std::string_view> : std::true_type {};
template <class T>
struct borrows<std::optional<T>> : borrows<T> {};
template <class A, class B>
struct borrows<std::pair<A, B>> : std::disjunction<borrows<A>, borrows<B>> {};
template <class... T>
struct borrows<std::tuple<T...>> : std::disjunction<borrows<T>...> {};
template <class T, std::size_t n>
struct borrows<std::array<T, n>> : borrows<T> {};
template <map_like T>
struct borrows<T> : std::disjunction<borrows<typename T::key_type>, borrows<typename T::mapped_type>> {};
template <class T>
   requires(set_like<T> || list_like<T>)
struct borrows<T> : borrows<typename T::value_type> {};

template <class T>
constexpr std::string_view describe() {
   if constexpr (std::is_same_v<T, bool>)
      return "a boolean";
   else if constexpr (std::is_integral_v<T>)
      return "an integer of that size";
   else if constexpr (std::is_floating_point_v<T>)
      return "a number";
   else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>)
      return "a text";
   else if constexpr (is_duration_v<T>)
      return "a time";
   else if constexpr (is_pair_v<T>)
      return "a pair";
   else if constexpr (is_tuple_v<T> || is_array_v<T>)
      return "an array of that many elements";
   else if constexpr (map_like<T>)
      return "a map";
   else if constexpr (list_like<T> || set_like<T>)
      return "an array";
   else if constexpr (is_optional_v<T>)
      return describe<typename T::value_type>();
   else
      return "a type of your own";
}

bool read_integer(value_view, std::int64_t&) noexcept;
bool read_unsigned(value_view, std::uint64_t&) noexcept;
bool read_real(value_view, double&) noexcept;
bool read_boolean(value_view, bool&) noexcept;
bool read_text(value_view, std::string_view&) noexcept;

template <class T>
bool read_number(value_view from, T& out) {
   if constexpr (std::is_floating_point_v<T>) {
      double wide = 0;
      if (!read_real(from, wide)) return false;
      out = static_cast<T>(wide);
      return true;
   } else {
      std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide = 0;
      if constexpr (std::is_signed_v<T>) {
         if (!read_integer(from, wide)) return false;
      } else {
         if (!read_unsigned(from, wide)) return false;
      }
      if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) return false;
      out = static_cast<T>(wide);
      return true;
   }
}

// Calls `take(key, value) -> bool` for each pair of a map, of an array that alternates keys and values, or of an array
// of pairs.
template <class Take>
bool read_pairs(value_view from, Take&& take) {
   if (!from.is_aggregate()) return false;
   if (from.kind() != kind::map && !from.empty() && from[0].is_aggregate()) {
      for (const value_view pair : from) {
         if (!pair.is_aggregate() || pair.size() != 2 || !take(pair[0], pair[1])) return false;
      }
      return true;
   }
   if (from.size() % 2 != 0) return false;
   for (const auto [key, mapped] : from.pairs()) {
      if (!take(key, mapped)) return false;
   }
   return true;
}

template <class T>
bool read_map(value_view from, T& out) {
   return read_pairs(from, [&](value_view key, value_view mapped) {
      typename T::key_type k{};
      typename T::mapped_type m{};
      if (!read(key, k) || !read(mapped, m)) return false;
      out.insert_or_assign(std::move(k), std::move(m));
      return true;
   });
}

template <class T>
bool read_list(value_view from, T& out) {
   using element = typename T::value_type;
   if (!from.is_aggregate()) return false;
   if constexpr (is_pair_v<element> && list_like<T>) {
      return read_pairs(from, [&](value_view a, value_view b) {
         element e{};
         if (!read(a, e.first) || !read(b, e.second)) return false;
         out.push_back(std::move(e));
         return true;
      });
   } else {
      if constexpr (requires { out.reserve(from.size()); }) out.reserve(from.size());
      for (const value_view one : from) {
         element e{};
         if (!read(one, e)) return false;
         if constexpr (list_like<T>)
            out.push_back(std::move(e));
         else
            out.insert(std::move(e));
      }
      return true;
   }
}

// As many elements as `out` has, each of its type.
template <class T>
bool read_elements(value_view from, T& out) {
   if (!from.is_aggregate() || from.size() != std::tuple_size_v<T>) return false;
   auto at = from.begin();
   return std::apply([&](auto&... one) { return (read(*at++, one) && ...); }, out);
}

template <class T>
bool read_duration(value_view from, T& out) {
   typename T::rep count{};
   if (!read_number(from, count)) return false;
   out = T(count);
   return true;
}

template <class T>
constexpr void check_is_readable() {
   static_assert(!is_character_v<T>, "a reply can't be read as a character: read a std::string, or an int");
   static_assert(
      !std::is_pointer_v<T> && !std::is_reference_v<T>,
      "a reply can't be read as a pointer or a reference: read a std::string, or a type that owns what it has");
   static_assert(
      is_character_v<T> || std::is_pointer_v<T> || std::is_reference_v<T> || list_like<T> || set_like<T>,
      "a reply can't be read as this type: write, in its namespace, bool from_value(holdfast::value_view, T&), "
      "which answers false for what is no T; or read a holdfast::value");
}

template <class T>
bool read(value_view from, T& out) {
   if constexpr (std::is_same_v<T, value_view>) {
      out = from;
      return true;
   } else if constexpr (std::is_same_v<T, value>) {
      out = value(from);
      return true;
   } else if constexpr (std::is_same_v<T, bool>) {
      return read_boolean(from, out);
   } else if constexpr (std::is_arithmetic_v<T> && !is_character_v<T>) {
      return read_number(from, out);
   } else if constexpr (std::is_same_v<T, std::string_view>) {
      return read_text(from, out);
   } else if constexpr (std::is_same_v<T, std::string>) {
      std::string_view text;
      if (!read_text(from, text)) return false;
      out.assign(text);
      return true;
   } else if constexpr (is_optional_v<T>) {
      if (from.is_nil()) return out.reset(), true;
      return read(from, out.emplace());
   } else if constexpr (is_pair_v<T>) {
      return from.is_aggregate() && from.size() == 2 && read(from[0], out.first) && read(from[1], out.second);
   } else if constexpr (has_from_value<T>) {
      return from_value(from, out);
   } else if constexpr (is_duration_v<T>) {
      return read_duration(from, out);
   } else if constexpr (is_tuple_v<T> || is_array_v<T>) {
      return read_elements(from, out);
   } else if constexpr (map_like<T>) {
      return read_map(from, out);
   } else {
      check_is_readable<T>();
      if constexpr (list_like<T> || set_like<T>)
         return read_list(from, out);
      else
         return false;
   }
}

}  // namespace holdfast::impl
