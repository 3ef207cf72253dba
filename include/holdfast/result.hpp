// A value, or the error that came instead. The names are those of std::expected<T, error> (C++23), which g++ 12 lacks
// in C++20 mode and clang lacks with many a libstdc++.
#pragma once

#include <holdfast/error.hpp>

#include <functional>
#include <type_traits>
#include <utility>
#include <variant>

namespace holdfast {

// Never empty: default-constructible where T is, and then holds a T. `*` and `->` are unchecked, as in std::expected;
// `value()` throws `failure`. `error()` may be called only when there is one.
template <class T>
class [[nodiscard]] result {
 public:
   using value_type = T;
   using error_type = holdfast::error;

   result()
      requires std::is_default_constructible_v<T>
   = default;
   result(T v) : state_(std::in_place_index<0>, std::move(v)) {}                // implicit: return x;
   result(holdfast::error e) : state_(std::in_place_index<1>, std::move(e)) {}  // implicit: return error{...};

   bool has_value() const noexcept { return state_.index() == 0; }
   explicit operator bool() const noexcept { return has_value(); }

   T& operator*() & noexcept { return *std::get_if<0>(&state_); }
   const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
   // By value, so that what is taken from a temporary stays: for (auto& e : f().value()).
   T operator*() && { return std::move(*std::get_if<0>(&state_)); }
   T* operator->() noexcept { return std::get_if<0>(&state_); }
   const T* operator->() const noexcept { return std::get_if<0>(&state_); }

   T& value() & { return check(), **this; }
   const T& value() const& { return check(), **this; }
   T value() && { return check(), std::move(*std::get_if<0>(&state_)); }

   holdfast::error& error() & noexcept { return *std::get_if<1>(&state_); }
   const holdfast::error& error() const& noexcept { return *std::get_if<1>(&state_); }
   holdfast::error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

   template <class U>
   T value_or(U&& other) const& {
      return has_value() ? **this : static_cast<T>(std::forward<U>(other));
   }
   template <class U>
   T value_or(U&& other) && {
      return has_value() ? std::move(*std::get_if<0>(&state_)) : static_cast<T>(std::forward<U>(other));
   }

   // f: T -> result<U>, called only where there is a value.
   template <class F>
   auto and_then(F&& f) const& -> std::remove_cvref_t<std::invoke_result_t<F, const T&>> {
      if (has_value()) return std::invoke(std::forward<F>(f), **this);
      return error();
   }
   template <class F>
   auto and_then(F&& f) && -> std::remove_cvref_t<std::invoke_result_t<F, T&&>> {
      if (has_value()) return std::invoke(std::forward<F>(f), std::move(*std::get_if<0>(&state_)));
      return std::move(*this).error();
   }
   // f: T -> U; the result is a result<U>.
   template <class F>
   auto transform(F&& f) const& -> result<std::remove_cvref_t<std::invoke_result_t<F, const T&>>> {
      return apply<std::remove_cvref_t<std::invoke_result_t<F, const T&>>>(*this, std::forward<F>(f));
   }
   template <class F>
   auto transform(F&& f) && -> result<std::remove_cvref_t<std::invoke_result_t<F, T&&>>> {
      return apply<std::remove_cvref_t<std::invoke_result_t<F, T&&>>>(std::move(*this), std::forward<F>(f));
   }
   // f: error -> result<T>, called only where there is an error.
   template <class F>
   result or_else(F&& f) const& {
      if (has_value()) return *this;
      return std::invoke(std::forward<F>(f), error());
   }
   template <class F>
   result or_else(F&& f) && {
      if (has_value()) return std::move(*this);
      return std::invoke(std::forward<F>(f), std::move(*this).error());
   }

 private:
   template <class U, class Self, class F>
   static result<U> apply(Self&& self, F&& f) {
      if (!self.has_value()) return std::forward<Self>(self).error();
      if constexpr (std::is_void_v<U>) {
         std::invoke(std::forward<F>(f), *std::forward<Self>(self));
         return {};
      } else {
         return result<U>(std::invoke(std::forward<F>(f), *std::forward<Self>(self)));
      }
   }
   void check() const {
      if (!has_value()) throw failure(error());
   }
   std::variant<T, holdfast::error> state_;
};

// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
 public:
   using value_type = void;
   using error_type = holdfast::error;

   result() = default;
   result(holdfast::error e) : state_(std::in_place_index<1>, std::move(e)) {}

   bool has_value() const noexcept { return state_.index() == 0; }
   explicit operator bool() const noexcept { return has_value(); }
   void operator*() const noexcept {}
   void value() const {
      if (!has_value()) throw failure(error());
   }
   holdfast::error& error() & noexcept { return *std::get_if<1>(&state_); }
   const holdfast::error& error() const& noexcept { return *std::get_if<1>(&state_); }

   template <class F>
   auto and_then(F&& f) const -> std::remove_cvref_t<std::invoke_result_t<F>> {
      if (has_value()) return std::invoke(std::forward<F>(f));
      return error();
   }
   template <class F>
   auto transform(F&& f) const -> result<std::remove_cvref_t<std::invoke_result_t<F>>> {
      if (!has_value()) return error();
      if constexpr (std::is_void_v<std::invoke_result_t<F>>)
         return std::invoke(std::forward<F>(f)), result<void>{};
      else
         return std::invoke(std::forward<F>(f));
   }
   template <class F>
   result or_else(F&& f) const {
      if (has_value()) return *this;
      return std::invoke(std::forward<F>(f), error());
   }

 private:
   std::variant<std::monostate, holdfast::error> state_;
};

}  // namespace holdfast
