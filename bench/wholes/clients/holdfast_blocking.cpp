// `client`: of a server with a fixed address; led by Sentinels of its own; and one of a deployment, whose Sentinels are
// asked by the deployment's thread. All with their default settings.
#include "bench/wholes/clients/all.hpp"

#include <holdfast/holdfast.hpp>

#include <stdexcept>
#include <vector>

namespace holdfast::bench {
namespace {

class blocking_caller final : public caller {
 public:
   explicit blocking_caller(client c) : client_(std::move(c)) {}

   void prepare(const workload& w) override {
      workload_ = &w;
      list_.assign(w.commands, command::from(w.command));
      length_ = static_cast<std::size_t>(std::stoul(w.reply.substr(1)));
   }
   void run(std::size_t rounds) override {
      for (std::size_t i = 0; i < rounds; ++i) {
         switch (workload_->how) {
            case shape::one_at_a_time:
            case shape::caller_each_thread: one(); break;
            case shape::prepared_list: check_all(client_.run(list_)); break;
            case shape::built_list: built_list(); break;
         }
      }
   }

 private:
   void one() {
      const auto& words = workload_->command;
      check(client_.run(words.size() == 2 ? command{words[0], words[1]} : command::from(words)));
   }
   void built_list() {
      std::vector<command> list;
      list.reserve(workload_->commands);
      for (std::size_t i = 0; i < workload_->commands; ++i) list.push_back({"GET", workload_->command[1]});
      check_all(client_.run(list));
   }
   void check_all(const std::vector<result<value>>& replies) const {
      for (const auto& r : replies) check(r);
   }
   void check(const result<value>& r) const {
      if (!r) throw std::runtime_error("holdfast: " + workload_->name + ": " + r.error().what());
      if ((workload_->elements != 0 ? r->size() : r->text().size()) != length_)
         throw std::runtime_error("holdfast: " + workload_->name + ": not the reply that was expected");
   }

   client client_;
   const workload* workload_ = nullptr;
   std::size_t length_ = 0;  // of the text, or the number of elements
   std::vector<command> list_;
};

class clients_of_uri final : public caller_source {
 public:
   explicit clients_of_uri(std::string uri) : uri_(std::move(uri)) {}
   std::unique_ptr<caller> another() override { return std::make_unique<blocking_caller>(client(uri_)); }

 private:
   std::string uri_;
};

class clients_of_deployment final : public caller_source {
 public:
   explicit clients_of_deployment(const std::string& uri) : deployment_(uri) {}
   std::unique_ptr<caller> another() override { return std::make_unique<blocking_caller>(client(deployment_)); }

 private:
   deployment deployment_;
};

}  // namespace

client_kind holdfast_fixed() {
   return {.name = "fixed",
           .title = "Holdfast, a fixed server",
           .make = [](const server_addresses& a) -> std::unique_ptr<caller_source> {
              return std::make_unique<clients_of_uri>("redis://" + to_string(a.node));
           }};
}

client_kind holdfast_sentinel() {
   return {.name = "sentinel",
           .title = "Holdfast, Sentinels of its own",
           .by_sentinel = true,
           .grows = false,  // a hundred of them hold seven hundred connections
           .make = [](const server_addresses& a) -> std::unique_ptr<caller_source> {
              return std::make_unique<clients_of_uri>(a.uri);
           }};
}

client_kind holdfast_deployment() {
   return {.name = "deployment",
           .title = "Holdfast, client of a deployment",
           .by_sentinel = true,
           .make = [](const server_addresses& a) -> std::unique_ptr<caller_source> {
              return std::make_unique<clients_of_deployment>(a.uri);
           }};
}

}  // namespace holdfast::bench
