// What a server holds, and what its commands do to it: strings, counters and lists.
#pragma once

#include "sim/servers/wire.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace holdfast::sim {

class dataset {
 public:
   static constexpr unsigned databases = 16;

   // Runs a command of `data_commands` with the right number of arguments, in that database, and appends its reply to
   // `out`. Whether it changed anything, and so is replicated. What has to wait for something appends nothing.
   bool run(const words& command, std::string& out, unsigned database = 0);

   void clear();
   const std::string* text(std::string_view key, unsigned database = 0) const;
   const std::vector<std::string>* list(std::string_view key, unsigned database = 0) const;

 private:
   using item = std::variant<std::string, std::vector<std::string>>;
   struct hash {
      using is_transparent = void;
      std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
   };

   item* find(std::string_view key);
   void get_all(const words&, std::string& out);
   bool set(const words&, std::string& out);
   bool add(const words&, long long by, std::string& out);
   bool append(const words&, std::string& out);
   bool push(const words&, bool left, std::string& out);
   bool pop(const words&, bool left, std::string& out);
   bool range(const words&, std::string& out);
   bool pop_first(const words&, std::string& out);
   bool get(const words&, bool remove, std::string& out);
   bool remove(const words&, std::string& out);

   using items = std::unordered_map<std::string, item, hash, std::equal_to<>>;
   const item* look(std::string_view key, unsigned database) const;

   std::vector<items> all_ = std::vector<items>(1);  // by database, as far as any was used
   unsigned database_ = 0;                           // in which a command runs now
};

// What is known of a command before it is run.
struct command_rule {
   std::string_view name;  // in capitals
   int arity;              // as Redis counts: with the name; negative: at least
   enum class kind : unsigned char { data_read, data_write, server } is;
   bool while_loading = false;
   bool while_stale = while_loading;  // by a replica without its master that serves nothing stale
   bool blocks = false;               // until there is something to answer
};
const command_rule* find_rule(std::string_view name);

}  // namespace holdfast::sim
