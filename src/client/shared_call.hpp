// A call of a shared_client. It lies in the frame of its caller, who waits for it; the client's thread works on it.
#pragma once

#include "client/list_call.hpp"
#include "engine/engine.hpp"
#include "lane/operation.hpp"
#include "runtime/shared/call_mailbox.hpp"
#include "runtime/shared/countdown.hpp"

#include <holdfast/command.hpp>
#include <holdfast/detail/reply_reader.hpp>
#include <holdfast/error.hpp>
#include <holdfast/result.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::impl {

class shared_call;

// A letter to the client's thread: to begin a call, or to cancel it.
struct request : letter {
   explicit request(shared_call& of) : call(of) {}
   shared_call& call;
   bool cancels = false;
};

class shared_call {
 public:
   shared_call(const call_terms& t, bool waits_for_room) : terms_(t), waits_for_room_(waits_for_room) {}
   shared_call(const shared_call&) = delete;
   shared_call& operator=(const shared_call&) = delete;
   virtual ~shared_call() = default;

   // ---- for the caller ----
   void post_to(call_mailbox&);
   void cancel_by(call_mailbox&);  // at most once; by any thread, while the caller has not returned from `wait`
   void wait() { open_.wait(); }   // until the thread has done with all that was posted

   // ---- for the client's thread ----
   virtual void begin(engine&, std::uint64_t group, time_point now) = 0;
   virtual void took(engine&, operation&, time_point now) = 0;  // one of its operations has ended
   virtual void cancel(engine&, time_point now) = 0;
   virtual void refuse(engine&, const error&, time_point now) = 0;  // instead of `begin`
   virtual bool is_over() const = 0;
   virtual std::size_t first_bytes() const = 0;  // that must have room for it to begin
   void read(const request&) { open_.done(); }
   bool waits_for_room() const { return waits_for_room_; }
   const call_terms& terms() const { return terms_; }

 protected:
   call_terms& terms() { return terms_; }
   void finish() { open_.done(); }

 private:
   call_terms terms_;
   const bool waits_for_room_;
   request begins_{*this};
   request cancels_{*this};
   countdown open_;  // letters that are not read, and the call itself
};

class shared_single final : public shared_call {
 public:
   shared_single(const command&, result<value>& reply, const reply_reader&, const call_terms&, bool waits_for_room);

   void begin(engine&, std::uint64_t group, time_point now) override;
   void took(engine&, operation&, time_point) override { finish(); }
   void cancel(engine& e, time_point now) override { e.cancel(op_, now); }
   void refuse(engine&, const error& why, time_point now) override;
   bool is_over() const override { return op_.done; }
   std::size_t first_bytes() const override { return op_.commands.front().bytes().size(); }

 private:
   operation op_;
};

class shared_list final : public shared_call {
 public:
   shared_list(std::span<const command>, const list_places&, const call_terms&, std::size_t window);

   void begin(engine&, std::uint64_t group, time_point now) override;
   void took(engine&, operation&, time_point now) override;
   void cancel(engine&, time_point now) override;
   void refuse(engine&, const error& why, time_point now) override;
   bool is_over() const override { return is_over_; }
   std::size_t first_bytes() const override { return 0; }

 private:
   void go_on(engine&, time_point now);

   const std::span<const command> commands_;
   const list_places places_;
   std::vector<list_operation> window_;
   std::optional<list_call> list_;
   bool is_over_ = false;
};

// Asks where the lane's connection leads, and touches nothing.
class shared_look final : public shared_call {
 public:
   shared_look() : shared_call({}, false) {}

   void begin(engine&, std::uint64_t group, time_point now) override;
   void took(engine&, operation&, time_point) override {}
   void cancel(engine&, time_point) override {}
   void refuse(engine&, const error&, time_point) override { end(); }
   bool is_over() const override { return is_over_; }
   std::size_t first_bytes() const override { return 0; }

   endpoint where = {};
   bool is_ready = false;
   duration default_deadline = {};

 private:
   void end() {
      is_over_ = true;
      finish();
   }
   bool is_over_ = false;
};

}  // namespace holdfast::impl
