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

}  // namespace

std::string_view to_string(trouble kind) { return of(kind).name; }

std::string_view words_of(trouble kind) { return of(kind).words; }

std::optional<trouble> trouble_named(std::string_view name) {
   for (const description& d : all)
      if (d.name == name) return d.kind;
   return std::nullopt;
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

fault with_trouble(trouble what, fault f) {
   if (what == trouble::none) return f;
   f.needs.sentinels = std::max(f.needs.sentinels, 3U);  // others must be left to fail over
   if (what == trouble::stale && f.needs.password.empty()) f.needs.password = "lab";
   f.touches_sentinels = true;
   f.inject = [what, inject = std::move(f.inject), sentinel = std::make_shared<std::optional<troubled_sentinel>>()](
                 deployment& d, const std::stop_token& stop) {
      sentinel->emplace(what, d, stop);
      return inject(d, stop);
   };
   return f;
}

}  // namespace holdfast::lab
