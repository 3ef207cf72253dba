#include "runtime/shared/resolver.hpp"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <strings.h>
#include <sys/time.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace holdfast::impl {

struct resolver::query {
   resolver* owner;
   std::string host;
   std::uint64_t question;
   bool v6;

   static void done(void* arg, int status, int, ares_addrinfo* found);
};

namespace {

using found_addresses = std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)>;

std::string text_of(const ares_addrinfo_node& node) {
   char text[INET6_ADDRSTRLEN] = {};
   const void* bytes = nullptr;
   std::uint32_t scope = 0;
   if (node.ai_family == AF_INET) bytes = &reinterpret_cast<const sockaddr_in*>(node.ai_addr)->sin_addr;
   if (node.ai_family == AF_INET6) {
      bytes = &reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_addr;
      scope = reinterpret_cast<const sockaddr_in6*>(node.ai_addr)->sin6_scope_id;
   }
   if (bytes == nullptr || inet_ntop(node.ai_family, bytes, text, sizeof text) == nullptr) return {};
   return scope == 0 ? text : std::string(text) + '%' + std::to_string(scope);
}

std::vector<std::string> texts_of(const ares_addrinfo* found, int family) {
   std::vector<std::string> addresses;
   for (const auto* node = found == nullptr ? nullptr : found->nodes; node != nullptr; node = node->ai_next) {
      if (node->ai_family != family) continue;
      if (auto text = text_of(*node); !text.empty()) addresses.push_back(std::move(text));
   }
   return addresses;
}

family_answer answer_of(int status, bool has_addresses) {
   switch (status) {
      case ARES_SUCCESS: return has_addresses ? family_answer::addresses : family_answer::no_data;
      case ARES_ENODATA: return family_answer::no_data;
      case ARES_ENOTFOUND:
      case ARES_EBADNAME: return family_answer::no_such_name;  // no name can be so long
      default: return family_answer::failed;
   }
}

ares_addrinfo_hints hints_for(int family) {
   ares_addrinfo_hints hints = {};
   hints.ai_family = family;
   hints.ai_socktype = SOCK_STREAM;
   return hints;
}

}  // namespace

void resolver::query::done(void* arg, int status, int, ares_addrinfo* found) {
   const std::unique_ptr<query> q(static_cast<query*>(arg));
   const found_addresses owned(found, ares_freeaddrinfo);
   --q->owner->pending_;
   q->owner->came(*q, texts_of(found, q->v6 ? AF_INET6 : AF_INET), status);
}

resolver::~resolver() { close(); }

void resolver::close() {
   closing_ = true;  // what is pending ends, through `done`
   for (auto* c : {&channel_, &files_}) {
      if (*c != nullptr) ares_destroy(std::exchange(*c, nullptr));
   }
   closing_ = false;
}

void resolver::start(std::uint32_t link, std::uint32_t serial, const endpoint& where, time_point now) {
   now_ = now;
   if (names_.size() >= most_names) {
      std::erase_if(names_, [](const auto& known) { return !known.second.searching; });
   }
   name& n = names_[where.host];
   const asker who{link, serial, where.port};
   if (!n.addresses.empty() && now - n.answered < fresh_for) return give(who, n, {});
   std::erase_if(n.askers, [&](const asker& earlier) { return earlier.link == link; });
   n.askers.push_back(who);
   if (!n.addresses.empty()) n.stale_at = std::min(n.stale_at, now + stale_after);
   if (!n.searching) search(where.host, n);
}

std::string resolver::open_channel() {
   if (channel_ != nullptr && !outdated_) return {};
   // What is under way at name servers that may be none any more is asked again at those that are configured now.
   close();
   outdated_ = false;
   rules_ = system_search_rules(settings_.resolv_conf);
   char dns[] = "b", files[] = "f";
   ares_options options = {};
   options.timeout = static_cast<int>(again_after.count());
   options.tries = most_rounds;
   options.lookups = files;
   options.resolvconf_path = settings_.resolv_conf.data();
   static const int initialised = ares_library_init(ARES_LIB_INIT_ALL);  // once, as it is not made for threads
   int status = initialised;
   if (status == ARES_SUCCESS) status = ares_init_options(&files_, &options, ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF);
   if (status != ARES_SUCCESS) files_ = nullptr;
   options.lookups = dns;
   constexpr int dns_options = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF;
   if (status == ARES_SUCCESS) status = ares_init_options(&channel_, &options, dns_options);
   if (status != ARES_SUCCESS) channel_ = nullptr;
   if (status == ARES_SUCCESS && !settings_.servers.empty()) {
      status = ares_set_servers_ports_csv(channel_, settings_.servers.c_str());
   }
   if (status == ARES_SUCCESS) return {};
   close();
   return std::string("no resolver: ") + ares_strerror(status);
}

void resolver::search(const std::string& host, name& n) {
   const bool reopens = outdated_;
   n.searching = true;
   n.problem = open_channel();
   std::vector<std::string> again = {host};
   for (const auto& [other, known] : names_) {
      if (reopens && known.searching && other != host) again.push_back(other);
   }
   for (const std::string& each : again) {
      name& due = names_[each];
      due.decide_at = never;
      if (!n.problem.empty() && &due != &n) due.problem = n.problem;
      if (find_locally(each, due)) {
         conclude(each, due, ending::found);
      } else if (!due.problem.empty()) {
         conclude(each, due, ending::failed);
      } else {
         due.candidates = candidates(each, rules_);
         due.at = 0;
         ask(each, due);
      }
   }
}

// Without a question to anybody.
bool resolver::find_locally(const std::string& host, name& n) {
   auto &v4 = n.families[0].addresses, &v6 = n.families[1].addresses;
   v4.clear();
   v6.clear();
   const bool is_this_machine =
      ::strcasecmp(host.c_str(), "localhost") == 0 || ::strcasecmp(host.c_str(), "localhost.") == 0;
   if (files_ != nullptr) {
      // The file is read, and the answer given, before the call returns.
      const auto done = [](void* arg, int, int, ares_addrinfo* found) {
         const found_addresses owned(found, ares_freeaddrinfo);
         auto& of = *static_cast<name*>(arg);
         of.families[0].addresses = texts_of(found, AF_INET);
         of.families[1].addresses = texts_of(found, AF_INET6);
      };
      const auto hints = hints_for(AF_UNSPEC);
      // In capitals: c-ares 1.18 loses ten bytes where it has to answer for localhost itself.
      ares_getaddrinfo(files_, is_this_machine ? "LOCALHOST" : host.c_str(), nullptr, &hints, done, &n);
   }
   if (v4.empty() && v6.empty() && is_this_machine) {  // whatever name servers say (RFC 6761)
      v4 = {"127.0.0.1"};
      v6 = {"::1"};
   }
   return !v4.empty() || !v6.empty();
}

void resolver::ask(const std::string& host, name& n) {
   const std::uint64_t question = n.question = ++questions_;
   n.families[0] = n.families[1] = {};
   n.decide_at = never;
   const std::string whole = n.candidates[n.at];
   for (const bool v6 : {false, true}) {
      if (n.question != question) return;  // answered within the call, and on to the next
      const auto hints = hints_for(v6 ? AF_INET6 : AF_INET);
      ++pending_;
      ares_getaddrinfo(channel_, whole.c_str(), nullptr, &hints, &query::done, new query{this, host, question, v6});
   }
}

void resolver::came(const query& q, std::vector<std::string> addresses, int status) {
   if (closing_) return;
   if (status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED) outdated_ = true;
   const auto known = names_.find(q.host);
   if (known == names_.end() || known->second.question != q.question) return;
   name& n = known->second;
   if (!n.searching) {  // late, and the other family was used without it
      if (n.addresses.empty()) return;
      n.addresses.insert(q.v6 ? n.addresses.end() : n.addresses.begin(), addresses.begin(), addresses.end());
      return;
   }
   family& f = n.families[q.v6];
   f.answer = answer_of(status, !addresses.empty());
   f.addresses = std::move(addresses);
   // Of what failed the cause is told; a name without addresses of one family says nothing of the other.
   if (status != ARES_SUCCESS && (n.problem.empty() || status != ARES_ENODATA)) n.problem = ares_strerror(status);
   go_on(q.host, n);
}

void resolver::go_on(const std::string& host, name& n) {
   const family &v4 = n.families[0], &v6 = n.families[1];
   switch (step_after(v4.answer, v6.answer, now_ < n.decide_at)) {
      case lookup_step::wait: {
         const bool usable = !v4.addresses.empty() || !v6.addresses.empty();
         const bool heard = v4.answer != family_answer::pending || v6.answer != family_answer::pending;
         if (heard && now_ < n.decide_at)
            n.decide_at = std::min(n.decide_at, now_ + (usable ? patience : duration(again_after)));
         else if (heard)
            n.decide_at = never;  // only an answer can decide
         return;
      }
      case lookup_step::found: return conclude(host, n, ending::found);
      case lookup_step::fail: return conclude(host, n, ending::failed);
      case lookup_step::next_name:
         if (++n.at == n.candidates.size()) return conclude(host, n, ending::gone);
         return ask(host, n);
   }
}

// Gives those who wait what there is.
void resolver::conclude(const std::string& host, name& n, ending how) {
   n.searching = false;
   n.decide_at = n.stale_at = never;
   if (how != ending::found) n.question = 0;  // nothing that comes late belongs to the addresses in hand
   if (how == ending::gone) n.addresses.clear();
   if (how == ending::found) {
      // IPv4 first: where there is no route for a family it fails at once, but more networks lose IPv6 in silence.
      n.addresses = n.families[0].addresses;
      n.addresses.insert(n.addresses.end(), n.families[1].addresses.begin(), n.families[1].addresses.end());
      n.answered = now_;
   }
   const std::string problem = n.problem.empty() ? "it has no address" : std::exchange(n.problem, {});
   give_all(host, n, problem);
}

void resolver::give_all(const std::string& host, name& n, const std::string& problem) {
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
      const time_point due = std::min(n.decide_at, n.stale_at);
      if (due == never) continue;
      const auto patient = std::chrono::ceil<milliseconds>(std::max(due - now, duration::zero()));
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
      if (n.searching && now >= n.decide_at) go_on(host, n);
      if (now < n.stale_at) continue;
      n.stale_at = never;
      give_all(host, n, "no answer yet");
   }
}

std::vector<resolver::answer> resolver::take_answers() { return std::exchange(answers_, {}); }

}  // namespace holdfast::impl
