#include "drill/live_view.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace holdfast::drill {
namespace {

constexpr lab::milliseconds finest(40);
constexpr std::size_t columns_of_words = 68;  // what stands beside the bar

std::size_t columns_for_the_bar() {
   winsize size = {};
   const std::size_t columns = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : 80;
   return columns <= columns_of_words ? 0 : std::min<std::size_t>(columns - columns_of_words, 60);
}

}  // namespace

live_view::live_view() : moving_(::isatty(STDERR_FILENO) == 1), paint_(colours::for_descriptor(STDERR_FILENO)) {}

void live_view::begin(const std::string& fault, unsigned run, unsigned runs) {
   title_ = runs > 1 ? fmt::format("{} {}/{}", fault, run, runs) : fault;
   widest_ = columns_for_the_bar();
   cells_.clear();
   piece_ = finest;
   began_ = clock::now();
   last_ = {};
   if (!moving_) fmt::print(stderr, "drill: {}\n", title_);
}

void live_view::remember(const progress& p) {
   auto at = static_cast<std::size_t>((clock::now() - began_) / piece_);
   while (at >= widest_) {
      for (std::size_t i = 0; i < cells_.size(); i += 2) {
         cell both = cells_[i];
         if (i + 1 < cells_.size()) {
            both.acked += cells_[i + 1].acked;
            both.failed += cells_[i + 1].failed;
            both.fault = both.fault || cells_[i + 1].fault;
         }
         cells_[i / 2] = both;
      }
      cells_.resize((cells_.size() + 1) / 2);
      piece_ *= 2;
      at /= 2;
   }
   if (cells_.size() <= at) cells_.resize(at + 1);
   cells_[at].acked += p.acked - last_.acked;
   cells_[at].failed += p.failed - last_.failed;
   cells_[at].fault = cells_[at].fault || (p.since_fault_ms > 0 && last_.since_fault_ms <= 0);
   last_ = p;
}

std::string live_view::bar() const {
   std::string text;
   for (const cell& c : cells_) {
      if (c.fault)
         text += paint_(colour::red, "F");
      else if (c.failed != 0)
         text += paint_(colour::red, "x");
      else
         text += c.acked != 0 ? paint_(colour::green, "█") : paint_(colour::grey, "·");
   }
   return text;
}

void live_view::show(const progress& p) {
   if (!moving_) return;
   constexpr const char* spinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
   if (p.acked == 0) began_ = clock::now();
   if (p.acked != 0 && widest_ > 1) remember(p);
   std::string line = paint_(colour::cyan, spinner[shown_++ % std::size(spinner)]) + " " +
                      paint_(colour::bold, title_) + " " + bar() + " " + p.phase;
   if (p.since_fault_ms > 0) line += paint_(colour::red, fmt::format(" +{:.1f} s", p.since_fault_ms / 1000));
   if (p.acked != 0) line += fmt::format("  {} ok", p.acked);
   if (p.failed != 0) line += paint_(colour::red, fmt::format("  {} failed", p.failed));
   fmt::print(stderr, "\r{}\x1b[K", line);
   std::fflush(stderr);
}

void live_view::clear() {
   if (!moving_ || shown_ == 0) return;
   fmt::print(stderr, "\r\x1b[K");
   std::fflush(stderr);
}

}  // namespace holdfast::drill
