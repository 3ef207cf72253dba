#include "drill/old_master_monitor.hpp"

#include "drill/read_survivors.hpp"

#include <strings.h>

#include <condition_variable>

namespace holdfast::drill {
namespace {

using lab::milliseconds;

constexpr milliseconds patience_for_one_answer(200);
constexpr milliseconds patience_at_the_end(1000);
constexpr milliseconds look_again(5);
// What was said in between is taken in at once: to be woken by each write would disturb what is measured.
constexpr milliseconds between_hearings(20);

void wait(const std::stop_token& stop, milliseconds time) {
   std::mutex guard;
   std::condition_variable_any wake;
   std::unique_lock lock(guard);
   wake.wait_for(lock, stop, time, [] { return false; });
}

// The words of a command between quotes. Those of a numbered write contain none.
std::vector<std::string> quoted_words(std::string_view text) {
   std::vector<std::string> words;
   for (std::size_t at = 0; (at = text.find('"', at)) != std::string_view::npos;) {
      const std::size_t end = text.find('"', at + 1);
      if (end == std::string_view::npos) break;
      words.emplace_back(text.substr(at + 1, end - at - 1));
      at = end + 1;
   }
   return words;
}

bool same_word(const std::string& a, const char* b) { return ::strcasecmp(a.c_str(), b) == 0; }

}  // namespace

// As in: 1339518083.107412 [0 127.0.0.1:60866] "RPUSH" "drill:list" "17"
std::optional<overheard> overheard_in(std::string_view line) {
   const std::size_t open = line.find('[');
   const std::size_t space = line.find(' ', open);
   const std::size_t close = line.find(']', open);
   if (open == std::string_view::npos || space > close || close == std::string_view::npos) return std::nullopt;
   const auto words = quoted_words(line.substr(close));
   if (words.size() < 3) return std::nullopt;
   overheard heard = {.from = std::string(line.substr(space + 1, close - space - 1))};
   const auto number = number_in(words[2]);
   if (!number) return std::nullopt;
   heard.what.number = *number;
   if (same_word(words[0], "rpush") && words[1] == "drill:list") {
      heard.what.kind = write_kind::rpush;
   } else if (same_word(words[0], "set") && words[1] == "drill:" + words[2]) {
      heard.what.kind = write_kind::set;
   } else {
      return std::nullopt;
   }
   return heard;
}

old_master_monitor::old_master_monitor(lab::deployment& d, std::size_t node) : node_(d.node(node)) {
   for (std::size_t i = 0; i < d.nodes(); ++i)
      for (const endpoint& where : {d.node(i).address(), d.node(i).own_address()}) nodes_.insert(to_string(where));
   farewell_ = "farewell of " + std::to_string(clock::now().time_since_epoch().count());
   thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
   lab::await(node_.name() + " is watched", [this] { return watching_.load(); }, milliseconds(5000), milliseconds(1));
}

std::vector<sighting> old_master_monitor::conclude() {
   thread_.request_stop();
   if (thread_.joinable()) thread_.join();
   return {seen_.begin(), seen_.end()};
}

void old_master_monitor::watch(const std::stop_token& stop) {
   for (bool last = false; !last;) {
      last = stop.stop_requested();
      try {
         return listen(stop);
      } catch (const lab::control_error&) {
         wait(stop, look_again);  // it is gone, or has ended our connection
      }
   }
}

// Until `stop` is asked for.
void old_master_monitor::listen(const std::stop_token& stop) {
   lab::control ear = node_.connect(patience_for_one_answer);
   ear.run({"MONITOR"});
   look();
   watching_ = true;
   while (!stop.stop_requested()) {
      while (take_in(ear)) {
      }
      wait(stop, between_hearings);
   }
   hear_out(ear);
}

void old_master_monitor::hear_out(lab::control& ear) {
   node_.connect(patience_for_one_answer).run({"ECHO", farewell_});
   lab::became_true(
      [&] {
         while (take_in(ear)) {
         }
         return last_words_heard_;
      },
      patience_at_the_end, milliseconds(1));
   look();
}

// Whether there was something; takes it in.
bool old_master_monitor::take_in(lab::control& ear) {
   const auto line = ear.told(milliseconds(0));
   if (!line) return false;
   if (line->text.find(farewell_) != std::string::npos) last_words_heard_ = true;
   const auto heard = overheard_in(line->text);
   if (heard && !nodes_.contains(heard->from)) seen_.insert(heard->what);
   return true;
}

// What a master holds it has been given, or it had it from the master before it.
void old_master_monitor::look() {
   const auto replies =
      node_.connect(patience_for_one_answer)
         .run_all({{"MULTI"}, {"ROLE"}, {"LRANGE", "drill:list", "0", "-1"}, {"KEYS", "drill:*"}, {"EXEC"}})
         .back()
         .elements;
   const bool master = replies.at(0).elements.at(0).text == "master";
   if (was_master_ && !master) demoted_ = true;
   was_master_ = was_master_ || master;
   if (!master) return;
   for (const lab::reply& pushed : replies.at(1).elements)
      if (const auto number = number_in(pushed.text)) seen_.insert({write_kind::rpush, *number});
   for (const lab::reply& key : replies.at(2).elements)
      if (const auto number = number_in(key.text.substr(std::string_view("drill:").size())))
         seen_.insert({write_kind::set, *number});
}

}  // namespace holdfast::drill
