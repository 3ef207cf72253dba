#include "lane/dial_pauses.hpp"

namespace holdfast::impl {
namespace {

backoff when_refused() {
   using namespace std::chrono_literals;
   return exponential_backoff({.base = 500ms, .factor = 2, .cap = 5s, .jitter = jitter::equal});
}

}  // namespace

dial_pauses::dial_pauses(const backoff& b, duration failover_cap, duration spread, std::uint64_t seed)
   : random_(seed), pauses_(b), refusals_(when_refused()), failover_cap_(failover_cap), spread_(spread) {}

duration dial_pauses::next(bool failover_in_progress) {
   const duration d = pauses_.next(random_);
   // Drawn anew rather than cut, so that the jitter survives the cap.
   return failover_in_progress && d > failover_cap_ ? random_.between({}, failover_cap_) : d;
}

void dial_pauses::on_master_changed() {
   spread_done_ = spread_ <= duration::zero();
   refusing_since_ = {};
   pauses_.reset();
   refusals_.reset();
}

bool dial_pauses::refusal_lasts(time_point now) {
   constexpr duration patience = std::chrono::seconds(10);
   if (refusing_since_ == time_point{} || now - last_refusal_ > patience) refusing_since_ = now;
   last_refusal_ = now;
   return now - refusing_since_ >= patience;
}

}  // namespace holdfast::impl
