#include "cli/responder.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace holdfast::cli_test {

responder::responder(std::optional<std::string> answer) : answer_(std::move(answer)) {
   listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
   sockaddr_in address = {};
   address.sin_family = AF_INET;
   address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
   socklen_t size = sizeof address;
   auto* const generic = reinterpret_cast<sockaddr*>(&address);
   if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
       ::getsockname(listener_, generic, &size) != 0) {
      throw std::system_error(errno, std::system_category(), "no listener");
   }
   port_ = ntohs(address.sin_port);
   over_ = ::eventfd(0, EFD_CLOEXEC);
   thread_ = std::thread([this] { run(); });
}

responder::~responder() {
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(over_, &one, sizeof one);
   thread_.join();
   ::close(over_);
   ::close(listener_);
}

void responder::run() {
   std::vector<pollfd> fds = {{over_, POLLIN, 0}, {listener_, POLLIN, 0}};
   while (::poll(fds.data(), fds.size(), -1) >= 0 && fds[0].revents == 0) {
      for (std::size_t i = fds.size(); i-- > 2;) {
         if (fds[i].revents == 0) continue;
         char bytes[4096];
         const ssize_t size = ::recv(fds[i].fd, bytes, sizeof bytes, 0);
         if (size > 0 && !answer_) continue;
         if (size > 0) ::send(fds[i].fd, answer_->data(), answer_->size(), MSG_NOSIGNAL);
         ::close(fds[i].fd);
         fds.erase(fds.begin() + static_cast<std::ptrdiff_t>(i));
      }
      if (fds[1].revents != 0) fds.push_back({::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC), POLLIN, 0});
   }
   for (std::size_t i = 2; i < fds.size(); ++i) ::close(fds[i].fd);
}

}  // namespace holdfast::cli_test
