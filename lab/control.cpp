#include "lab/control.hpp"

#include <hiredis/hiredis.h>
#include <poll.h>

namespace holdfast::lab {
namespace {

timeval as_timeval(milliseconds ms) {
   return {static_cast<time_t>(ms.count() / 1000), static_cast<suseconds_t>(ms.count() % 1000 * 1000)};
}

reply converted(const redisReply& r) {
   reply out;
   switch (r.type) {
      case REDIS_REPLY_INTEGER: out.kind = reply::type::integer, out.integer = r.integer; break;
      case REDIS_REPLY_STRING: out.kind = reply::type::text; break;
      case REDIS_REPLY_STATUS: out.kind = reply::type::status; break;
      case REDIS_REPLY_ERROR: out.kind = reply::type::error; break;
      case REDIS_REPLY_ARRAY: out.kind = reply::type::array; break;
      default: break;
   }
   if (r.str != nullptr) out.text.assign(r.str, static_cast<std::size_t>(r.len));
   out.elements.reserve(r.elements);
   for (std::size_t i = 0; i < r.elements; ++i) out.elements.push_back(converted(*r.element[i]));
   return out;
}

}  // namespace

std::string reply::field(const std::string& name) const {
   for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
      if (elements[i].text == name) return elements[i + 1].text;
   return {};
}

void control::closer::operator()(redisContext* c) const { redisFree(c); }

control::control(const endpoint& where, const credentials& who, milliseconds timeout)
   : where_(where), context_(redisConnectWithTimeout(where.host.c_str(), where.port, as_timeval(timeout))) {
   if (!context_ || context_->err != 0) {
      throw control_error("no connection to " + to_string(where) + ": " + (context_ ? context_->errstr : "no memory"));
   }
   redisSetTimeout(context_.get(), as_timeval(timeout));
   if (!who.password.empty() && who.username.empty()) run({"AUTH", who.password});
   if (!who.password.empty() && !who.username.empty()) run({"AUTH", who.username, who.password});
   ask({"CLIENT", "SETNAME", "lab"});  // so that a storm of CLIENT KILL can spare it; a server may refuse
}

void control::append(const std::vector<std::string>& command) {
   std::vector<const char*> words;
   std::vector<std::size_t> sizes;
   for (const std::string& word : command) {
      words.push_back(word.data());
      sizes.push_back(word.size());
   }
   redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(), sizes.data());
}

reply control::take() {
   void* raw = nullptr;
   if (redisGetReply(context_.get(), &raw) != REDIS_OK || raw == nullptr) {
      throw control_error("no answer from " + to_string(where_) + ": " + context_->errstr);
   }
   const std::unique_ptr<redisReply, decltype(&freeReplyObject)> held(static_cast<redisReply*>(raw), freeReplyObject);
   return converted(*held);
}

std::optional<reply> control::told(milliseconds patience) {
   void* raw = nullptr;
   const auto parsed = [&] { return redisGetReplyFromReader(context_.get(), &raw) == REDIS_OK; };
   bool good = parsed();
   if (good && raw == nullptr) {
      pollfd watched = {context_->fd, POLLIN, 0};
      if (::poll(&watched, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
      good = redisBufferRead(context_.get()) == REDIS_OK && parsed();
   }
   if (!good) throw control_error("no more from " + to_string(where_) + ": " + context_->errstr);
   if (raw == nullptr) return std::nullopt;  // the rest of it is still to come
   const std::unique_ptr<redisReply, decltype(&freeReplyObject)> held(static_cast<redisReply*>(raw), freeReplyObject);
   return converted(*held);
}

reply control::ask(const std::vector<std::string>& command) {
   append(command);
   return take();
}

reply control::run(const std::vector<std::string>& command) { return run_all({command}).front(); }

std::vector<reply> control::run_all(const std::vector<std::vector<std::string>>& commands) {
   for (const auto& command : commands) append(command);
   std::vector<reply> replies;
   replies.reserve(commands.size());
   for (std::size_t i = 0; i < commands.size(); ++i) replies.push_back(take());
   for (std::size_t i = 0; i < commands.size(); ++i) {
      if (replies[i].is_error()) {
         throw control_error(to_string(where_) + " answered to " + commands[i].at(0) + ": " + replies[i].text);
      }
   }
   return replies;
}

bool control::pongs() { return ask({"PING"}).text == "PONG"; }

std::string control::role() {
   const reply r = run({"ROLE"});
   return r.elements.empty() ? std::string() : r.elements.front().text;
}

std::string control::info(const std::string& section, const std::string& name) {
   const std::string text = "\n" + run({"INFO", section}).text;
   const std::size_t at = text.find("\n" + name + ":");
   if (at == std::string::npos) return {};
   const std::size_t from = at + name.size() + 2;
   return text.substr(from, text.find_first_of("\r\n", from) - from);
}

long long control::client_id() { return run({"CLIENT", "ID"}).integer; }

int control::descriptor() const { return context_->fd; }

}  // namespace holdfast::lab
