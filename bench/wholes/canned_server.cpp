#include "bench/wholes/canned_server.hpp"

#include "bench/wholes/real_server_connection.hpp"
#include "lab/sockets.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace holdfast::bench {
namespace {

constexpr std::size_t most_at_once = 4096;  // replies

std::string repeated(std::string_view text, std::size_t n) {
   std::string all;
   for (std::size_t i = 0; i < n; ++i) all += text;
   return all;
}

// The number in the line at `at`, behind its first character; `at` moves behind the line. Negative: it is not whole.
long number_at(std::string_view bytes, std::size_t& at) {
   const std::size_t end = bytes.find("\r\n", at);
   if (end == std::string_view::npos) return -1;
   long n = -1;
   std::from_chars(bytes.data() + at + 1, bytes.data() + end, n);
   at = end + 2;
   return n;
}

// Of the array of texts that `bytes` begin with; 0: not all of it is there.
std::size_t size_of_request(std::string_view bytes) {
   std::size_t at = 0;
   for (long left = number_at(bytes, at); left != 0; --left) {
      if (left < 0) return 0;
      const long n = number_at(bytes, at);
      if (n < 0) return 0;
      at += static_cast<std::size_t>(n) + 2;
   }
   return at <= bytes.size() ? at : 0;
}

}  // namespace

canned_server::canned_server(std::string request, std::string_view reply, endpoint real)
   : request_(std::move(request)),
     reply_size_(reply.size()),
     replies_(repeated(reply, most_at_once)),
     real_(std::move(real)),
     socket_(lab::listening_at({"127.0.0.1", 0}, 128)),
     port_(lab::port_of(socket_)),
     thread_([this] { accept_all(); }) {}

canned_server::~canned_server() {
   ::shutdown(socket_, SHUT_RDWR);
   thread_.join();
   ::close(socket_);
   for (auto& [fd, thread] : clients_) {
      ::shutdown(fd, SHUT_RDWR);
      thread.join();
      ::close(fd);
   }
}

void canned_server::accept_all() {
   for (int fd = 0; (fd = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      clients_[fd] = std::jthread([this, fd] { serve(fd); });
   }
}

void canned_server::serve(int client) {
   try {
      real_server_connection real(real_);
      std::vector<char> buffer(1 << 20);
      std::size_t held = 0;
      for (;;) {
         const auto n = ::recv(client, buffer.data() + held, buffer.size() - held, 0);
         if (n <= 0) break;
         held += static_cast<std::size_t>(n);
         const std::size_t done = answer(client, real, {buffer.data(), held});
         if (done == std::string_view::npos) break;
         std::copy(buffer.data() + done, buffer.data() + held, buffer.data());
         held -= done;
      }
   } catch (const std::exception&) {  // the client sees the end of its connection, and says so
   }
   ::shutdown(client, SHUT_RDWR);
}

// How many bytes were answered; npos: the connection has ended.
std::size_t canned_server::answer(int client, real_server_connection& real, std::string_view received) {
   std::size_t done = 0;
   for (;;) {
      std::size_t n = 0;
      while (n < most_at_once && received.compare(done, request_.size(), request_) == 0) {
         done += request_.size();
         ++n;
      }
      if (n != 0) {
         if (!send_whole(client, std::string_view(replies_).substr(0, n * reply_size_))) return std::string_view::npos;
         continue;
      }
      const std::string_view left = received.substr(done);
      const std::size_t size = std::string_view(request_).starts_with(left) ? 0 : size_of_request(left);
      if (size == 0) return done;
      if (!real.relay(left.substr(0, size), client)) return std::string_view::npos;
      done += size;
   }
}

}  // namespace holdfast::bench
