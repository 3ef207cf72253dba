#include "runtime/poll/resolver.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/time.h>

#include <memory>
#include <utility>

namespace holdfast::poll {

struct resolver::query {
   resolver* owner;
   std::string host;

   static void done(void* arg, int status, int, ares_addrinfo* found);
};

namespace {

std::string text_of(const ares_addrinfo_node& node) {
   char text[INET6_ADDRSTRLEN] = {};
   const void* bytes = nullptr;
   if (node.ai_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr;
   if (node.ai_family == AF_INET6) bytes = &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr;
   if (bytes == nullptr || inet_ntop(node.ai_family, bytes, text, sizeof text) == nullptr) return {};
   return text;
}

}  // namespace

void resolver::query::done(void* arg, int status, int, ares_addrinfo* found) {
   const std::unique_ptr<query> q(static_cast<query*>(arg));
   const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owned(found, ares_freeaddrinfo);
   std::vector<std::string> addresses;
   if (found != nullptr) {
      for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
         if (auto text = text_of(*node); !text.empty()) addresses.push_back(std::move(text));
      }
   }
   --q->owner->pending_;
   q->owner->finish(q->host, std::move(addresses),
                    status == ARES_SUCCESS ? "it has no address" : ares_strerror(status));
}

resolver::~resolver() {
   if (channel_ != nullptr) ares_destroy(channel_);  // ends what is pending, through `done`
}

void resolver::start(std::uint32_t link, std::uint32_t serial, const endpoint& where, time_point now) {
   now_ = now;
   if (names_.size() >= most_names) std::erase_if(names_, [](const auto& known) { return !known.second.pending; });
   name& n = names_[where.host];
   const asker who{link, serial, where.port};
   if (!n.addresses.empty() && now - n.answered < fresh_for) return give(who, n, {});
   std::erase_if(n.askers, [&](const asker& earlier) { return earlier.link == link; });
   n.askers.push_back(who);
   if (!std::exchange(n.pending, true)) ask(where.host);
}

void resolver::ask(const std::string& host) {
   if (channel_ == nullptr) {
      // Initialising the library twice is counted and harmless; it must have happened once before a channel is made.
      int status = ares_library_init(ARES_LIB_INIT_ALL);
      if (status == ARES_SUCCESS) status = ares_init(&channel_);
      if (status != ARES_SUCCESS) {
         channel_ = nullptr;
         return finish(host, {}, std::string("no resolver: ") + ares_strerror(status));
      }
   }
   ares_addrinfo_hints hints = {};
   hints.ai_family = AF_UNSPEC;
   hints.ai_socktype = SOCK_STREAM;
   ++pending_;
   ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &query::done, new query{this, host});
}

void resolver::finish(const std::string& host, std::vector<std::string> addresses, const std::string& problem) {
   name& n = names_[host];
   n.pending = false;
   if (!addresses.empty()) {
      n.addresses = std::move(addresses);
      n.answered = now_;
   }
   for (const asker& a : std::exchange(n.askers, {})) give(a, n, "the name " + host + " does not resolve: " + problem);
}

void resolver::give(const asker& a, const name& n, const std::string& problem) {
   answer out{a.link, a.serial, {}, problem};
   for (const std::string& address : n.addresses) out.addresses.push_back({address, a.port});
   answers_.push_back(std::move(out));
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

void resolver::process(const pollfd* begin, const pollfd* end, time_point now) {
   now_ = now;
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
