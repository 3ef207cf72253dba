#include "drill/read_survivors.hpp"

#include "lab/clients.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace holdfast::drill {
namespace {

constexpr std::uint64_t keys_at_once = 500;

std::size_t open_sockets() {
   std::size_t count = 0;
   for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code closed;  // by another thread, since it was listed
      count += std::filesystem::read_symlink(descriptor.path(), closed).string().rfind("socket:", 0) == 0;
   }
   return count;
}

}  // namespace

std::optional<std::uint64_t> number_in(const std::string& text) {
   std::uint64_t number = 0;
   const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
   if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
   return number;
}

survivors read_survivors(lab::server& master, std::uint64_t last, lab::milliseconds patience) {
   lab::control node = master.connect(patience);
   survivors found;
   for (const lab::reply& pushed : node.run({"LRANGE", "drill:list", "0", "-1"}).elements)
      found.list.push_back(number_in(pushed.text).value_or(0));
   found.counter = static_cast<long long>(number_in(node.run({"GET", "drill:counter"}).text).value_or(0));
   for (std::uint64_t from = 1; from <= last; from += keys_at_once) {
      std::vector<std::string> command = {"MGET"};
      for (std::uint64_t n = from; n < from + keys_at_once && n <= last; ++n)
         command.push_back("drill:" + std::to_string(n));
      const lab::reply values = node.run(command);
      for (std::size_t i = 0; i < values.elements.size(); ++i)
         if (values.elements[i].text == std::to_string(from + i)) found.set.insert(from + i);
   }
   return found;
}

footprint measure(lab::server& node, lab::milliseconds patience) {
   footprint f;
   lab::control connection = node.connect(patience);
   f.connections = lab::workload_clients(connection).size();
   f.sockets = open_sockets();
   std::ifstream memory("/proc/self/statm");
   std::size_t pages = 0;
   if (memory >> pages >> pages) f.resident_kib = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
   return f;
}

}  // namespace holdfast::drill
