// One real redis-server process, as a data node or as a Sentinel.
#pragma once

#include "lab/control.hpp"
#include "lab/port.hpp"
#include "lab/supervisor.hpp"

#include <holdfast/endpoint.hpp>

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::lab {

// Where redis-server is: $HOLDFAST_REDIS_SERVER, or the first of $PATH. Throws std::runtime_error that says what to do.
std::filesystem::path redis_server_program();

class server {
 public:
   enum class kind { node, sentinel };

   // Not started yet. Its folder is `name` below the supervisor's.
   server(supervisor&, std::string name, kind, credentials);

   // Writes the configuration; call it before the first start. The port and the folder are added.
   void configure(std::vector<std::string> lines);
   // As the world shall know it, where that differs from `own_address` (a proxy stands in front).
   void announce(const endpoint& where) { announced_ = where; }

   // Starts the process. It may not listen yet: see await_pong. After an end of it, starts it again: the same port, the
   // same configuration as the server has rewritten it, the same data.
   void start();
   // Waits until it answers PING. Throws, with the end of its log, if it ended or if patience is spent.
   void await_pong(milliseconds patience = milliseconds(5000));
   bool running();

   void kill();    // SIGKILL; returns when the process is gone
   void stop();    // SIGSTOP; returns when the process is stopped
   void resume();  // SIGCONT
   // Waits for an end of its own (after SHUTDOWN). False if it still runs when patience is spent.
   bool ended(milliseconds patience);

   control connect(milliseconds timeout = milliseconds(2000)) const { return control(own_address(), who_, timeout); }

   const std::string& name() const { return name_; }
   pid_t pid() const { return pid_; }
   endpoint own_address() const { return {"127.0.0.1", port_.number()}; }
   endpoint address() const { return announced_.empty() ? own_address() : announced_; }
   std::filesystem::path log() const { return folder_ / "log"; }
   // The last lines of its log.
   std::string log_end(std::size_t lines = 25) const;

 private:
   void signal(int number);
   char state() const;  // as the kernel names it

   supervisor* supervisor_;
   std::string name_;
   kind kind_;
   credentials who_;
   std::filesystem::path folder_;
   reserved_port port_;
   endpoint announced_ = {};
   pid_t pid_ = 0;
};

}  // namespace holdfast::lab
