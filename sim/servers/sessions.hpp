// The clients of one process, a server's or a Sentinel's: a session for each connection that it has looked at.
#pragma once

#include "sim/world/network.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::sim {

// What each kind of session is made from.
struct basic_session {
   connection_id connection = 0;
   std::uint32_t generation = 0;
   bool in_use = false;
   bool authenticated = false;
   bool resp3 = false;
   std::uint64_t id = 0;
   std::string name = {};
   std::string out = {};  // replies that were not sent yet
};

template <class Session>
class session_table {
 public:
   // Null: the connection was not adopted yet, or its session has ended.
   Session* find(network& net, connection_id id) {
      const connection& c = net.at(id);
      if (c.session == 0 || c.session >= all_.size()) return nullptr;
      Session& s = all_[c.session];
      return s.in_use && s.connection == id && s.generation == c.generation ? &s : nullptr;
   }
   // Stays where it is until the next one is adopted.
   Session& adopt(network& net, connection_id id) {
      if (free_.empty()) {
         free_.push_back(static_cast<std::uint32_t>(all_.size()));
         all_.emplace_back();
      }
      connection& c = net.at(id);
      c.session = free_.back();
      free_.pop_back();
      Session& s = all_[c.session];
      std::string storage = std::move(s.out);
      storage.clear();
      s = Session{};
      s.out = std::move(storage);
      s.connection = id;
      s.generation = c.generation;
      s.in_use = true;
      ++size_;
      return s;
   }
   void end(Session& s) {
      s.in_use = false;
      s.out.clear();
      --size_;
      free_.push_back(static_cast<std::uint32_t>(&s - all_.data()));
   }
   // The process ended.
   void clear() {
      free_.clear();
      for (std::size_t i = all_.size(); i-- > 1;) {
         all_[i].in_use = false;
         free_.push_back(static_cast<std::uint32_t>(i));
      }
      size_ = 0;
   }
   std::size_t size() const { return size_; }
   template <class F>
   void each(F&& f) {
      for (std::size_t i = 1; i < all_.size(); ++i) {
         if (all_[i].in_use) f(all_[i]);
      }
   }

 private:
   std::vector<Session> all_ = std::vector<Session>(1);  // the first is none
   std::vector<std::uint32_t> free_;
   std::size_t size_ = 0;
};

}  // namespace holdfast::sim
