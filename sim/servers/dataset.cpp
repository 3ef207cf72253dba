#include "sim/servers/dataset.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace holdfast::sim {

namespace {

constexpr std::string_view wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
constexpr std::string_view no_integer = "ERR value is not an integer or out of range";

using enum command_rule::kind;
constexpr std::array rules{
   command_rule{"GET", 2, data_read},
   command_rule{"MGET", -2, data_read},
   command_rule{"STRLEN", 2, data_read},
   command_rule{"EXISTS", -2, data_read},
   command_rule{"LLEN", 2, data_read},
   command_rule{"LRANGE", 4, data_read},
   command_rule{"SET", -3, data_write},
   command_rule{"SETNX", 3, data_write},
   command_rule{"GETSET", 3, data_write},
   command_rule{"GETDEL", 2, data_write},
   command_rule{"DEL", -2, data_write},
   command_rule{"INCR", 2, data_write},
   command_rule{"DECR", 2, data_write},
   command_rule{"INCRBY", 3, data_write},
   command_rule{"DECRBY", 3, data_write},
   command_rule{"APPEND", 3, data_write},
   command_rule{"RPUSH", -3, data_write},
   command_rule{"LPUSH", -3, data_write},
   command_rule{"LPOP", 2, data_write},
   command_rule{"RPOP", 2, data_write},
   command_rule{"PING", -1, server, false},
   command_rule{"ECHO", 2, server, true},
   command_rule{"HELLO", -1, server, true},
   command_rule{"AUTH", -2, server, true},
   command_rule{"CLIENT", -2, server, true},
   command_rule{"SELECT", 2, server, true},
   command_rule{"ROLE", 1, server, true},
   command_rule{"INFO", -1, server, true},
   command_rule{"MULTI", 1, server, true},
   command_rule{"EXEC", 1, server, true},
   command_rule{"DISCARD", 1, server, true},
   command_rule{"WAIT", 3, server, false},
   command_rule{"REPLICAOF", 3, server, false, true},
   command_rule{"SLAVEOF", 3, server, false, true},
   command_rule{"FAILOVER", -1, server, false, true},
   command_rule{"QUIT", -1, server, true},
   command_rule{"RESET", 1, server, true},
   command_rule{"BLPOP", -3, data_write, false, false, true},
   command_rule{"BRPOP", -3, data_write, false, false, true},
};

}  // namespace

const command_rule* find_rule(std::string_view name) {
   const auto found = std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return same_word(name, r.name); });
   return found == rules.end() ? nullptr : &*found;
}

void dataset::clear() {
   for (items& i : all_) i.clear();
}

dataset::item* dataset::find(std::string_view key) {
   const auto found = all_[database_].find(key);
   return found == all_[database_].end() ? nullptr : &found->second;
}

const dataset::item* dataset::look(std::string_view key, unsigned database) const {
   if (database >= all_.size()) return nullptr;
   const auto found = all_[database].find(key);
   return found == all_[database].end() ? nullptr : &found->second;
}

const std::string* dataset::text(std::string_view key, unsigned database) const {
   return std::get_if<std::string>(look(key, database));
}

const std::vector<std::string>* dataset::list(std::string_view key, unsigned database) const {
   return std::get_if<std::vector<std::string>>(look(key, database));
}

bool dataset::run(const words& w, std::string& out, unsigned database) {
   if (database >= all_.size()) all_.resize(database + 1);
   database_ = database;
   const auto is = [&](std::string_view name) { return same_word(w[0], name); };
   if (is("GET")) return get(w, false, out);
   if (is("MGET")) return get_all(w, out), false;
   if (is("SET")) return set(w, out);
   if (is("INCRBY") || is("DECRBY")) {
      const auto by = read_integer(w[2]);
      if (!by || (is("DECRBY") && *by == std::numeric_limits<long long>::min())) {
         return add_error(out, by ? "ERR decrement would overflow" : no_integer), false;
      }
      return add(w, is("DECRBY") ? -*by : *by, out);
   }
   if (is("INCR")) return add(w, 1, out);
   if (is("DECR")) return add(w, -1, out);
   if (is("RPUSH") || is("LPUSH")) return push(w, is("LPUSH"), out);
   if (is("LPOP") || is("RPOP")) return pop(w, is("LPOP"), out);
   if (is("LRANGE")) return range(w, out);
   if (is("BLPOP") || is("BRPOP")) return pop_first(w, out);
   if (is("GETDEL")) return get(w, true, out);
   if (is("DEL")) return remove(w, out);
   if (is("APPEND")) return append(w, out);
   if (is("EXISTS")) {
      long long n = 0;
      for (std::size_t i = 1; i < w.size(); ++i) n += all_[database_].contains(w[i]);
      return add_integer(out, n), false;
   }
   if (is("SETNX")) {
      const bool free = find(w[1]) == nullptr;
      if (free) all_[database_].emplace(w[1], std::string(w[2]));
      return add_integer(out, free), free;
   }
   if (is("GETSET")) {
      item* const old = find(w[1]);
      if (old != nullptr && !std::holds_alternative<std::string>(*old)) return add_error(out, wrong_type), false;
      if (old == nullptr)
         out += "$-1\r\n";
      else
         add_bulk(out, std::get<std::string>(*old));
      all_[database_].insert_or_assign(std::string(w[1]), std::string(w[2]));
      return true;
   }
   // STRLEN and LLEN
   const item* const held = find(w[1]);
   if (held == nullptr) return add_integer(out, 0), false;
   const bool wants_list = is("LLEN");
   if (std::holds_alternative<std::string>(*held) == wants_list) return add_error(out, wrong_type), false;
   const std::size_t n = wants_list ? std::get<1>(*held).size() : std::get<0>(*held).size();
   return add_integer(out, static_cast<long long>(n)), false;
}

bool dataset::get(const words& w, bool remove, std::string& out) {
   const auto found = all_[database_].find(w[1]);
   if (found == all_[database_].end()) return out += "$-1\r\n", false;
   const auto* const text = std::get_if<std::string>(&found->second);
   if (text == nullptr) return add_error(out, wrong_type), false;
   add_bulk(out, *text);
   if (remove) all_[database_].erase(found);
   return remove;
}

void dataset::get_all(const words& w, std::string& out) {
   add_array(out, w.size() - 1);
   for (std::size_t i = 1; i < w.size(); ++i) {
      const item* const held = find(w[i]);
      const auto* const text = std::get_if<std::string>(held);
      if (text == nullptr)
         out += "$-1\r\n";
      else
         add_bulk(out, *text);
   }
}

bool dataset::set(const words& w, std::string& out) {
   bool only_new = false;
   bool only_old = false;
   bool give_old = false;
   for (std::size_t i = 3; i < w.size(); ++i) {
      if (same_word(w[i], "NX"))
         only_new = true;
      else if (same_word(w[i], "XX"))
         only_old = true;
      else if (same_word(w[i], "GET"))
         give_old = true;
      else
         return add_error(out, "ERR syntax error"), false;
   }
   if (only_new && only_old) return add_error(out, "ERR syntax error"), false;
   item* const old = find(w[1]);
   if (give_old && old != nullptr && !std::holds_alternative<std::string>(*old))
      return add_error(out, wrong_type), false;
   const bool done = !(only_new && old != nullptr) && !(only_old && old == nullptr);
   if (give_old && old != nullptr)
      add_bulk(out, std::get<std::string>(*old));
   else if (give_old || !done)
      out += "$-1\r\n";
   else
      add_status(out, "OK");
   if (done) all_[database_].insert_or_assign(std::string(w[1]), std::string(w[2]));
   return done;
}

bool dataset::add(const words& w, long long by, std::string& out) {
   item* const held = find(w[1]);
   if (held != nullptr && !std::holds_alternative<std::string>(*held)) return add_error(out, wrong_type), false;
   long long sum = 0;
   if (held != nullptr) {
      const auto before = read_integer(std::get<std::string>(*held));
      if (!before) return add_error(out, no_integer), false;
      sum = *before;
   }
   if (__builtin_add_overflow(sum, by, &sum)) return add_error(out, "ERR increment or decrement would overflow"), false;
   if (held != nullptr)
      *held = std::to_string(sum);
   else
      all_[database_].emplace(w[1], std::to_string(sum));
   return add_integer(out, sum), true;
}

bool dataset::append(const words& w, std::string& out) {
   item& held = all_[database_].try_emplace(std::string(w[1]), std::string()).first->second;
   auto* const text = std::get_if<std::string>(&held);
   if (text == nullptr) return add_error(out, wrong_type), false;
   *text += w[2];
   return add_integer(out, static_cast<long long>(text->size())), true;
}

bool dataset::push(const words& w, bool left, std::string& out) {
   item* held = find(w[1]);
   if (held == nullptr) held = &all_[database_].emplace(w[1], std::vector<std::string>()).first->second;
   auto* const list = std::get_if<std::vector<std::string>>(held);
   if (list == nullptr) return add_error(out, wrong_type), false;
   for (std::size_t i = 2; i < w.size(); ++i) list->emplace(left ? list->begin() : list->end(), w[i]);
   return add_integer(out, static_cast<long long>(list->size())), true;
}

bool dataset::pop(const words& w, bool left, std::string& out) {
   item* const held = find(w[1]);
   if (held == nullptr) return out += "$-1\r\n", false;
   auto* const list = std::get_if<std::vector<std::string>>(held);
   if (list == nullptr) return add_error(out, wrong_type), false;
   const auto at = left ? list->begin() : list->end() - 1;
   add_bulk(out, *at);
   list->erase(at);
   if (list->empty()) all_[database_].erase(all_[database_].find(w[1]));
   return true;
}

bool dataset::pop_first(const words& w, std::string& out) {
   for (std::size_t i = 1; i + 1 < w.size(); ++i) {
      item* const held = find(w[i]);
      if (held == nullptr) continue;
      if (!std::holds_alternative<std::vector<std::string>>(*held)) return add_error(out, wrong_type), false;
      add_array(out, 2);
      add_bulk(out, w[i]);
      return pop({w[0], w[i]}, same_word(w[0], "BLPOP"), out);
   }
   return false;
}

bool dataset::range(const words& w, std::string& out) {
   const auto from = read_integer(w[2]);
   const auto to = read_integer(w[3]);
   if (!from || !to) return add_error(out, no_integer), false;
   item* const held = find(w[1]);
   if (held == nullptr) return add_array(out, 0), false;
   auto* const list = std::get_if<std::vector<std::string>>(held);
   if (list == nullptr) return add_error(out, wrong_type), false;
   const auto n = static_cast<long long>(list->size());
   const long long first = std::max(0LL, *from < 0 ? *from + n : *from);
   const long long last = std::min(n - 1, *to < 0 ? *to + n : *to);
   add_array(out, static_cast<std::size_t>(std::max(0LL, last - first + 1)));
   for (long long i = first; i <= last; ++i) add_bulk(out, (*list)[static_cast<std::size_t>(i)]);
   return false;
}

bool dataset::remove(const words& w, std::string& out) {
   long long n = 0;
   for (std::size_t i = 1; i < w.size(); ++i) {
      const auto found = all_[database_].find(w[i]);
      if (found == all_[database_].end()) continue;
      all_[database_].erase(found);
      ++n;
   }
   return add_integer(out, n), n != 0;
}

}  // namespace holdfast::sim
