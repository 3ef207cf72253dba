#include "client/impl.hpp"

#include <holdfast/deployment.hpp>

#include <random>
#include <string>
#include <utility>

namespace holdfast {

std::uint64_t fresh_seed() {
   std::random_device entropy;
   return (std::uint64_t{entropy()} << 32) ^ entropy();
}

config checked(config c) {
   validate(c).value();
   return c;
}

error left_behind() {
   return {errc::not_supported, outcome::not_executed,
           "this process was forked: the deployment's thread is in its parent; make a new deployment"};
}

namespace {

// Empty, or the same: a client that names another place would be led astray in silence.
template <class T>
void place(const char* name, T& theirs, const T& ours) {
   if (theirs == T{}) theirs = ours;
   if (theirs == ours) return;
   throw failure(
      {errc::invalid_argument, outcome::not_executed, std::string(name) + ": not the deployment's; leave it empty"});
}

}  // namespace

deployment::body::body(config c) : settings(checked(std::move(c))) {}

config deployment::body::placed(config c) const {
   place("sentinels", c.sentinels, settings.sentinels);
   place("master", c.master, settings.master);
   place("server", c.server, settings.server);
   return c;
}

std::shared_ptr<impl::watch_thread> deployment::body::watch() {
   if (settings.sentinels.empty()) return nullptr;
   if (asked_for_.exchange(true) && !impl::is_this_process(process_)) throw failure(left_behind());
   const std::lock_guard lock(mutex_);
   if (!watch_) watch_ = impl::watch_thread::start(settings, fresh_seed());
   return watch_;
}

deployment::deployment(std::string_view uri) : deployment(config::from_uri(uri).value()) {}
deployment::deployment(config c) : body_(std::make_shared<body>(std::move(c))) {}

config placed(const deployment& d, config c) { return d.body_->placed(std::move(c)); }
std::shared_ptr<impl::watch_thread> watch_of(const deployment& d) { return d.body_->watch(); }

config deployment::settings() const {
   config c = body_->settings;
   c.observer = {};
   return c;
}

}  // namespace holdfast
