// The thread of a deployment: it runs the tracker of a deployment, for the clients that share it.
#pragma once

#include "engine/engine.hpp"
#include "engine/publisher.hpp"
#include "runtime/poll/loop.hpp"
#include "runtime/shared/process.hpp"
#include "runtime/shared/view_mailbox.hpp"

#include <holdfast/config.hpp>

#include <cstdint>
#include <memory>
#include <thread>

namespace holdfast::impl {

class watch_thread {
 public:
   // `c` has passed `validate`. Asks nobody before a client wants to know. Throws std::system_error if the process has
   // no descriptor or no thread left. In a forked child it is left as it is, with its descriptors: the thread is not
   // there, and may have been in the middle of something.
   static std::shared_ptr<watch_thread> start(const config& c, std::uint64_t seed);
   ~watch_thread();  // waits for no Sentinel
   watch_thread(const watch_thread&) = delete;
   watch_thread& operator=(const watch_thread&) = delete;

   view_mailbox& mailbox() { return mailbox_; }
   bool is_here() const { return is_this_process(process_); }

 private:
   watch_thread(const config& c, std::uint64_t seed);
   void run();
   bool step();

   observer observer_;
   engine engine_;  // its lane stays idle
   loop loop_;
   publisher publisher_;
   topology_requests requests_;
   view_mailbox mailbox_;
   process_number process_;
   std::thread thread_;  // uses all of the above
};

}  // namespace holdfast::impl
