// An array of elements that are not initialised. It grows by realloc, which can move a large one without copying it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace holdfast::impl {

template <class T>
class raw_array {
   static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
   T* data() const { return data_.get(); }
   T& operator[](std::size_t i) const { return data_[i]; }
   std::size_t capacity() const { return capacity_; }

   void grow(std::size_t capacity) {
      void* const wider = std::realloc(static_cast<void*>(data_.get()), capacity * sizeof(T));
      if (wider == nullptr) throw std::bad_alloc();
      (void)data_.release();
      data_.reset(static_cast<T*>(wider));
      capacity_ = capacity;
   }
   // Frees all of it if it is larger than `kept`.
   void trim(std::size_t kept) {
      if (capacity_ <= kept) return;
      data_.reset();
      capacity_ = 0;
   }

 private:
   struct free_memory {
      void operator()(void* p) const { std::free(p); }
   };
   std::unique_ptr<T[], free_memory> data_;
   std::size_t capacity_ = 0;
};

}  // namespace holdfast::impl
