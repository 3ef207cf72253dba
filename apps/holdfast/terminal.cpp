#include "terminal.hpp"

#include <holdfast/detail/error_text.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

namespace holdfast::cli {

void stand_in_for_closed_streams() {
   for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
      // The lowest free number is the one that is missing.
      if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
   }
}

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

bool print(std::string_view text) {
   errno = 0;
   const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
   if (whole && std::fflush(stdout) == 0) return true;
   complain("cannot write to stdout: " + std::system_category().message(errno));
   return false;
}

void complain(std::string_view text) {
   std::string line = "holdfast: ";
   impl::append_printable(line, text);
   line += '\n';
   std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace holdfast::cli
