// A client in the virtual world: a runtime, and the calls that its callers give it.
#pragma once

#include "sim/checkers/checkers.hpp"
#include "sim/world/runtime.hpp"

#include <holdfast/command.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace holdfast::sim {

class client : public runtime {
 public:
   using runtime::runtime;
   bool at_rest() const { return active_ == 0; }
   void freeze() override;
   void thaw() override;

 protected:
   // Terms that the commands of one list share.
   struct terms {
      time_point deadline = never;
      bool default_deadline = false;
      bool last = false;
      std::uint32_t group = 0;
   };
   struct call {
      impl::operation op;
      std::vector<command> commands;
      std::array<result<value>, 5> results;
      call_number number = 0;
      bool active = false;
      bool was_away = false;
      bool is_last = false;
      bool alone = false;       // given while all was well and nothing else was under way
      bool plans_next = false;  // of a list one does

      std::span<const result<value>> answers() const { return {results.data(), commands.size()}; }
   };

   // To be submitted. `database` is the one that a `select` names.
   call& prepare(call_kind, delivery, const terms&, unsigned database = 0);
   call* find_active(call_number);
   void cancel(call&);  // its caller no longer waits for it
   void finished(impl::operation&) override;
   virtual void ended(call&) {}  // the checkers have heard of it

   std::vector<std::unique_ptr<call>> calls_;
   unsigned active_ = 0;

 private:
   void write_commands(call&, call_kind, unsigned database) const;
   void mark_away();
};

}  // namespace holdfast::sim
