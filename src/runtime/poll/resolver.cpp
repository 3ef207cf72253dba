#include "runtime/poll/resolver.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/time.h>

#include <utility>

namespace holdfast::poll {

struct resolver::query {
   resolver* owner;
   std::uint32_t link;
   std::uint32_t serial;
   endpoint where;

   static void done(void* arg, int status, int, ares_addrinfo* found);
};

namespace {

std::optional<endpoint> address_of(const ares_addrinfo_node& node, std::uint16_t port) {
   char text[INET6_ADDRSTRLEN] = {};
   const void* bytes = nullptr;
   if (node.ai_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr;
   if (node.ai_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr;
   if (bytes == nullptr || inet_ntop(node.ai_family, bytes, text, sizeof text) == nullptr) return std::nullopt;
   return endpoint{text, port};
}

}  // namespace

void resolver::query::done(void* arg, int status, int, ares_addrinfo* found) {
   const std::unique_ptr<query> q(static_cast<query*>(arg));
   const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owned(found, ares_freeaddrinfo);
   --q->owner->pending_;
   answer a{q->link, q->serial, {}, {}};
   if (found != nullptr) {
      for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
         if (auto e = address_of(*node, q->where.port)) a.addresses.push_back(std::move(*e));
      }
   }
   if (a.addresses.empty()) {
      const char* why = status == ARES_SUCCESS ? "it has no address" : ares_strerror(status);
      a.problem = "the name " + q->where.host + " does not resolve: " + why;
   }
   q->owner->answers_.push_back(std::move(a));
}

resolver::resolver() = default;

resolver::~resolver() {
   if (channel_ != nullptr) ares_destroy(channel_);  // ends what is pending, through `done`
}

void resolver::start(std::uint32_t link, std::uint32_t serial, const endpoint& where) {
   if (channel_ == nullptr) {
      // Initialising the library twice is counted and harmless; it must have happened once before a channel is made.
      int status = ares_library_init(ARES_LIB_INIT_ALL);
      if (status == ARES_SUCCESS) status = ares_init(&channel_);
      if (status != ARES_SUCCESS) {
         channel_ = nullptr;
         answers_.push_back({link, serial, {}, std::string("no resolver: ") + ares_strerror(status)});
         return;
      }
   }
   ares_addrinfo_hints hints = {};
   hints.ai_family = AF_UNSPEC;
   hints.ai_socktype = SOCK_STREAM;
   ++pending_;
   ares_getaddrinfo(channel_, where.host.c_str(), nullptr, &hints, &query::done, new query{this, link, serial, where});
}

void resolver::add_to(std::vector<pollfd>& fds) const {
   if (!busy()) return;
   ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
   const int wanted = ares_getsock(channel_, sockets, ARES_GETSOCK_MAXNUM);
   for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
      const int events =
         (ARES_GETSOCK_READABLE(wanted, i) ? POLLIN : 0) | (ARES_GETSOCK_WRITABLE(wanted, i) ? POLLOUT : 0);
      if (events != 0) fds.push_back({sockets[i], static_cast<short>(events), 0});
   }
}

std::optional<std::chrono::milliseconds> resolver::timeout() const {
   if (!busy()) return std::nullopt;
   timeval left = {};
   if (ares_timeout(channel_, nullptr, &left) == nullptr) return std::nullopt;
   return std::chrono::milliseconds(left.tv_sec * 1000 + left.tv_usec / 1000 + 1);
}

void resolver::process(const pollfd* begin, const pollfd* end) {
   if (!busy()) return;
   for (const pollfd* p = begin; p != end; ++p) {
      const bool in = (p->revents & (POLLIN | POLLERR | POLLHUP)) != 0;
      const bool out = (p->revents & POLLOUT) != 0;
      if (in || out) ares_process_fd(channel_, in ? p->fd : ARES_SOCKET_BAD, out ? p->fd : ARES_SOCKET_BAD);
   }
   ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // its timeouts
}

std::vector<resolver::answer> resolver::take_answers() { return std::exchange(answers_, {}); }

}  // namespace holdfast::poll
