// A server, and a Sentinel that names it as the master, which let a client in and then behave badly.
#pragma once

#include "lab/sockets.hpp"
#include "resp/reader.hpp"

#include <holdfast/endpoint.hpp>
#include <holdfast/value.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace holdfast::lab {

class lying_server {
 public:
   enum class manner {
      mute,           // nothing is answered, ever
      trickles,       // one reply, a byte at a time, without end
      answers_twice,  // a second reply that nobody asked for
      hangs_up,       // one reply, and the end
      ends_unheard,   // the end instead of a reply
      floods,         // pushes without end, no reply
      loads_for_ever,
      talks_nonsense,
   };
   static constexpr std::array all = {manner::mute,           manner::trickles,      manner::answers_twice,
                                      manner::hangs_up,       manner::ends_unheard,  manner::floods,
                                      manner::loads_for_ever, manner::talks_nonsense};

   // `late`: the handshake, and what a Sentinel is asked, is answered as it should be.
   lying_server(manner m, bool late)
      : manner_(m),
        late_(late),
        listener_(listening_at({"127.0.0.1", 0}, 64)),
        where_("127.0.0.1", port_of(listener_)) {
      thread_ = std::thread([this] { run(); });
   }
   ~lying_server() {
      over_ = true;
      thread_.join();
      ::close(listener_);
   }
   lying_server(const lying_server&) = delete;
   lying_server& operator=(const lying_server&) = delete;

   const endpoint& where() const { return where_; }
   unsigned connects() const { return connects_; }

 private:
   struct connection {
      int fd = -1;
      bool trickling = false, flooding = false, ended = false;
      std::unique_ptr<impl::reader> in = std::make_unique<impl::reader>(impl::limits{});
   };

   static std::string bulk(std::string_view text) {
      return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
   }

   void run() {
      while (!over_) {
         std::vector<pollfd> fds = {{listener_, POLLIN, 0}};
         for (const auto& c : connections_) fds.push_back({c.fd, POLLIN, 0});
         ::poll(fds.data(), fds.size(), 10);
         for (std::size_t i = 1; i < fds.size(); ++i) {
            if (fds[i].revents != 0) read(connections_[i - 1]);
         }
         for (auto& c : connections_) {
            if (c.trickling) send(c, "x");
            if (c.flooding) send(c, ">1\r\n+x\r\n");
            if (c.ended) ::close(c.fd);
         }
         std::erase_if(connections_, [](const connection& c) { return c.ended; });
         if (fds[0].revents == 0) continue;
         connections_.emplace_back().fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
         ++connects_;
      }
      for (const auto& c : connections_) ::close(c.fd);
   }

   static void send(connection& c, std::string_view bytes) { ::send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

   void read(connection& c) {
      const auto space = c.in->prepare(4096);
      const auto n = ::recv(c.fd, space.data(), space.size(), 0);
      if (n <= 0) {
         c.ended = true;
         return;
      }
      c.in->commit(static_cast<std::size_t>(n));
      while (!c.ended && c.in->next() == impl::reader::status::reply) take(c, c.in->reply());
   }

   void take(connection& c, value_view command) {
      if (const std::string as_it_should_be = late_ ? polite(command) : std::string(); !as_it_should_be.empty())
         return send(c, as_it_should_be);
      switch (manner_) {
         case manner::mute: return;
         case manner::trickles:
            if (!c.trickling) send(c, "$1000000\r\n");
            c.trickling = true;
            return;
         case manner::answers_twice: return send(c, "+PONG\r\n+PONG\r\n");
         case manner::hangs_up: send(c, "+PONG\r\n"); [[fallthrough]];
         case manner::ends_unheard: c.ended = true; return;
         case manner::floods: c.flooding = true; return;
         case manner::loads_for_ever: return send(c, "-LOADING Redis is loading the dataset in memory\r\n");
         case manner::talks_nonsense: return send(c, "HTTP/1.1 200 OK\r\n\r\n");
      }
   }

   std::string polite(value_view command) const {
      const auto name = command[0].text();
      const auto what = command.size() > 1 ? command[1].text() : std::string_view();
      const std::string port = std::to_string(where_.port);
      if (name == "HELLO")
         return "%7\r\n" + bulk("server") + bulk("redis") + bulk("version") + bulk("7.0.15") + bulk("proto") +
                ":3\r\n" + bulk("id") + ":5\r\n" + bulk("mode") + bulk("standalone") + bulk("role") + bulk("master") +
                bulk("modules") + "*0\r\n";
      if (name == "INFO") return bulk("run_id:0123456789012345678901234567890123456789\r\n");
      if (name == "ROLE") return "*3\r\n" + bulk("master") + ":0\r\n*0\r\n";
      if (name == "CLIENT")
         return what == "INFO" ? bulk("id=5 addr=127.0.0.1:50000 name=\n") : what == "KILL" ? ":1\r\n" : "+OK\r\n";
      if (name == "SUBSCRIBE") {
         std::string out;
         for (std::size_t i = 1; i < command.size(); ++i)
            out += "*3\r\n" + bulk("subscribe") + bulk(command[i].text()) + ":" + std::to_string(i) + "\r\n";
         return out;
      }
      if (name != "SENTINEL") return {};
      if (what == "MYID") return bulk("0123456789012345678901234567890123456789");
      if (what == "GET-MASTER-ADDR-BY-NAME") return "*2\r\n" + bulk("127.0.0.1") + bulk(port);
      if (what != "MASTER") return "*0\r\n";
      return "*12\r\n" + bulk("name") + bulk("mymaster") + bulk("ip") + bulk("127.0.0.1") + bulk("port") + bulk(port) +
             bulk("flags") + bulk("master") + bulk("config-epoch") + bulk("1") + bulk("num-other-sentinels") +
             bulk("0");
   }

   manner manner_;
   bool late_;
   int listener_;
   endpoint where_;
   std::vector<connection> connections_;
   std::atomic<bool> over_ = false;
   std::atomic<unsigned> connects_ = 0;
   std::thread thread_;  // last: it uses all that is above
};

}  // namespace holdfast::lab
