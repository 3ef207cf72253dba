// Lines of text that many may share: an error's causes.
#pragma once

#include <holdfast/detail/requirements.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

// Reads like a std::vector<std::string>, and converts from and to one. A copy costs nothing and shares the lines, so
// that what befell a hundred thousand commands at once is kept once. Only added to; a line that is in never changes.
class text_list {
   using line = std::shared_ptr<const std::string>;
   using lines = std::vector<line>;
   // Not a std::shared_ptr: its use_count() does not order what the last other owner read, perhaps in another thread,
   // before what the remaining one adds in place.
   struct shared {
      std::atomic<std::size_t> owners{1};
      lines all = {};
   };

 public:
   using value_type = std::string;
   using size_type = std::size_t;
   using const_reference = const std::string&;
   using reference = const_reference;

   class const_iterator {
    public:
      using value_type = std::string;
      using reference = const std::string&;
      using pointer = const std::string*;
      using difference_type = std::ptrdiff_t;
      using iterator_category = std::random_access_iterator_tag;

      const_iterator() = default;
      explicit const_iterator(const line* at) noexcept : at_(at) {}
      reference operator*() const noexcept { return **at_; }
      pointer operator->() const noexcept { return at_->get(); }
      reference operator[](difference_type n) const noexcept { return *at_[n]; }
      const_iterator& operator++() noexcept { return *this += 1; }
      const_iterator operator++(int) noexcept { return const_iterator(at_++); }
      const_iterator& operator--() noexcept { return *this -= 1; }
      const_iterator operator--(int) noexcept { return const_iterator(at_--); }
      const_iterator& operator+=(difference_type n) noexcept {
         at_ += n;
         return *this;
      }
      const_iterator& operator-=(difference_type n) noexcept { return *this += -n; }
      friend const_iterator operator+(const_iterator i, difference_type n) noexcept { return i += n; }
      friend const_iterator operator+(difference_type n, const_iterator i) noexcept { return i += n; }
      friend const_iterator operator-(const_iterator i, difference_type n) noexcept { return i -= n; }
      friend difference_type operator-(const_iterator a, const_iterator b) noexcept { return a.at_ - b.at_; }
      friend bool operator==(const_iterator, const_iterator) = default;
      friend auto operator<=>(const_iterator, const_iterator) = default;

    private:
      const line* at_ = nullptr;
   };
   using iterator = const_iterator;

   text_list() noexcept = default;
   text_list(const text_list& other) noexcept : shared_(other.shared_) {
      if (shared_ != nullptr) shared_->owners.fetch_add(1, std::memory_order_relaxed);
   }
   text_list(text_list&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
   text_list& operator=(const text_list& other) noexcept {
      text_list copy(other);
      std::swap(shared_, copy.shared_);
      return *this;
   }
   text_list& operator=(text_list&& other) noexcept {
      text_list taken(std::move(other));
      std::swap(shared_, taken.shared_);
      return *this;
   }
   ~text_list() { clear(); }
   text_list(std::initializer_list<std::string> all) { assign(all.begin(), all.end()); }
   text_list(const std::vector<std::string>& all) { assign(all.begin(), all.end()); }
   operator std::vector<std::string>() const { return {begin(), end()}; }

   bool empty() const noexcept { return size() == 0; }
   size_type size() const noexcept { return shared_ != nullptr ? shared_->all.size() : 0; }
   const_reference operator[](size_type i) const noexcept { return *shared_->all[i]; }
   const_reference at(size_type i) const {
      if (i >= size()) throw std::out_of_range("text_list::at");
      return (*this)[i];
   }
   const_reference front() const noexcept { return (*this)[0]; }
   const_reference back() const noexcept { return (*this)[size() - 1]; }
   const_iterator begin() const noexcept { return const_iterator(shared_ != nullptr ? shared_->all.data() : nullptr); }
   const_iterator end() const noexcept { return begin() + static_cast<std::ptrdiff_t>(size()); }
   const_iterator cbegin() const noexcept { return begin(); }
   const_iterator cend() const noexcept { return end(); }

   void push_back(std::string text) { own().push_back(std::make_shared<const std::string>(std::move(text))); }
   template <class... Arguments>
   void emplace_back(Arguments&&... arguments) {
      own().push_back(std::make_shared<const std::string>(std::forward<Arguments>(arguments)...));
   }
   // The lines of another list, shared with it.
   void append(const text_list& others) {
      if (others.empty()) return;
      if (empty()) return void(*this = others);
      const text_list kept = others;  // it may be this one
      lines& to = own();
      to.insert(to.end(), kept.shared_->all.begin(), kept.shared_->all.end());
   }
   // From anywhere, also from this list.
   template <class Iterator>
   void assign(Iterator first, Iterator last) {
      text_list other;
      for (; first != last; ++first) other.emplace_back(*first);
      *this = std::move(other);
   }
   void clear() noexcept {
      shared* const left = std::exchange(shared_, nullptr);
      if (left != nullptr && left->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete left;
   }

   friend bool operator==(const text_list& a, const text_list& b) {
      return a.shared_ == b.shared_ || std::equal(a.begin(), a.end(), b.begin(), b.end());
   }

 private:
   // This one's alone. Acquire: behind what other owners, now gone, have read.
   lines& own() {
      if (shared_ == nullptr) {
         shared_ = new shared;
      } else if (shared_->owners.load(std::memory_order_acquire) != 1) {
         auto copy = std::make_unique<shared>();
         copy->all = shared_->all;
         clear();
         shared_ = copy.release();
      }
      return shared_->all;
   }

   shared* shared_ = nullptr;
};

}  // namespace holdfast
