// Where connections of a lane led: the present one, and the one before. An operation may be answered, and its
// connection end, before its caller takes the reply.
#pragma once

#include <holdfast/endpoint.hpp>

#include <cstdint>
#include <utility>

namespace holdfast::impl {

class recent_nodes {
 public:
   void connected(std::uint32_t serial, const endpoint& where) { before_ = std::exchange(now_, {serial, where}); }
   // Null: not known any more.
   const endpoint* of(std::uint32_t serial) const {
      for (const connection* c : {&now_, &before_})
         if (serial != 0 && c->serial == serial) return &c->where;
      return nullptr;
   }

 private:
   struct connection {
      std::uint32_t serial = 0;  // 0: there was none
      endpoint where = {};
   };
   connection now_;
   connection before_;
};

}  // namespace holdfast::impl
