// The simulator's servers and Sentinels in a world of their own, and raw connections: to them, and to real ones.
#pragma once

#include "lab/deployment.hpp"
#include "lab/sockets.hpp"
#include "resp/reader.hpp"
#include "sim/world/deployment.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace holdfast::sim {

inline std::string flat(value_view v) {
   if (v.is_nil()) return "nil";
   if (v.is_error()) return "-" + std::string(v.text());
   if (v.kind() == kind::integer) return ":" + std::to_string(v.integer());
   if (!v.is_aggregate()) return std::string(v.text());
   std::string line;
   for (const value_view element : v) line += "[" + flat(element) + "]";
   return "(" + std::to_string(v.size()) + ")" + line;
}

// Replies in these bytes, all that are whole.
inline std::vector<std::string> replies_in(std::string_view bytes) {
   impl::reader reader{impl::limits{}};
   const auto space = reader.prepare(bytes.size() + 1);
   std::copy(bytes.begin(), bytes.end(), space.begin());
   reader.commit(bytes.size());
   std::vector<std::string> all;
   while (reader.next() == impl::reader::status::reply) all.push_back(flat(reader.reply()));
   return all;
}

inline std::vector<std::string> words_of(const std::string& line) {
   std::istringstream in(line);
   std::vector<std::string> all;
   for (std::string word; in >> word;) all.push_back(word == "''" ? "" : word);
   return all;
}

// Lines of commands that stand between semicolons.
inline std::vector<std::string> lines_of(const std::string& commands) {
   std::istringstream in(commands);
   std::vector<std::string> all;
   for (std::string line; std::getline(in >> std::ws, line, ';');) all.push_back(line);
   return all;
}

inline std::string bytes_of(const std::vector<std::string>& command) {
   std::string bytes;
   add_array(bytes, command.size());
   for (const auto& word : command) add_bulk(bytes, word);
   return bytes;
}

// A connection on which anything can be said.
class real_line {
 public:
   explicit real_line(const endpoint& where) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
      const sockaddr_in address = lab::address_of(where);
      if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
         throw std::runtime_error("no connection to " + to_string(where));
   }
   ~real_line() { ::close(socket_); }
   real_line(const real_line&) = delete;
   real_line& operator=(const real_line&) = delete;

   void send(std::string_view bytes) {
      if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) ended_ = true;
   }
   // Bytes that came: at least one whole reply more than before, unless patience or the connection ended.
   std::string take(std::chrono::milliseconds patience) {
      const std::size_t before = replies_in(in_).size();
      while (!ended_ && replies_in(in_).size() == before) {
         pollfd look{.fd = socket_, .events = POLLIN, .revents = 0};
         if (::poll(&look, 1, static_cast<int>(patience.count())) <= 0) break;
         char space[16 * 1024];
         const auto n = ::recv(socket_, space, sizeof space, 0);
         if (n <= 0)
            ended_ = true;
         else
            in_.append(space, static_cast<std::size_t>(n));
      }
      return in_;
   }
   // One command, its reply; "(closed)" where there is none.
   std::string ask(const std::vector<std::string>& command) {
      in_.clear();
      send(bytes_of(command));
      const auto replies = replies_in(take(std::chrono::milliseconds(2000)));
      return replies.empty() ? "(closed)" : replies.front();
   }
   // Replies until `n` are there, or the end.
   std::vector<std::string> exchange(std::string_view bytes, std::size_t n) {
      in_.clear();
      send(bytes);
      while (replies_in(in_).size() < n && !ended_) {
         const std::size_t before = in_.size();
         if (take(std::chrono::milliseconds(2000)).size() == before) break;
      }
      auto all = replies_in(in_);
      if (ended_) all.emplace_back("(closed)");
      return all;
   }
   bool ended() const { return ended_; }

 private:
   int socket_;
   std::string in_;
   bool ended_ = false;
};

// A master, its replica and Sentinels.
class model_deployment final : private deployment {
 public:
   explicit model_deployment(const redis_settings& s, unsigned replicas = 1, unsigned sentinels = 0,
                             const sentinel_settings& watchers = {})
      : deployment(1) {
      add_servers(1 + replicas, s);
      add_sentinels(sentinels, watchers);
      begin(0);
      client_ = add_client();
      pass(2s);
   }

   host_id sentinel(unsigned i) const { return static_cast<host_id>(servers_.size()) + i; }
   redis_model& server(host_id h) { return *servers_[h]; }
   connection_id connect(host_id to) {
      const connection_id c = shared_.net.connect(client_, to, 1, 1);
      pass(10ms);
      return c;
   }
   std::vector<std::string> exchange(connection_id c, std::string_view bytes, duration patience = 10ms) {
      shared_.net.send(c, end::client, bytes);
      return take(c, patience);
   }
   std::vector<std::string> take(connection_id c, duration patience) {
      pass(patience);
      std::string& in = shared_.net.at(c).inbox[index(end::client)];
      auto all = replies_in(in);
      in.clear();
      if (shared_.net.at(c).saw_end[index(end::client)]) all.emplace_back("(closed)");
      return all;
   }
   // The replies in one line; "(closed)" where the server ended the connection, empty where it says nothing.
   std::string ask(connection_id c, const std::vector<std::string>& command) {
      auto replies = exchange(c, bytes_of(command));
      for (int i = 0; i < 50 && replies.empty(); ++i) replies = take(c, 10ms);
      return replies.empty() ? "" : replies.front();
   }
   void kill(host_id h) { process_dies(h, condition::dead); }
   void start(host_id h) { process_starts(h); }
   void pass(duration d) { run_until(shared_.time.now() + d); }

 private:
   runtime* client_at(host_id) override { return nullptr; }

   host_id client_ = nowhere;
};

// Both answer each of these commands with the same.
inline void expect_same(model_deployment& model, connection_id c, real_line& real, const std::string& commands) {
   for (const std::string& line : lines_of(commands))
      EXPECT_EQ(model.ask(c, words_of(line)), real.ask(words_of(line))) << line;
}

}  // namespace holdfast::sim
