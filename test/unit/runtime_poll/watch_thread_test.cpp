// The thread that asks for many clients, with a Sentinel that is a script on the loopback.
#include "runtime/poll/watch_thread.hpp"

#include "unit/topology/replies.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <thread>

namespace holdfast::impl::watch_thread_test {
namespace {

using namespace std::chrono_literals;
using test::array;
using test::bulk;
using test::texts;

const endpoint master{"127.0.0.1", 1};  // nobody connects to it

class scripted_sentinel {
 public:
   scripted_sentinel() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      sockaddr_in local = {};
      local.sin_family = AF_INET;
      local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      socklen_t size = sizeof local;
      EXPECT_EQ(::bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&local), size), 0);
      EXPECT_EQ(::listen(listener_.fd(), 8), 0);
      EXPECT_EQ(::getsockname(listener_.fd(), reinterpret_cast<sockaddr*>(&local), &size), 0);
      where_ = {"127.0.0.1", ntohs(local.sin_port)};
      thread_ = std::jthread([this](const std::stop_token& stop) {
         while (!stop.stop_requested()) serve();
      });
   }
   const endpoint& where() const { return where_; }
   unsigned asked() const { return asked_; }
   void await_questions(unsigned n) const {
      for (unsigned now = asked_; now < n; now = asked_) asked_.wait(now);
   }
   void publish(const std::string& channel, const std::string& payload) {
      const std::lock_guard lock(mutex_);
      for (const connection& c : connections_) {
         if (c.is_subscribed) send(c, texts({"message", channel, payload}));
      }
   }

 private:
   struct connection {
      socket sock;
      reader in{limits{}};
      bool is_subscribed = false;
   };

   void serve() {
      std::vector<pollfd> fds{{listener_.fd(), POLLIN, 0}};
      for (const connection& c : connections_) fds.push_back({c.sock.fd(), POLLIN, 0});
      if (::poll(fds.data(), fds.size(), 10) <= 0) return;
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 1; i < fds.size(); ++i) {
         if (fds[i].revents != 0) read(connections_[i - 1]);
      }
      if (fds[0].revents != 0) connections_.emplace_back().sock = socket(::accept(listener_.fd(), nullptr, nullptr));
   }
   void read(connection& c) {
      const auto space = c.in.prepare();
      const auto n = ::recv(c.sock.fd(), space.data(), space.size(), 0);
      if (n <= 0) return c.sock.close();
      c.in.commit(static_cast<std::size_t>(n));
      while (c.in.next() == reader::status::reply) send(c, answer(c, c.in.reply()));
   }
   std::string answer(connection& c, value_view command) {
      const auto name = command[0].text();
      if (name == "SUBSCRIBE") {
         c.is_subscribed = true;
         std::string all;
         for (std::size_t i = 1; i < command.size(); ++i)
            all += array({bulk("subscribe"), bulk(command[i].text()), ":" + std::to_string(i) + "\r\n"});
         return all;
      }
      if (name != "SENTINEL") return "+PONG\r\n";
      const auto what = command[1].text();
      if (what == "MYID") return bulk(std::string(40, '1'));
      if (what == "GET-MASTER-ADDR-BY-NAME") return test::address_reply(master);
      if (what != "MASTER") return "*0\r\n";
      ++asked_;
      asked_.notify_all();
      return test::master_reply{.shown = master, .epoch = 5, .others = "0", .replicas = "0"}.bytes();
   }
   static void send(const connection& c, std::string_view bytes) {
      EXPECT_EQ(::send(c.sock.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
   }

   socket listener_;
   endpoint where_;
   std::mutex mutex_;
   std::deque<connection> connections_;
   std::atomic<unsigned> asked_ = 0;
   std::jthread thread_;
};

bool is_answered(view_subscriber& client, std::uint64_t question) {
   pollfd woken{client.wakes().fd(), POLLIN, 0};
   while (client.take().answered < question) {
      if (::poll(&woken, 1, 10'000) != 1) return false;
      client.wakes().clear();
   }
   return true;
}

// A hint makes the watch ask. The client's question comes when that round is written, and in the same turn of the loop.
TEST(watch_thread, round_answers_only_what_was_asked_before_it_began) {
   scripted_sentinel sentinel;
   std::atomic<view_subscriber*> asks_at_the_hint = nullptr;
   std::atomic<bool> has_asked = false;
   config c;
   c.sentinels = {sentinel.where()};
   c.master = "mymaster";
   c.observer = [&](const any_event& e) {
      if (!std::holds_alternative<event::sentinel_said>(e)) return;
      view_subscriber* const s = asks_at_the_hint.exchange(nullptr);
      if (s == nullptr) return;
      s->give({.asked = 2});
      has_asked = true;
      has_asked.notify_all();
   };
   const auto thread = watch_thread::start(c, 1);
   view_subscriber client(thread->mailbox());
   client.enter();
   client.give({.asked = 1});
   ASSERT_TRUE(is_answered(client, 1));
   sentinel.await_questions(2);  // the second one when the subscription works
   asks_at_the_hint = &client;
   sentinel.publish("+set", "master mymaster 127.0.0.1 1 quorum 1");
   has_asked.wait(false);
   ASSERT_TRUE(is_answered(client, 2));
   EXPECT_GE(sentinel.asked(), 4U) << "the hint's question, and the client's";
}

}  // namespace
}  // namespace holdfast::impl::watch_thread_test
