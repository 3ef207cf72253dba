// `client`: of a server with a fixed address; led by Sentinels of its own; and one of a deployment, whose Sentinels are
// asked by the deployment's thread. All with their default settings.
#include "bench/wholes/clients/all.hpp"
#include "bench/wholes/clients/holdfast_caller.hpp"

#include <holdfast/holdfast.hpp>

namespace holdfast::bench {
namespace {

class clients_of_uri final : public caller_source {
 public:
   explicit clients_of_uri(std::string uri) : uri_(std::move(uri)) {}
   std::unique_ptr<caller> another() override { return std::make_unique<holdfast_caller<client>>(client(uri_)); }

 private:
   std::string uri_;
};

class clients_of_deployment final : public caller_source {
 public:
   explicit clients_of_deployment(const std::string& uri) : deployment_(uri) {}
   std::unique_ptr<caller> another() override { return std::make_unique<holdfast_caller<client>>(client(deployment_)); }

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
