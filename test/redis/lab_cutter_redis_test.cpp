// The lab's cutter: exactly as many bytes pass as were planned, and the ending is the one that was asked for.
#include "lab/cutter.hpp"
#include "lab/deployment.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

class lab_cutter : public testing::Test {
 protected:
   static void SetUpTestSuite() { world_ = new lab::deployment({.replicas = 0, .sentinels = 0}); }
   static void TearDownTestSuite() { delete std::exchange(world_, nullptr); }

   lab::server& node() { return world_->node(0); }
   static lab::deployment* world_;
   lab::cutter cutter_{world_->node(0).own_address()};
};

lab::deployment* lab_cutter::world_ = nullptr;

class raw_connection {
 public:
   explicit raw_connection(const endpoint& where) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
      sockaddr_in a = {};
      a.sin_family = AF_INET;
      a.sin_port = htons(where.port);
      ::inet_pton(AF_INET, where.host.c_str(), &a.sin_addr);
      if (::connect(fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) ADD_FAILURE() << "no connection";
   }
   ~raw_connection() { ::close(fd_); }

   // The error, if the connection had ended already.
   int say(std::string_view bytes) { return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 ? errno : 0; }
   // All that comes until the end of the connection, or until nothing came for `patience`; and how it ended.
   std::pair<std::string, int> hear(int patience_ms = 5000) {
      std::string all;
      for (;;) {
         pollfd p = {fd_, POLLIN, 0};
         if (::poll(&p, 1, patience_ms) == 0) return {all, ETIMEDOUT};
         char bytes[1024];
         const ssize_t size = ::recv(fd_, bytes, sizeof bytes, 0);
         if (size <= 0) return {all, size == 0 ? 0 : errno};
         all.append(bytes, static_cast<std::size_t>(size));
      }
   }

 private:
   int fd_;
};

TEST_F(lab_cutter, lets_pass_what_nobody_cuts) {
   lab::control c(cutter_.address());
   EXPECT_TRUE(c.pongs());
   EXPECT_EQ(cutter_.open(), 1U);
   EXPECT_EQ(cutter_.cuts(), 0U);
}

TEST_F(lab_cutter, hands_the_server_exactly_the_planned_bytes) {
   const std::string two = "INCR n\r\nINCR n\r\n";
   for (std::size_t after = 0; after <= two.size(); ++after) {
      node().connect().run({"DEL", "n"});
      cutter_.cut_next({lab::direction::to_server, after, lab::ending::reset});
      raw_connection c(cutter_.address());
      const int told = c.say(two);  // the system tells of a reset once
      EXPECT_EQ(told != 0 ? told : c.hear().second, ECONNRESET) << after;
      lab::await("the server has read its part", [&] { return cutter_.open() == 0; }, 5s);
      const std::string n = node().connect().run({"GET", "n"}).text;
      EXPECT_EQ(n, after == two.size() ? "2" : after >= two.size() / 2 ? "1" : "") << after;
      EXPECT_EQ(cutter_.connections().back().to_server, after);
   }
}

TEST_F(lab_cutter, hands_the_client_exactly_the_planned_bytes) {
   for (const auto how : {lab::ending::reset, lab::ending::fin}) {
      for (std::size_t after = 0; after <= 7; ++after) {
         cutter_.cut_next({lab::direction::to_client, after, how});
         raw_connection c(cutter_.address());
         const int told = c.say("PING\r\n");
         const auto [bytes, heard] = c.hear();
         const int why = told != 0 ? told : heard;
         EXPECT_EQ(bytes, std::string("+PONG\r\n").substr(0, after));
         EXPECT_EQ(why, how == lab::ending::fin ? 0 : ECONNRESET) << after;
      }
   }
   EXPECT_EQ(cutter_.cuts(), 16U);
}

TEST_F(lab_cutter, counts_from_now_on_an_open_connection_and_holds_it_in_silence_until_healed) {
   raw_connection c(cutter_.address());
   c.say("PING\r\n");
   EXPECT_EQ(c.hear(50).first, "+PONG\r\n");
   cutter_.cut_open({lab::direction::to_client, 3, lab::ending::silence});
   c.say("PING\r\n");
   const auto [bytes, why] = c.hear(50);
   EXPECT_EQ(bytes, "+PO");
   EXPECT_EQ(why, ETIMEDOUT);
   cutter_.heal();
   EXPECT_EQ(c.hear().second, ECONNRESET);
   EXPECT_EQ(cutter_.open(), 0U);
}

}  // namespace
}  // namespace holdfast
