// A caller of any client of Holdfast that blocks.
#pragma once

#include "bench/wholes/client_kind.hpp"

#include <holdfast/holdfast.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

namespace holdfast::bench {

// `Client`: a client of its own, or a reference to one that all share.
template <class Client>
class holdfast_caller final : public caller {
 public:
   explicit holdfast_caller(Client&& c) : client_(std::forward<Client>(c)) {}

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

   Client client_;
   const workload* workload_ = nullptr;
   std::size_t length_ = 0;  // of the text, or the number of elements
   std::vector<command> list_;
};

}  // namespace holdfast::bench
