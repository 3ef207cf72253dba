#include "lab/name_server.hpp"

#include "lab/sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace holdfast::lab {
namespace {

// RFC 1035, section 4: a header of 12 bytes, then the question as labels, type and class.
constexpr std::size_t header_size = 12;
constexpr unsigned type_a = 1;
constexpr unsigned type_aaaa = 28;
enum class rcode : unsigned char { fine = 0, server_failure = 2, no_such_name = 3 };

std::string number(unsigned value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)}; }

unsigned byte_at(const std::string& bytes, std::size_t at) {
   return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
}

struct asked_for {
   std::string name;
   unsigned type = 0;
   std::size_t end = 0;  // of the question
};

asked_for read_question(const std::string& message) {
   asked_for q;
   std::size_t at = header_size;
   while (byte_at(message, at) != 0) {
      const std::size_t size = byte_at(message, at);
      if (!q.name.empty()) q.name += '.';
      if (at + 1 + size < message.size()) q.name.append(message, at + 1, size);
      at += 1 + size;
   }
   q.type = byte_at(message, at + 1) << 8 | byte_at(message, at + 2);
   q.end = at + 5;
   return q;
}

// The bytes of an address of that type, none if it is of another.
std::string bytes_of(const std::string& address, unsigned type) {
   std::array<char, 16> bytes = {};
   const int family = type == type_a ? AF_INET : AF_INET6;
   if (::inet_pton(family, address.c_str(), bytes.data()) != 1) return {};
   return {bytes.data(), type == type_a ? 4U : 16U};
}

}  // namespace

name_server::name_server(std::uint16_t port)
   : socket_(bound_at({"127.0.0.1", port}, SOCK_DGRAM)), wake_(::eventfd(0, EFD_CLOEXEC)) {
   thread_ = std::thread([this] { run(); });
}

name_server::~name_server() {
   const std::uint64_t one = 1;
   [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
   thread_.join();
   ::close(socket_);
   ::close(wake_);
}

std::uint16_t name_server::port() const { return port_of(socket_); }

std::string name_server::address() const { return "127.0.0.1:" + std::to_string(port()); }

void name_server::resolve(const std::string& name, std::vector<std::string> addresses) {
   const std::lock_guard lock(guard_);
   records_[name] = {{says::addresses, says::addresses}, std::move(addresses)};
}

void name_server::resolve_under(const std::string& domain, std::vector<std::string> addresses) {
   const std::lock_guard lock(guard_);
   wildcards_[domain] = {{says::addresses, says::addresses}, std::move(addresses)};
}

void name_server::say(const std::string& name, says what) {
   const std::lock_guard lock(guard_);
   records_[name] = {{what, what}, {}};
}

void name_server::say(const std::string& name, about family, says what) {
   const std::lock_guard lock(guard_);
   records_[name].what[family == about::ipv6] = what;
}

const name_server::record& name_server::record_of(const std::string& name) const {
   static const record none;
   if (const auto known = records_.find(name); known != records_.end()) return known->second;
   for (const auto& [domain, known] : wildcards_) {
      if (name.ends_with('.' + domain)) return known;
   }
   return none;
}

unsigned name_server::asked(const std::string& name) const {
   const std::lock_guard lock(guard_);
   const auto found = asked_.find(name);
   return found == asked_.end() ? 0 : found->second;
}

std::string name_server::answer_to(const std::string& question) {
   const asked_for q = read_question(question);
   const std::lock_guard lock(guard_);
   ++asked_[q.name];
   const record& r = record_of(q.name);
   const says what = r.what[q.type == type_aaaa];
   if (what == says::nothing) return {};
   std::string answers;
   unsigned count = 0;
   for (const std::string& address : r.addresses) {
      const std::string bytes = q.type == type_a || q.type == type_aaaa ? bytes_of(address, q.type) : std::string();
      if (bytes.empty() || what != says::addresses) continue;
      // The name is that of the question (a pointer to byte 12), the class IN, the time to live 0.
      answers += "\xc0\x0c" + number(q.type) + number(1) + number(0) + number(0) +
                 number(static_cast<unsigned>(bytes.size())) + bytes;
      ++count;
   }
   const rcode code = what == says::no_such_name ? rcode::no_such_name
                      : what == says::failure    ? rcode::server_failure
                                                 : rcode::fine;
   constexpr unsigned answering = 0x8180;  // a response; recursion desired and available
   return question.substr(0, 2) + number(answering | static_cast<unsigned>(code)) + number(1) + number(count) +
          number(0) + number(0) + question.substr(header_size, q.end - header_size) + answers;
}

void name_server::run() {
   for (;;) {
      std::array<pollfd, 2> watched = {{{wake_, POLLIN, 0}, {socket_, POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      if (watched[0].revents != 0) return;
      std::array<char, 1500> bytes;
      sockaddr_in asker = {};
      socklen_t size = sizeof asker;
      const ssize_t got =
         ::recvfrom(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&asker), &size);
      if (got < static_cast<ssize_t>(header_size)) continue;
      const std::string answer = answer_to(std::string(bytes.data(), static_cast<std::size_t>(got)));
      if (!answer.empty()) {
         ::sendto(socket_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&asker), size);
      }
   }
}

}  // namespace holdfast::lab
