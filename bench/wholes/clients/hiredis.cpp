// hiredis, blocking. Commands are given as arrays of arguments (redisCommandArgv), which costs it half of what a format
// string does; what is built before is formatted before.
#include "bench/wholes/clients/all.hpp"

#include <hiredis/hiredis.h>

#include <memory>
#include <stdexcept>
#include <vector>

namespace holdfast::bench {
namespace {

struct context_closer {
   void operator()(redisContext* c) const { ::redisFree(c); }
};
struct reply_closer {
   void operator()(void* r) const { ::freeReplyObject(r); }
};
using reply_pointer = std::unique_ptr<redisReply, reply_closer>;

class hiredis_caller final : public caller {
 public:
   explicit hiredis_caller(const endpoint& where) : context_(::redisConnect(where.host.c_str(), where.port)) {
      if (!context_ || context_->err != 0) throw std::runtime_error("hiredis: no connection");
   }

   void prepare(const workload& w) override {
      workload_ = &w;
      length_ = static_cast<std::size_t>(std::stoul(w.reply.substr(1)));
      formatted_.assign(w.commands, as_array(w.command));
      words_.clear();
      sizes_.clear();
      for (const std::string& word : w.command) {
         words_.push_back(word.data());
         sizes_.push_back(word.size());
      }
   }
   void run(std::size_t rounds) override {
      for (std::size_t i = 0; i < rounds; ++i) {
         switch (workload_->how) {
            case shape::one_at_a_time:
            case shape::caller_each_thread: one(); break;
            case shape::built_list: built_list(); break;
            case shape::prepared_list: prepared_list(); break;
         }
      }
   }

 private:
   void one() {
      check(reply_pointer(
         static_cast<redisReply*>(::redisCommandArgv(context_.get(), count(), words_.data(), sizes_.data()))));
   }
   void built_list() {
      for (std::size_t i = 0; i < workload_->commands; ++i)
         ::redisAppendCommandArgv(context_.get(), count(), words_.data(), sizes_.data());
      take_replies();
   }
   void prepared_list() {
      for (const std::string& c : formatted_) ::redisAppendFormattedCommand(context_.get(), c.data(), c.size());
      take_replies();
   }
   int count() const { return static_cast<int>(words_.size()); }
   void take_replies() {
      for (std::size_t i = 0; i < workload_->commands; ++i) {
         void* reply = nullptr;
         if (::redisGetReply(context_.get(), &reply) != REDIS_OK) reply = nullptr;
         check(reply_pointer(static_cast<redisReply*>(reply)));
      }
   }
   void check(const reply_pointer& r) const {
      if (!r || (r->type == REDIS_REPLY_ARRAY ? r->elements : static_cast<std::size_t>(r->len)) != length_)
         throw std::runtime_error("hiredis: " + workload_->name + ": not the reply that was expected");
   }

   std::unique_ptr<redisContext, context_closer> context_;
   const workload* workload_ = nullptr;
   std::size_t length_ = 0;  // of the text, or the number of elements
   std::vector<std::string> formatted_;
   std::vector<const char*> words_;
   std::vector<std::size_t> sizes_;
};

class hiredis_callers final : public caller_source {
 public:
   explicit hiredis_callers(endpoint where) : where_(std::move(where)) {}
   std::unique_ptr<caller> another() override { return std::make_unique<hiredis_caller>(where_); }

 private:
   endpoint where_;
};

}  // namespace

client_kind hiredis() {
   return {
      .name = "hiredis", .title = "hiredis", .make = [](const server_addresses& a) -> std::unique_ptr<caller_source> {
         return std::make_unique<hiredis_callers>(a.node);
      }};
}

}  // namespace holdfast::bench
