// The raw limit: bytes out that were made before, and the bytes of the replies counted in. Nothing is parsed.
#include "bench/wholes/clients/all.hpp"
#include "lab/sockets.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace holdfast::bench {
namespace {

class raw_caller final : public caller {
 public:
   explicit raw_caller(const endpoint& where) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      const int one = 1;
      const sockaddr_in to = lab::address_of(where);
      ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) fail("connect");
   }
   ~raw_caller() override { ::close(fd_); }

   void prepare(const workload& w) override {
      request_.clear();
      for (std::size_t i = 0; i < w.commands; ++i) request_ += as_array(w.command);
      expected_ = w.reply.size() * w.commands;
   }
   void run(std::size_t rounds) override {
      for (std::size_t i = 0; i < rounds; ++i) {
         send_all();
         receive_all();
      }
   }

 private:
   [[noreturn]] static void fail(const char* what) {
      throw std::system_error(errno, std::generic_category(), std::string("raw: ") + what);
   }
   void send_all() {
      for (std::string_view left = request_; !left.empty();) {
         const auto n = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
         if (n < 0) fail("send");
         left.remove_prefix(static_cast<std::size_t>(n));
      }
   }
   void receive_all() {
      for (std::size_t got = 0; got < expected_;) {
         const auto n = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
         if (n <= 0) fail("recv");
         got += static_cast<std::size_t>(n);
      }
   }

   int fd_;
   std::string request_;
   std::size_t expected_ = 0;
   std::array<char, 64 * 1024> buffer_;
};

class raw_callers final : public caller_source {
 public:
   explicit raw_callers(endpoint where) : where_(std::move(where)) {}
   std::unique_ptr<caller> another() override { return std::make_unique<raw_caller>(where_); }

 private:
   endpoint where_;
};

}  // namespace

client_kind raw() {
   return {.name = "raw", .title = "raw", .make = [](const server_addresses& a) -> std::unique_ptr<caller_source> {
              return std::make_unique<raw_callers>(a.node);
           }};
}

}  // namespace holdfast::bench
