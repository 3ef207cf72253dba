#include "lab/passage.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace holdfast::lab {

std::string_view stream::read(milliseconds delay) {
   std::array<char, 64 * 1024> bytes;
   const ssize_t size = ::recv(from_, bytes.data(), bytes.size(), 0);
   if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
   // Where the delay was made shorter meanwhile, what came first still goes first.
   const auto due = std::max(clock::now() + delay, pieces_.empty() ? clock::time_point() : pieces_.back().due);
   if (size <= 0) {
      heard_out_ = true;
      pieces_.push_back({size == 0 ? piece_kind::end : piece_kind::reset, due, {}});
      return {};
   }
   underway_ += static_cast<std::size_t>(size);
   pieces_.push_back({piece_kind::bytes, due, std::string(bytes.data(), static_cast<std::size_t>(size))});
   return pieces_.back().bytes;
}

bool stream::mature(clock::time_point now) {
   while (!pieces_.empty() && pieces_.front().due <= now) {
      const piece next = std::move(pieces_.front());
      pieces_.pop_front();
      if (next.kind == piece_kind::reset) return false;
      ending_ = next.kind == piece_kind::end;
      due_ += next.bytes;
   }
   return true;
}

bool stream::write(clock::time_point now) {
   const bool whole = mature(now);
   if (!due_.empty()) {
      const ssize_t size = ::send(to_, due_.data(), due_.size(), MSG_NOSIGNAL);
      if (size < 0) return whole && (errno == EAGAIN || errno == EINTR);
      due_.erase(0, static_cast<std::size_t>(size));
      underway_ -= static_cast<std::size_t>(size);
   }
   if (due_.empty() && ending_ && !shut_) shut_ = true, ::shutdown(to_, SHUT_WR);
   return whole;
}

std::optional<clock::time_point> stream::next_due() const {
   return pieces_.empty() ? std::nullopt : std::optional(pieces_.front().due);
}

void stream::forget() {
   pieces_.clear();
   due_.clear();
   underway_ = 0;
}

}  // namespace holdfast::lab
