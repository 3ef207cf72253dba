#include "runtime/poll/resolver.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/time.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace holdfast::poll {

struct resolver::query {
   resolver* owner;
   std::string host;
   bool v6;

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
   q->owner->came(q->host, q->v6, std::move(addresses), status);
}

resolver::~resolver() {
   if (channel_ != nullptr) ares_destroy(channel_);  // ends what is pending, through `done`
}

std::string& resolver::name_servers() {
   static std::string servers;
   return servers;
}

void resolver::start(std::uint32_t link, std::uint32_t serial, const endpoint& where, time_point now) {
   now_ = now;
   if (names_.size() >= most_names) {
      std::erase_if(names_, [](const auto& known) { return !known.second.asked[0] && !known.second.asked[1]; });
   }
   name& n = names_[where.host];
   const asker who{link, serial, where.port};
   if (!n.addresses.empty() && now - n.answered < fresh_for) return give(who, n, {});
   std::erase_if(n.askers, [&](const asker& earlier) { return earlier.link == link; });
   n.askers.push_back(who);
   if (!n.addresses.empty()) n.patient_until = std::min(n.patient_until, now + patience);
   ask(where.host, n);
}

std::string resolver::open_channel() {
   if (channel_ != nullptr && !outdated_) return {};
   // What is under way at name servers that may be none any more is asked again at those that are configured now.
   std::vector<std::string> interrupted;
   for (const auto& [host, n] : names_) {
      if (n.asked[0] || n.asked[1]) interrupted.push_back(host);
   }
   reopening_ = true;
   if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
   reopening_ = outdated_ = false;
   ares_options options = {};
   options.timeout = static_cast<int>(again_after.count());
   options.tries = most_rounds;
   static const int initialised = ares_library_init(ARES_LIB_INIT_ALL);  // once, as it is not made for threads
   int status = initialised;
   if (status == ARES_SUCCESS) status = ares_init_options(&channel_, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
   if (status != ARES_SUCCESS) channel_ = nullptr;
   if (status == ARES_SUCCESS && !name_servers().empty()) {
      status = ares_set_servers_ports_csv(channel_, name_servers().c_str());
   }
   const std::string problem =
      status == ARES_SUCCESS ? std::string() : std::string("no resolver: ") + ares_strerror(status);
   for (const std::string& host : interrupted) {
      name& n = names_[host];
      if (problem.empty()) {
         ask(host, n);
      } else {
         n.problem = problem;
         settle(host, n);
      }
   }
   return problem;
}

void resolver::ask(const std::string& host, name& n) {
   if (host == "localhost") {  // whatever others say (RFC 6761); and c-ares 1.18 loses ten bytes with each answer
      n.coming[0] = {"127.0.0.1"};
      n.coming[1] = {"::1"};
      return settle(host, n);
   }
   const std::string problem = open_channel();
   if (!problem.empty()) {
      n.problem = problem;
      return settle(host, n);
   }
   // Both first: one that is answered at once (from /etc/hosts) is not to be taken for the last one.
   const bool ask_now[2] = {!n.asked[0], !n.asked[1]};
   n.asked[0] = n.asked[1] = true;
   for (const bool v6 : {false, true}) {
      if (!ask_now[v6]) continue;
      n.coming[v6].clear();
      ares_addrinfo_hints hints = {};
      hints.ai_family = v6 ? AF_INET6 : AF_INET;
      hints.ai_socktype = SOCK_STREAM;
      ++pending_;
      ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &query::done, new query{this, host, v6});
   }
}

void resolver::came(const std::string& host, bool v6, std::vector<std::string> addresses, int status) {
   name& n = names_[host];
   n.asked[v6] = false;
   if (reopening_) return;
   if (status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED) outdated_ = true;
   // A name without addresses of one family says nothing of the other.
   if (status != ARES_SUCCESS && (n.problem.empty() || status != ARES_ENODATA)) n.problem = ares_strerror(status);
   if (!addresses.empty()) n.patient_until = std::min(n.patient_until, now_ + patience);
   n.coming[v6] = std::move(addresses);
   if (!n.asked[0] && !n.asked[1]) settle(host, n);
}

// Gives those who wait what there is.
void resolver::settle(const std::string& host, name& n) {
   n.patient_until = never;
   if (!n.coming[0].empty() || !n.coming[1].empty()) {
      // IPv4 first: where there is no route for a family it fails at once, but more networks lose IPv6 in silence.
      n.addresses = n.coming[0];
      n.addresses.insert(n.addresses.end(), n.coming[1].begin(), n.coming[1].end());
      n.answered = now_;
   }
   const std::string problem = n.problem.empty() ? "it has no address" : std::exchange(n.problem, {});
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

std::optional<std::chrono::milliseconds> resolver::timeout(time_point now) const {
   if (!busy()) return std::nullopt;
   using std::chrono::milliseconds;
   std::optional<milliseconds> wait;
   timeval left = {};
   if (ares_timeout(channel_, nullptr, &left) != nullptr) {
      wait = milliseconds(left.tv_sec * 1000 + left.tv_usec / 1000 + 1);
   }
   for (const auto& [host, n] : names_) {
      if (n.patient_until == never) continue;
      const auto patient = std::chrono::ceil<milliseconds>(std::max(n.patient_until - now, duration::zero()));
      wait = wait ? std::min(*wait, patient) : patient;
   }
   return wait;
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
   for (auto& [host, n] : names_) {
      if (now >= n.patient_until) settle(host, n);
   }
}

std::vector<resolver::answer> resolver::take_answers() { return std::exchange(answers_, {}); }

}  // namespace holdfast::poll
