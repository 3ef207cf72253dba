// `holdfast`, run as a program.
#pragma once

#include "lab/await.hpp"

#include <nlohmann/json.hpp>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace holdfast::cli_test {

using words = std::vector<std::string>;

// How it is started. Of the environment only what is here and PATH is passed on.
struct surroundings {
   std::map<std::string, std::string> environment = {};
   bool terminal = false;         // stdout is one
   std::string stdout_file = {};  // else stdout goes there
   bool stdout_closed = false;
   bool output_unread = false;  // stdout and stderr are a pipe whose reader has gone
   std::string binary = {};     // another program than holdfast, e.g. redis-cli
};

class program {
 public:
   explicit program(const words& arguments, const surroundings& = {});
   ~program();
   program(const program&) = delete;
   program& operator=(const program&) = delete;

   void signal(int number) const;
   // Waits until it has said so, on stdout or stderr. False if it ended without, or if patience is spent.
   bool says(const std::string& text, std::chrono::milliseconds patience = std::chrono::seconds(10));

   // The end of it, waited for. As a shell tells it; 128 + SIGKILL if it had to be killed because it did not end in 60
   // s.
   int status();
   double took_ms() const { return took_ms_; }  // once it has ended
   std::string out();                           // what stdout got so far
   std::string err() const;
   std::size_t err_lines() const;
   nlohmann::json json() { return nlohmann::json::parse(out()); }

 private:
   bool look();
   [[noreturn]] void become(const words& arguments, const surroundings&, int terminal) const;
   std::string text_of(const char* file) const;

   std::filesystem::path folder_;
   std::string out_ = {};
   int terminal_ = -1;
   pid_t pid_ = -1;
   bool ended_ = false;
   int status_ = 0;
   lab::clock::time_point begun_ = {};
   double took_ms_ = 0;
};

}  // namespace holdfast::cli_test
