#include "bench/wholes/workload.hpp"

#include <stdexcept>

namespace holdfast::bench {
namespace {

constexpr std::size_t many = 1000;
constexpr std::size_t in_list = 1024;
const std::string text = "0123456789abcdef";

std::string bulk(std::string_view bytes) {
   return "$" + std::to_string(bytes.size()) + "\r\n" + std::string(bytes) + "\r\n";
}

// `n` texts of 16 bytes.
std::string texts(std::size_t n) {
   std::string all = "*" + std::to_string(n) + "\r\n";
   for (std::size_t i = 0; i < n; ++i) all += bulk(text);
   return all;
}

std::string numbered(std::string_view prefix, std::size_t i) {
   std::string number = std::to_string(i);
   return std::string(prefix) + std::string(text.size() - prefix.size() - number.size(), '0') + number;
}

workload get(std::string name, std::string title, shape how) {
   workload w{.name = std::move(name), .title = std::move(title), .how = how, .command = {"GET", "bench:text"}};
   w.reply = bulk(text);
   if (how == shape::prepared_list || how == shape::built_list) w.commands = w.operations = in_list;
   w.counted = w.commands == 1 ? 200 : 5;
   return w;
}

workload large(std::string name, std::string title, std::vector<std::string> command, std::string reply) {
   workload w{.name = std::move(name), .title = std::move(title), .how = shape::one_at_a_time};
   w.command = std::move(command);
   w.reply = std::move(reply);
   w.operations = w.elements = many;
   w.counted = 10;
   return w;
}

std::vector<std::string> many_keys(std::string name) {
   std::vector<std::string> words{std::move(name)};
   for (std::size_t i = 0; i < many; ++i) words.push_back(numbered("bench:", i));
   return words;
}

std::vector<workload> made() {
   std::vector<workload> all;
   all.push_back(get("get", "one GET of 16 B at a time", shape::one_at_a_time));
   all.push_back(get("get_one_core", "the same, client and server on one core", shape::one_at_a_time));
   all.back().on_one_core = true;
   all.push_back(get("list", "1 024 GETs, list built before", shape::prepared_list));
   all.push_back(get("list_built", "1 024 GETs, list built each time", shape::built_list));
   all.push_back(get("list_canned", "1 024 GETs, list built before, canned server", shape::prepared_list));
   all.back().server = server_kind::canned;
   all.push_back(large("lrange", "LRANGE of 1 000 texts", {"LRANGE", "bench:list", "0", "-1"}, texts(many)));
   all.push_back(large("hgetall", "HGETALL of 1 000 fields", {"HGETALL", "bench:hash"}, texts(2 * many)));
   all.push_back(large("mget", "MGET of 1 000 keys", many_keys("MGET"), texts(many)));
   all.push_back(large("mebibyte", "GET of 1 MiB", {"GET", "bench:mebibyte"}, bulk(std::string(1 << 20, 'x'))));
   all.back().elements = 0;
   all.back().operations = 1;
   for (const std::size_t n : {1, 2, 4, 8, 16, 32, 64, 100}) {
      all.push_back(get("threads_" + std::to_string(n), std::to_string(n) + " threads, one GET at a time each",
                        shape::caller_each_thread));
      all.back().is_growth = true;
      all.back().callers = all.back().operations = n;
      all.back().counted = 0;
   }
   return all;
}

}  // namespace

const std::vector<workload>& all_workloads() {
   static const std::vector<workload> all = made();
   return all;
}

const workload& workload_named(std::string_view name) {
   for (const workload& w : all_workloads())
      if (w.name == name) return w;
   throw std::runtime_error("there is no workload " + std::string(name));
}

std::vector<std::vector<std::string>> commands_that_fill() {
   std::vector<std::string> push{"RPUSH", "bench:list"};
   std::vector<std::string> fields{"HSET", "bench:hash"};
   std::vector<std::string> keys{"MSET"};
   for (std::size_t i = 0; i < many; ++i) {
      push.push_back(text);
      fields.insert(fields.end(), {numbered("field:", i), text});
      keys.insert(keys.end(), {numbered("bench:", i), text});
   }
   return {{"SET", "bench:text", text}, {"SET", "bench:mebibyte", std::string(1 << 20, 'x')}, push, fields, keys};
}

std::string as_array(const std::vector<std::string>& arguments) {
   std::string bytes = "*" + std::to_string(arguments.size()) + "\r\n";
   for (const std::string& a : arguments) bytes += bulk(a);
   return bytes;
}

}  // namespace holdfast::bench
