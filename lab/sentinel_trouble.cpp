#include "lab/sentinel_trouble.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::lab {
namespace {

constexpr milliseconds patience(5000);

struct description {
   trouble kind;
   std::string_view name;
   std::string_view words;
};

constexpr std::array<description, 4> all = {{{trouble::none, "none", ""},
                                             {trouble::stopped, "stopped", "the first Sentinel hangs"},
                                             {trouble::deaf, "deaf", "the first Sentinel is never heard"},
                                             {trouble::stale, "stale", "the first Sentinel is cut off, and stale"}}};

const description& of(trouble kind) { return all.at(static_cast<std::size_t>(kind)); }

// A Sentinel is cut off from the nodes by a password that is not theirs.
void cut_off(deployment& d, const std::stop_token& stop) {
   const std::string& name = d.options().master_name;
   control sentinel = d.sentinel(0).connect();
   // What the other Sentinels tell it and ask it is refused; clients say neither.
   sentinel.run({"ACL", "SETUSER", "default", "-publish", "-sentinel|is-master-down-by-addr"});
   // It must not try a failover of its own: nobody would hear it.
   sentinel.run({"SENTINEL", "SET", name, "quorum", std::to_string(d.sentinels() + 1)});
   sentinel.run({"SENTINEL", "SET", name, "auth-pass", "none of theirs"});
   // Its connections tell whose they are once they are let in.
   const std::string mark = " name=sentinel-" + sentinel.run({"SENTINEL", "MYID"}).text.substr(0, 8) + "-cmd ";
   control master = d.node(0).connect();
   await(
      "the Sentinel is cut off",
      [&] { return master.run({"CLIENT", "LIST"}).text.find(mark) == std::string::npos || stop.stop_requested(); },
      patience, milliseconds(1));
}

class troubled_fault final : public fault {
 public:
   troubled_fault(trouble what, std::unique_ptr<fault> inner) : what_(what), inner_(std::move(inner)) {}

   std::string_view name() const override { return inner_->name(); }
   std::string_view description() const override { return inner_->description(); }
   std::string_view shows() const override { return inner_->shows(); }
   std::string unavailable() const override { return inner_->unavailable(); }
   deployment_options shape(deployment_options wanted) const override {
      return shape_for(what_, inner_->shape(std::move(wanted)));
   }
   bool promotes() const override { return inner_->promotes(); }
   unsigned failovers() const override { return inner_->failovers(); }
   loss may_lose() const override { return inner_->may_lose(); }
   bool past_the_sentinels() const override { return inner_->past_the_sentinels(); }
   std::optional<std::size_t> forbidden_node() const override { return inner_->forbidden_node(); }
   bool lasts_until_demoted() const override { return inner_->lasts_until_demoted(); }
   bool touches_sentinels() const override { return true; }
   toll costs() const override { return inner_->costs(); }
   clock::time_point inject(deployment& d, const std::stop_token& stop) override {
      sentinel_.emplace(what_, d, stop);
      return inner_->inject(d, stop);
   }
   void after_promotion(deployment& d, const std::stop_token& stop) override { inner_->after_promotion(d, stop); }

 private:
   trouble what_;
   std::unique_ptr<fault> inner_;
   std::optional<troubled_sentinel> sentinel_ = {};
};

}  // namespace

std::string_view to_string(trouble kind) { return of(kind).name; }

std::string_view words_of(trouble kind) { return of(kind).words; }

std::optional<trouble> trouble_named(std::string_view name) {
   for (const description& d : all)
      if (d.name == name) return d.kind;
   return std::nullopt;
}

deployment_options shape_for(trouble what, deployment_options wanted) {
   if (what == trouble::none) return wanted;
   wanted.sentinels = std::max(wanted.sentinels, 3U);
   if (what == trouble::stale && wanted.node_login.password.empty()) wanted.node_login = {.password = "lab"};
   return wanted;
}

troubled_sentinel::troubled_sentinel(trouble what, deployment& d, const std::stop_token& stop) {
   switch (what) {
      case trouble::none: break;
      case trouble::stopped: d.sentinel(0).stop(); break;
      case trouble::deaf:
         d.sentinel(0).kill();
         silence_ = std::make_unique<silent_listener>(d.sentinel(0).own_address());
         break;
      case trouble::stale: cut_off(d, stop); break;
   }
}

std::unique_ptr<fault> with_trouble(trouble what, std::unique_ptr<fault> inner) {
   if (what == trouble::none) return inner;
   return std::make_unique<troubled_fault>(what, std::move(inner));
}

}  // namespace holdfast::lab
