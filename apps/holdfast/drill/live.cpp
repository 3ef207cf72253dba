#include "drill/live.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace holdfast::drill {

live::live() : moving_(::isatty(STDERR_FILENO) == 1), paint_(paint::for_descriptor(STDERR_FILENO)) {}

void live::begin(const std::string& fault, unsigned run, unsigned runs) {
   title_ = runs > 1 ? fmt::format("{} {}/{}", fault, run, runs) : fault;
   if (!moving_) fmt::print(stderr, "drill: {}\n", title_);
}

void live::show(const progress& p) {
   if (!moving_) return;
   constexpr const char* spinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
   std::string line = paint_(colour::cyan, spinner[shown_++ % std::size(spinner)]) + " " +
                      paint_(colour::bold, title_) + "  " + p.phase;
   if (p.since_fault_ms > 0) line += paint_(colour::red, fmt::format("  +{:.2f} s", p.since_fault_ms / 1000));
   if (p.acked != 0) line += fmt::format("  {} acknowledged", p.acked);
   if (p.failed != 0) line += paint_(colour::red, fmt::format("  {} failed", p.failed));
   fmt::print(stderr, "\r{}\x1b[K", line);
   std::fflush(stderr);
}

void live::clear() {
   if (!moving_ || shown_ == 0) return;
   fmt::print(stderr, "\r\x1b[K");
   std::fflush(stderr);
}

}  // namespace holdfast::drill
