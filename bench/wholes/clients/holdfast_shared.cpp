// `shared_client`: one connection and one thread for all callers, led by Sentinels of its own.
#include "bench/wholes/clients/all.hpp"
#include "bench/wholes/clients/holdfast_caller.hpp"

namespace holdfast::bench {
namespace {

class callers_of_one_client final : public caller_source {
 public:
   explicit callers_of_one_client(const std::string& uri) : client_(uri) {}
   std::unique_ptr<caller> another() override { return std::make_unique<holdfast_caller<shared_client&>>(client_); }

 private:
   shared_client client_;
};

}  // namespace

client_kind holdfast_shared() {
   return {.name = "shared",
           .title = "Holdfast, one shared_client",
           .by_sentinel = true,
           .make = [](const server_addresses& a) -> std::unique_ptr<caller_source> {
              return std::make_unique<callers_of_one_client>(a.uri);
           }};
}

}  // namespace holdfast::bench
