// The process that starts the servers, and that outlives its parent by a moment to clean up after it.
//
// A supervisor is forked off once for each deployment and does nothing but start, reap and end servers. When its parent
// ends, in whatever way (return, exception, Ctrl-C, SIGTERM, SIGKILL), the socket between them closes, and it ends its
// servers (also stopped ones) with all that they started, in whatever group or session, and removes the folder. Should
// the supervisor itself be killed, the kernel ends its servers (PR_SET_PDEATHSIG, which is bound to a thread: the
// supervisor has but one).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::lab {

// Any thread may call it.
class supervisor {
 public:
   // Makes a temporary folder below $TMPDIR (default /dev/shm, or /tmp where that has no room) and forks the
   // supervising process. Throws std::system_error. The folder is kept if HOLDFAST_LAB_KEEP is set.
   supervisor();
   // Ends all servers and removes the folder; returns when both are done.
   ~supervisor();
   supervisor(const supervisor&) = delete;
   supervisor& operator=(const supervisor&) = delete;

   const std::filesystem::path& folder() const { return folder_; }
   pid_t pid() const { return pid_; }

   // Starts `arguments[0]`, an absolute path, in a process group of its own; its output is appended to `log`. The pid
   // stays its own (a zombie at worst) until `reaped` has told of its end. Throws std::system_error.
   pid_t start(const std::vector<std::string>& arguments, const std::filesystem::path& log);

   // Whether that process has ended: its status as waitpid tells it. Empty while it runs (or is stopped). Once it has,
   // what is left of its process group is ended too, and is gone when this returns.
   std::optional<int> reaped(pid_t);

 private:
   int ask(const std::string& request);

   std::filesystem::path folder_;
   std::mutex asking_;
   int socket_ = -1;
   pid_t pid_ = -1;
};

}  // namespace holdfast::lab
