// Which process this is, told without a system call: an object that was made before a fork finds itself in the child.
//
// vfork and posix_spawn, whose children share their parent's memory until exec, don't count.
#pragma once

#include <atomic>
#include <cstdint>

namespace holdfast::impl {

// Never 0, and in a forked child another than in all processes that it descends from.
using process_number = std::uint64_t;
process_number this_process();

extern std::atomic<process_number>*
   present_number;  // set by the first `this_process`; 0 in a child that has no number yet

// `n` came from `this_process`, here or in a process that this one was forked from.
inline bool is_this_process(process_number n) { return present_number->load(std::memory_order_relaxed) == n; }

}  // namespace holdfast::impl
