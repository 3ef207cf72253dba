// The bytes that a connection has still to write, and the count of those that the kernel took. Every outcome rests on
// that count: a command whose last byte was never taken can't have run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace holdfast::impl {

class outbox {
 public:
   // Positions count the bytes of one connection, from 0.
   using position = std::uint64_t;

   position append(std::string_view bytes);  // the position behind the last of them
   std::span<const char> pending() const { return {bytes_.data() + head_, bytes_.size() - head_}; }
   bool empty() const { return head_ == bytes_.size(); }
   std::size_t size() const { return bytes_.size() - head_; }

   void wrote(std::size_t n);
   position accepted() const { return accepted_; }  // all before it were handed to the kernel
   position appended() const { return accepted_ + size(); }

   struct range {
      position from = 0;
      position to = 0;
   };
   // Takes back these, in ascending order, none of which was accepted yet. What stands behind moves forward. All of it
   // is one pass, however many they are.
   void take_back(std::span<const range>);
   void reset();  // for a new connection; keeps its storage

 private:
   std::vector<char> bytes_;
   std::size_t head_ = 0;
   position accepted_ = 0;
};

}  // namespace holdfast::impl
