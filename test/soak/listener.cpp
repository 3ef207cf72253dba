#include "soak/listener.hpp"

#include "core/number.hpp"
#include "lab/fault.hpp"

#include <strings.h>

namespace holdfast::soak {
namespace {

using lab::milliseconds;

// The next text between quotes; `line` goes on behind it.
std::string next_quoted(std::string_view& line) {
   const std::size_t open = line.find('"');
   const std::size_t close = line.find('"', open + 1);
   if (open == std::string_view::npos || close == std::string_view::npos) return {};
   std::string text(line.substr(open + 1, close - open - 1));
   line.remove_prefix(close + 1);
   return text;
}

}  // namespace

listener::listener(lab::deployment& d, std::size_t node)
   : node_(d.node(node)), farewell_("farewell of " + node_.name()) {
   for (std::size_t i = 0; i < d.nodes(); ++i) masters_.insert(to_string(d.node(i).address()));
   thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
         try {
            listen(stop);
         } catch (const lab::control_error&) {
            lab::pass(milliseconds(2), stop);
         }
      }
   });
}

void listener::listen(const std::stop_token& stop) {
   lab::control ear = node_.connect(milliseconds(500));
   ear.run({"MONITOR"});
   while (!stop.stop_requested())
      if (const auto line = ear.told(milliseconds(20))) take_in(line->text);
}

// As in: 1339518083.107412 [0 127.0.0.1:60866] "RPUSH" "journal:3" "17", and [0 lua] where a script did it.
void listener::take_in(std::string_view line) {
   const std::size_t open = line.find("[0 ");
   const std::size_t close = line.find("] ");
   if (open == std::string_view::npos || close == std::string_view::npos) return;
   const std::string from(line.substr(open + 3, close - open - 3));
   const std::string time(line.substr(0, open - 1));
   line.remove_prefix(close);
   const std::string name = next_quoted(line);
   const std::string key = next_quoted(line);
   if (key == farewell_) farewell_heard_ = true;
   if (::strcasecmp(name.c_str(), "rpush") != 0 || key.rfind("journal:", 0) != 0 || masters_.contains(from)) return;
   const auto number = parse_number<std::uint64_t>(next_quoted(line));
   const auto seconds = parse_number<std::int64_t>(std::string_view(time).substr(0, time.find('.')));
   const auto fraction = parse_number<std::int64_t>(std::string_view(time).substr(time.find('.') + 1));
   if (number && seconds && fraction) runs_[key].push_back({*number, *seconds * 1'000'000 + *fraction});
}

std::map<std::string, std::vector<ran>> listener::conclude() {
   try {
      node_.connect(milliseconds(500)).run({"ECHO", farewell_});
      lab::became_true([this] { return farewell_heard_.load(); }, milliseconds(10'000));
   } catch (const lab::control_error&) {
      // It is gone, and has said all.
   }
   thread_.request_stop();
   thread_.join();
   return std::move(runs_);
}

}  // namespace holdfast::soak
