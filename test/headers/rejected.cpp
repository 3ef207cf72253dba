// Mistakes that the compiler is to explain. Of each line with a comment the errors must say what the comment says.
#include <holdfast/holdfast.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace holdfast;

struct customer {};
enum class colour { red };

void call(client& redis, const std::string& key) {
#ifdef WITH_MISTAKES
   (void)redis.run({"SETBIT", key, 7, true});                              // a bool is no argument of a command
   (void)redis.run({"SET", key, 'x'});                                     // a character is no argument of a command
   (void)redis.run({"SET", key, static_cast<unsigned char>(1)});           // a character is no argument of a command
   (void)redis.run({"SET", key, U'x'});                                    // a character is no argument of a command
   (void)redis.run({"SET", key, nullptr});                                 // this is no argument of a command
   (void)redis.run({"SET", key, colour::red});                             // this is no argument of a command
   (void)redis.run({"SET", key, customer{}});                              // this is no argument of a command
   (void)redis.run({"SET", key, std::optional<int>(1)});                   // this is no argument of a command
   (void)redis.run({"DEL", std::vector<std::string>{"a"}});                // there is command::from
   (void)redis.run({"DEL", {"a", "b"}});                                   // a command has no braces inside
   (void)redis.run({"SADD", key, {"a", "b"}});                             // a command has no braces inside
   (void)redis.run({{"GET", "a"}, {"GET", "b"}});                          // are a std::vector<holdfast::command>
   (void)redis.run<std::string_view>({"GET", key});                        // read a std::string or a value
   (void)redis.run<std::vector<std::string_view>>({"LRANGE", key, 0, 1});  // read a std::string or a value
   (void)redis.run<customer>({"GET", key});                                // bool from_value(holdfast::value_view, T&)
   (void)redis.run<std::vector<char>>({"LRANGE", key, 0, -1});             // can't be read as a character
   (void)redis.run<const char*>({"GET", key});                             // can't be read as a pointer or a reference
#else
   (void)redis.run<std::vector<std::string>>({"LRANGE", key, 0, -1});
#endif
}
