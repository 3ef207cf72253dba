// One blocking GET of 16 bytes at a time: raw (the bytes out, the reply's bytes counted in, nothing parsed), hiredis,
// and Holdfast. Compare the ratios of one run; `--benchmark_enable_random_interleaving=true` lets the noise hit all
// alike.
#include "lab/deployment.hpp"

#include <holdfast/holdfast.hpp>

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <hiredis/hiredis.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

namespace {

using namespace holdfast;

constexpr std::string_view reply_bytes = "$16\r\n0123456789abcdef\r\n";

const endpoint& server() {
   static lab::deployment one({.replicas = 0, .sentinels = 0});
   static const endpoint where = [] {
      one.node(0).connect().run({"SET", "k", "0123456789abcdef"});
      return one.node(0).own_address();
   }();
   return where;
}

void raw(benchmark::State& state) {
   sockaddr_in to = {};
   to.sin_family = AF_INET;
   to.sin_port = htons(server().port);
   ::inet_pton(AF_INET, server().host.c_str(), &to.sin_addr);
   const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
   const int one = 1;
   ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
   if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      return state.SkipWithError("no connection");
   const command get{"GET", "k"};
   char buffer[256];
   for (auto _ : state) {
      if (::send(fd, get.bytes().data(), get.bytes().size(), MSG_NOSIGNAL) < 0) return state.SkipWithError("send");
      for (std::size_t got = 0; got < reply_bytes.size();) {
         const auto n = ::recv(fd, buffer, sizeof buffer, 0);
         if (n <= 0) return state.SkipWithError("recv");
         got += static_cast<std::size_t>(n);
      }
   }
   ::close(fd);
}

void with_hiredis(benchmark::State& state) {
   redisContext* context = ::redisConnect(server().host.c_str(), server().port);
   for (auto _ : state) {
      auto* reply = static_cast<redisReply*>(::redisCommand(context, "GET k"));
      if (reply == nullptr || reply->len != 16) return state.SkipWithError("no reply");
      ::freeReplyObject(reply);
   }
   ::redisFree(context);
}

void with_holdfast(benchmark::State& state) {
   client redis(config{.server = server()});
   for (auto _ : state) {
      const auto reply = redis.run({"GET", "k"});
      if (!reply || reply->text().size() != 16) return state.SkipWithError("no reply");
   }
}

void list_of_1024(benchmark::State& state) {
   client redis(config{.server = server()});
   const std::vector<command> list(1024, command{"GET", "k"});
   for (auto _ : state) {
      const auto replies = redis.run(list);
      if (!replies.back()) return state.SkipWithError("no reply");
   }
   state.SetItemsProcessed(state.iterations() * 1024);
}

BENCHMARK(raw)->UseRealTime();
BENCHMARK(with_hiredis)->UseRealTime();
BENCHMARK(with_holdfast)->UseRealTime();
BENCHMARK(list_of_1024)->UseRealTime();

}  // namespace
