// Guides a lane by the latest snapshot of a watch elsewhere, and passes on what the lane wishes.
#pragma once

#include "engine/shared_watch.hpp"
#include "engine/snapshot.hpp"
#include "lane/guide.hpp"

#include <memory>
#include <utility>

namespace holdfast::engine {

class snapshot_guide final : public lane::guide {
 public:
   explicit snapshot_guide(shared_watch& w) : watch_(w) {}

   void heard(std::shared_ptr<const snapshot> s) {
      said_ = std::move(s);
      const time_point t = said_->hold_writes_until;
      over_at_ = t == time_point::min() ? never : t;
   }
   // What the snapshot says changes then by itself, as it says until when.
   time_point next_deadline() const { return over_at_; }
   bool tick(time_point now) { return now >= over_at_ && std::exchange(over_at_, never) != never; }
   std::optional<duration> down_after() const { return said_->down_after; }

   round ask(time_point) override { return watch_.ask(); }
   bool answered(round r) const override { return r <= said_->finished; }
   std::optional<lane::named_node> target() const override { return said_->target; }
   std::optional<lane::trouble> why_none() const override { return said_->why_none; }
   std::string objection() const override { return said_->objection; }
   bool roles_matter() const override { return said_->roles_matter; }
   bool in_doubt() const override { return said_->in_doubt; }
   time_point hold_writes_until() const override { return said_->hold_writes_until; }
   bool failover_in_progress() const override { return said_->failover_in_progress; }
   bool objectively_down() const override { return said_->objectively_down; }
   void role_verified(const endpoint& e, std::uint64_t epoch, time_point) override { watch_.role_verified(e, epoch); }
   void role_refused(const endpoint& e, std::string_view role, time_point) override {
      watch_.role_refused(e, said_->target ? said_->target->generation : 0, role);
   }
   void need(bool commands_wait, time_point) override { watch_.need(commands_wait); }

 private:
   shared_watch& watch_;
   std::shared_ptr<const snapshot> said_ = std::make_shared<const snapshot>();
   time_point over_at_ = never;
};

}  // namespace holdfast::engine
