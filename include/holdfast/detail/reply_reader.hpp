// How replies are read to where their callers want them. Included by <holdfast/calls.hpp>; not for use on its own.
#pragma once

#include <holdfast/result.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>

namespace holdfast::impl {

// A place for the reply to one command. The reply is read straight from the receive buffer, by the thread that receives
// it, before the command ends; and once more if the command is sent again and answered again.
struct reply_reader {
   void (*read)(const reply_reader&, value_view) noexcept = nullptr;  // null: the reply is kept as a `value`
   void (*fail)(const reply_reader&, error&&) = nullptr;              // of a list: the command has failed
   void* into = nullptr;                                              // a result<T>
   std::exception_ptr* thrown = nullptr;  // takes what the last reading has thrown; null: `into` tells of it
};

// errc::type_mismatch, executed, with the text of the exception that reading a reply has thrown.
error reading_threw(const std::exception_ptr&);

template <class T>
void read_reply(const reply_reader& to, value_view from) noexcept {
   if constexpr (!std::is_void_v<T>) {
      auto& into = *static_cast<result<T>*>(to.into);
      if (to.thrown != nullptr) *to.thrown = nullptr;
      try {
         T out{};
         if (impl::read(from, out))
            into = result<T>(std::move(out));
         else
            into = type_mismatch(from, describe<T>());
      } catch (...) {
         if (to.thrown != nullptr)
            *to.thrown = std::current_exception();
         else
            into = reading_threw(std::current_exception());
      }
   }
}

template <class T>
void fail_reply(const reply_reader& to, error&& e) {
   *static_cast<result<T>*>(to.into) = std::move(e);
}

template <class T>
reply_reader reader_to(result<T>& into, std::exception_ptr* thrown = nullptr) {
   return {&read_reply<T>, &fail_reply<T>, &into, thrown};
}

// Places for the replies to a list: of values, of one type, or one reader each.
struct list_places {
   result<value>* values = nullptr;  // null: `first` and `step`, or `each`
   reply_reader first = {};
   std::size_t step = 0;  // bytes from one result<T> to the next
   const reply_reader* each = nullptr;

   reply_reader reader(std::size_t i) const {
      if (each != nullptr) return each[i];
      reply_reader r = first;
      r.into = static_cast<char*>(r.into) + i * step;
      return r;
   }
   void fail(std::size_t i, error&& e) const {
      if (values != nullptr) {
         values[i] = std::move(e);
      } else {
         const reply_reader r = reader(i);
         r.fail(r, std::move(e));
      }
   }
};

// Text of an error at compile time, before the compiler's own about what follows from it.
template <class T>
constexpr void check_can_be_read() {
   if constexpr (!std::is_void_v<T>) {
      static_assert(
         !borrows<T>::value,
         "a std::string_view or value_view would point into a reply that is gone: read a std::string or a value");
      static_assert(std::is_default_constructible_v<T>,
                    "a reply can only be read as a type that has a default constructor");
   }
}

}  // namespace holdfast::impl
