// The recipe around hiredis, without its best known fault: a command whose reply was lost may have run, and an INCR
// that is sent again is then counted twice. So the client says by the type of its exception which of the two it was,
// and each call says which of them it may be repeated after.
//
//    retry_hiredis [redis://HOST:PORT]        else $HOLDFAST_URI, else redis://127.0.0.1:6379
#include <holdfast/retry.hpp>

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct not_sent : std::runtime_error {  // no connection: it certainly did not run
   using std::runtime_error::runtime_error;
};
struct no_reply : std::runtime_error {  // it may have run
   using std::runtime_error::runtime_error;
};

class hiredis_client {
 public:
   hiredis_client(std::string host, int port) : host_(std::move(host)), port_(port) {}

   std::string run(std::initializer_list<std::string> words) {
      if (!connection_) connect();
      std::vector<const char*> parts;
      std::vector<std::size_t> sizes;
      for (const std::string& word : words) {
         parts.push_back(word.data());
         sizes.push_back(word.size());
      }
      void* const answer =
         redisCommandArgv(connection_.get(), static_cast<int>(parts.size()), parts.data(), sizes.data());
      const std::unique_ptr<void, void (*)(void*)> reply(answer, freeReplyObject);
      if (!reply) {
         const std::string why = connection_->errstr;
         connection_.reset();  // the next call connects anew
         throw no_reply(why);
      }
      const auto& r = *static_cast<const redisReply*>(reply.get());
      if (r.type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string(r.str, r.len));
      return r.type == REDIS_REPLY_INTEGER ? std::to_string(r.integer) : std::string(r.str ? r.str : "", r.len);
   }

 private:
   void connect() {
      connection_.reset(redisConnectWithTimeout(host_.c_str(), port_, {.tv_sec = 1, .tv_usec = 0}));
      if (connection_ && !connection_->err &&
          redisSetTimeout(connection_.get(), {.tv_sec = 2, .tv_usec = 0}) == REDIS_OK)
         return;
      const std::string why = connection_ ? connection_->errstr : "out of memory";
      connection_.reset();
      throw not_sent(why);
   }

   std::string host_;
   int port_;
   std::unique_ptr<redisContext, void (*)(redisContext*)> connection_{nullptr, redisFree};
};

void tell(unsigned attempt, holdfast::duration delay, std::exception_ptr why) {
   try {
      std::rethrow_exception(why);
   } catch (const std::exception& e) {
      std::cout << "retry " << attempt << " in " << delay / 1ms << " ms: " << e.what() << '\n';
   }
}

hiredis_client connect_to(std::string uri) {
   if (uri.starts_with("redis://")) uri.erase(0, 8);
   const std::size_t colon = uri.find(':');
   return {uri.substr(0, colon), colon == std::string::npos ? 6379 : std::atoi(uri.c_str() + colon + 1)};
}

int example(const std::string& uri) {
   hiredis_client redis = connect_to(uri), other = connect_to(uri);

   // What may be repeated without harm is retried after a lost reply, too; the rest only if it was never sent.
   const holdfast::retry_policy repeatable{
      .max_retries = 3, .deadline = 5s, .retry_if = holdfast::retry_on<not_sent, no_reply>(), .on_retry = tell};
   const holdfast::retry_policy once{
      .max_retries = 3, .deadline = 5s, .retry_if = holdfast::retry_on<not_sent>(), .on_retry = tell};
   const auto run = [&](const holdfast::retry_policy& policy, std::initializer_list<std::string> words) {
      return holdfast::retry(policy, &hiredis_client::run, redis, words);
   };

   run(repeatable, {"SET", "example:retry", "1"});
   other.run({"CLIENT", "KILL", "ID", run(repeatable, {"CLIENT", "ID"})});  // the connection breaks behind our back
   const std::string value = run(repeatable, {"GET", "example:retry"});
   std::cout << "GET answered " << value << '\n';

   other.run({"CLIENT", "KILL", "ID", run(repeatable, {"CLIENT", "ID"})});
   try {
      run(once, {"INCR", "example:retry"});
      return 1;  // the broken connection must have been noticed
   } catch (const no_reply& e) {
      std::cout << "INCR may have run: " << e.what() << "; it is not sent again\n";
   }
   const std::string count = run(once, {"INCR", "example:retry"});
   std::cout << "INCR answered " << count << '\n';
   run(repeatable, {"DEL", "example:retry"});
   return 0;
}

}  // namespace

int main(int argc, char** argv) {
   const char* const from_environment = std::getenv("HOLDFAST_URI");
   try {
      return example(argc > 1 ? argv[1] : from_environment ? from_environment : "redis://127.0.0.1:6379");
   } catch (const std::exception& e) {
      std::cerr << "retry_hiredis: " << e.what() << '\n';
      return 1;
   }
}
