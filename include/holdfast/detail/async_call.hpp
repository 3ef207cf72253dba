// Operations of async_client, from the call to the handler. Each is one object, allocated by its handler's associated
// allocator, which owns all that it needs: the command, its place in the engine, the result, the handler.
#pragma once

#include <holdfast/command.hpp>
#include <holdfast/delivery.hpp>
#include <holdfast/detail/reply_reader.hpp>
#include <holdfast/error.hpp>
#include <holdfast/result.hpp>
#include <holdfast/stats.hpp>
#include <holdfast/time.hpp>
#include <holdfast/value.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

// Options of a single call of async_client. An option that is unset follows the client's configuration.
// Trivially destructible: g++ 12 destroys an aggregate in a co_await expression twice. To stop a call there is Asio's
// cancellation.
struct async_options {
   // From the call to its end, everything included; more than zero. A failover that takes longer ends the command.
   // Given here it is exact: unlike the default, a blocking command's own timeout (BLPOP ... 30) is not added to it.
   // Longer than a `duration` can be (292 years): never.
   std::optional<time_span> deadline = {};
   std::optional<holdfast::delivery> delivery = {};
   // As call_options::acks.
   unsigned acks = 0;
};
static_assert(std::is_trivially_destructible_v<async_options>);

namespace impl {

class async_core;
class async_cancel;

// Of the core: a client has one, and so has whatever may still reach it.
class async_core_ref {
 public:
   async_core_ref() = default;
   explicit async_core_ref(async_core& taken_over) noexcept : to_(&taken_over) {}
   async_core_ref(const async_core_ref&) noexcept;
   async_core_ref(async_core_ref&& other) noexcept : to_(std::exchange(other.to_, nullptr)) {}
   async_core_ref& operator=(async_core_ref other) noexcept {
      std::swap(to_, other.to_);
      return *this;
   }
   ~async_core_ref() {
      if (to_ != nullptr) release();
   }
   async_core& operator*() const noexcept { return *to_; }
   explicit operator bool() const noexcept { return to_ != nullptr; }

   const boost::asio::any_io_executor& executor() const noexcept;

 private:
   void release() noexcept;

   async_core* to_ = nullptr;
};

class async_call {
 public:
   enum class kind : std::uint8_t {
      command,
      list,
      close,
      cancel_all,  // of the core itself, as is the next
      leave,       // the client is destroyed
   };
   async_call(const async_call&) = delete;
   async_call& operator=(const async_call&) = delete;

   // Ends the object and frees its memory, and then calls the handler: at once where that belongs to the client's
   // executor, which runs this.
   virtual void complete() = 0;
   // The same without calling the handler.
   virtual void drop() noexcept = 0;
   virtual void fail(const error&) = 0;  // as what it completes with

   async_call* next = nullptr;
   async_call* next_cancelled = nullptr;
   async_cancel* canceller = nullptr;
   const kind what;
   bool has_canceller = false;
   bool begun = false;         // taken in by the core
   bool ended = false;         // it is the core's no more, and will complete
   bool cancelled = false;     // listed as such
   bool even_if_sent = false;  // and to be ended whatever became of it

 protected:
   explicit async_call(kind k) noexcept : what(k) {}
   ~async_call() = default;
};

// One command. Its reply is read to `reader`, where that is set.
class async_command : public async_call {
 public:
   void fail(const error& e) final { reply = e; }

   const command asked;
   const async_options options;
   time_point given = {};
   result<value> reply = {};
   reply_reader reader = {};

   // Room for the engine's view of it.
   static constexpr std::size_t place_size = 512;
   alignas(std::max_align_t) std::byte place[place_size];

 protected:
   async_command(command&& c, const async_options& o) : async_call(kind::command), asked(std::move(c)), options(o) {}
   ~async_command() = default;
};

template <class T>
class async_command_to : public async_command {
 public:
   using completion = result<T>;

   async_command_to(command&& c, const async_options& o) : async_command(std::move(c), o) {
      reader = reader_to(read_);  // what a `from_value` throws has no way to the caller but as an error
   }
   completion take() {
      if (!reply) return std::move(reply).error();
      return std::move(read_);
   }

 protected:
   ~async_command_to() = default;

 private:
   result<T> read_ = {};
};

template <>
class async_command_to<value> : public async_command {
 public:
   using completion = result<value>;

   async_command_to(command&& c, const async_options& o) : async_command(std::move(c), o) {}
   completion take() { return std::move(reply); }

 protected:
   ~async_command_to() = default;
};

class async_list_call;

// A list of commands, with a result each.
class async_list : public async_call {
 public:
   void fail(const error& e) final {
      for (std::size_t i = 0; i < asked.size(); ++i) places.fail(i, error(e));
   }

   const std::vector<command> asked;
   const async_options options;
   time_point given = {};
   list_places places = {};
   async_list_call* under_way = nullptr;  // the core's

 protected:
   async_list(std::vector<command>&& c, const async_options& o)
      : async_call(kind::list), asked(std::move(c)), options(o) {}
   ~async_list() = default;
};

template <class T>
class async_list_to : public async_list {
 public:
   using completion = std::vector<result<T>>;

   async_list_to(std::vector<command>&& c, const async_options& o)
      : async_list(std::move(c), o), replies_(asked.size()) {
      if constexpr (std::is_same_v<T, value>) {
         places.values = replies_.data();
      } else {
         places.step = sizeof(result<T>);
         if (!replies_.empty()) places.first = reader_to(replies_.front());
      }
   }
   completion take() { return std::move(replies_); }

 protected:
   ~async_list_to() = default;

 private:
   std::vector<result<T>> replies_;
};

// The end of all that was given before.
class async_close : public async_call {
 public:
   using completion = void;

   async_close() noexcept : async_call(kind::close) {}
   void fail(const error&) final {}

 protected:
   ~async_close() = default;
};

// In the cancellation slot of a handler.
class async_cancel {
 public:
   async_cancel(const async_core_ref& core, async_call& call) noexcept : core_(core), call_(&call) {
      call.canceller = this;
      call.has_canceller = true;
   }
   ~async_cancel();
   async_cancel(const async_cancel&) = delete;
   async_cancel& operator=(const async_cancel&) = delete;

   void operator()(boost::asio::cancellation_type type) noexcept;

 private:
   friend class async_core;
   async_core_ref core_;
   async_call* call_;  // null: it has ended
};

// Into the core, from any thread; it calls `complete` or `drop` once.
void submit(const async_core_ref&, async_call&) noexcept;
void cancel_all(const async_core_ref&);
stats stats_of(const async_core_ref&);
void leave(const async_core_ref&) noexcept;

// Memory for operations whose handlers leave it to us: each thread keeps some.
void* take_block(std::size_t size);
void give_block(void* block, std::size_t size) noexcept;

template <class T>
inline constexpr bool is_std_allocator = false;
template <class T>
inline constexpr bool is_std_allocator<std::allocator<T>> = true;

template <class Handler>
class call_memory {
 public:
   using allocator = boost::asio::associated_allocator_t<Handler>;

   static void* take(std::size_t size, const Handler& h) {
      if constexpr (is_std_allocator<allocator>) {
         return take_block(size);
      } else {
         bytes from(boost::asio::get_associated_allocator(h));
         return std::allocator_traits<bytes>::allocate(from, units(size));
      }
   }
   static void give(void* block, std::size_t size, const Handler& h) noexcept {
      if constexpr (is_std_allocator<allocator>) {
         give_block(block, size);
      } else {
         bytes to(boost::asio::get_associated_allocator(h));
         std::allocator_traits<bytes>::deallocate(to, static_cast<unit*>(block), units(size));
      }
   }

 private:
   struct unit {
      alignas(std::max_align_t) std::byte bytes[sizeof(std::max_align_t)];
   };
   using bytes = typename std::allocator_traits<allocator>::template rebind_alloc<unit>;
   static std::size_t units(std::size_t size) { return (size + sizeof(unit) - 1) / sizeof(unit); }
};

// A handler with what it is to be called with, on its way to an executor of its own.
template <class Handler, class Completion>
struct bound_handler {
   using allocator_type = boost::asio::associated_allocator_t<Handler>;
   allocator_type get_allocator() const noexcept { return boost::asio::get_associated_allocator(handler); }
   void operator()() { std::move(handler)(std::move(completion)); }

   Handler handler;
   Completion completion;
};
template <class Handler>
struct bound_handler<Handler, void> {
   using allocator_type = boost::asio::associated_allocator_t<Handler>;
   allocator_type get_allocator() const noexcept { return boost::asio::get_associated_allocator(handler); }
   void operator()() { std::move(handler)(); }

   Handler handler;
};

// The executor of a handler that has one of its own, kept from running out of work. Empty: the client's.
template <class Handler>
class handler_executor {
 public:
   using executor = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;
   using tracked = std::decay_t<decltype(boost::asio::prefer(std::declval<const executor&>(),
                                                             boost::asio::execution::outstanding_work.tracked))>;

   handler_executor(const Handler& h, const boost::asio::any_io_executor& ours) {
      if constexpr (!has_none) {
         const auto& theirs = boost::asio::get_associated_executor(h, ours);
         if (!is_same(theirs, ours))
            work_.emplace(boost::asio::prefer(theirs, boost::asio::execution::outstanding_work.tracked));
      }
   }
   bool is_empty() const { return !work_; }
   const tracked& operator*() const { return *work_; }

 private:
   // As Asio says of handlers for which nobody has specialised `associated_executor`.
   static constexpr bool has_none = requires {
      typename boost::asio::associated_executor<
         Handler, boost::asio::any_io_executor>::asio_associated_executor_is_unspecialised;
   };

   template <class Executor>
   static bool is_same(const Executor& theirs, const boost::asio::any_io_executor& ours) {
      if constexpr (std::is_same_v<Executor, boost::asio::any_io_executor>)
         return theirs == ours;
      else if constexpr (std::is_constructible_v<boost::asio::any_io_executor, const Executor&>)
         return boost::asio::any_io_executor(theirs) == ours;
      else
         return false;
   }

   std::optional<tracked> work_;
};

template <class Call, class Handler>
class async_call_of final : public Call {
 public:
   template <class... Args>
   static void start(const async_core_ref& core, Handler&& handler, Args&&... args) {
      void* const block = memory::take(sizeof(async_call_of), handler);
      async_call_of* made = nullptr;
      try {
         made = ::new (block) async_call_of(core, handler, std::forward<Args>(args)...);
      } catch (...) {
         memory::give(block, sizeof(async_call_of), handler);
         throw;
      }
      submit(core, *made);
   }

   void complete() override {
      using completion_type = typename Call::completion;
      Handler handler(std::move(handler_));
      const handler_executor<Handler> executor(std::move(executor_));
      if constexpr (std::is_void_v<completion_type>) {
         free(handler);
         if (executor.is_empty()) return std::move(handler)();
         boost::asio::dispatch(*executor, bound_handler<Handler, void>{std::move(handler)});
      } else {
         completion_type answer(this->take());
         free(handler);
         if (executor.is_empty()) return std::move(handler)(std::move(answer));
         boost::asio::dispatch(*executor,
                               bound_handler<Handler, completion_type>{std::move(handler), std::move(answer)});
      }
   }
   void drop() noexcept override {
      const Handler handler(std::move(handler_));
      free(handler);
   }

 private:
   using memory = call_memory<Handler>;

   template <class... Args>
   async_call_of(const async_core_ref& core, Handler& handler, Args&&... args)
      : Call(std::forward<Args>(args)...), executor_(handler, core.executor()), handler_(std::move(handler)) {
      auto slot = boost::asio::get_associated_cancellation_slot(handler_);
      if (slot.is_connected()) slot.template emplace<async_cancel>(core, *this);
   }
   ~async_call_of() = default;

   void free(const Handler& handler) noexcept {
      this->~async_call_of();
      memory::give(static_cast<void*>(this), sizeof(async_call_of), handler);
   }

   handler_executor<Handler> executor_;
   Handler handler_;
};

}  // namespace impl
}  // namespace holdfast
