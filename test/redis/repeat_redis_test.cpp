// The table of commands against a real server: each command is run twice, and what the second run changed is held
// against what its class of repetition says.
#include "catalogue/repeat_samples.hpp"
#include "catalogue/server_fixture.hpp"
#include "commands/command_table.hpp"

#include <map>
#include <set>
#include <sstream>

namespace holdfast::catalogue {
namespace {

using impl::repeat_class;

constexpr const char* script = "return redis.call('incr', KEYS[1])";
constexpr const char* read_script = "return redis.call('get', KEYS[1])";
constexpr const char* declared_script = "#!lua flags=no-writes\nreturn redis.call('get', KEYS[1])";
constexpr const char* library = "#!lua name=second\nredis.register_function('f', function() return 1 end)";

// All of a reply, in one line; without the moments of time in it (milliseconds since 1970).
std::string flat(const lab::reply& r) {
   if (r.kind == lab::reply::type::integer) return r.integer > 1'000'000'000'000 ? "t" : std::to_string(r.integer);
   std::string line = r.is_nil() ? "nil" : r.is_error() ? "-" + r.text : r.text;
   for (const lab::reply& element : r.elements) line += "[" + flat(element) + "]";
   return line;
}

// Everything that a command may have changed, but for when what expires does so.
struct whole_state {
   std::map<std::string, std::string> parts;
   std::map<std::string, long long> expiries;

   static whole_state of(lab::control& server) {
      whole_state now;
      now.parts["data"] = server.run({"DEBUG", "DIGEST"}).text;
      for (const char* database : {"0", "1"}) {
         server.run({"SELECT", database});
         for (const lab::reply& key : server.run({"KEYS", "*"}).elements) {
            const std::string name = database + key.text;
            now.expiries[name] = server.run({"PEXPIRETIME", key.text}).integer;
            if (server.run({"TYPE", key.text}).text == "stream")
               now.parts[name] = flat(server.run({"XINFO", "STREAM", key.text, "FULL"}));
         }
      }
      server.run({"SELECT", "0"});
      now.parts["functions"] = flat(server.run({"FUNCTION", "DUMP"}));
      now.parts["scripts"] = server.info("memory", "number_of_cached_scripts");
      now.parts["settings"] = flat(server.run({"CONFIG", "GET", "*"}));
      now.parts["users"] = flat(server.run({"ACL", "LIST"}));
      return now;
   }

   // What is different; empty: nothing. Expiries may have moved by the time between two runs.
   std::string changed_since(const whole_state& earlier) const {
      for (const auto& [name, text] : parts) {
         const auto before = earlier.parts.find(name);
         if (before == earlier.parts.end() || before->second != text) return name;
      }
      if (parts.size() != earlier.parts.size()) return "a stream is gone";
      for (const auto& [name, at] : expiries) {
         const auto before = earlier.expiries.find(name);
         if (before == earlier.expiries.end() || std::abs(before->second - at) > 5000) return "the expiry of " + name;
      }
      return {};
   }
};

class repetition : public ::testing::Test {
 protected:
   static void SetUpTestSuite() {
      servers = std::make_unique<lab::deployment>(lab::deployment_options{
         .replicas = 0, .sentinels = 0, .node_config = {"enable-debug-command local", "slowlog-max-len 128"}});
   }
   static void TearDownTestSuite() { servers.reset(); }

   void SetUp() override {
      for (const char* text : {script, read_script, declared_script})
         sha[text] = server.run({"SCRIPT", "LOAD", text}).text;
      for (const lab::reply& name : server.run({"COMMAND", "LIST"}).elements) known.insert(name.text);
   }

   std::vector<std::string> arguments_of(const std::string& call) const {
      std::vector<std::string> arguments;
      std::istringstream words(call);
      for (std::string word; words >> word;) {
         if (word == "$dump") word = dump;
         if (word == "$script") word = script;
         if (word == "$read") word = read_script;
         if (word == "$declared") word = declared_script;
         if (word == "$library") word = library;
         if (word == "$sha") word = sha.at(script);
         if (word == "$sha_read") word = sha.at(read_script);
         arguments.push_back(word);
      }
      return arguments;
   }

   struct twice {
      lab::reply first;
      lab::reply second;
      std::string first_changed;
      std::string second_changed;
   };
   twice run_twice(const std::string& call) {
      for (const auto& command : before_each) server.run(command);
      server.run_all({{"CONFIG", "SET", "slowlog-max-len", "128"}, {"SELECT", "1"}, {"FLUSHDB"}, {"SELECT", "0"}});
      dump = server.run({"DUMP", "text"}).text;
      const auto arguments = arguments_of(call);
      const whole_state before = whole_state::of(server);
      twice t;
      t.first = server.ask(arguments);
      const whole_state once = whole_state::of(server);
      t.second = server.ask(arguments);
      t.first_changed = once.changed_since(before);
      t.second_changed = whole_state::of(server).changed_since(once);
      return t;
   }
   bool is_known(const std::string& call) const {
      const auto* entry = impl::find_command(command::from(arguments_of(call)));
      return entry != nullptr && known.contains(std::string(entry->name));
   }

   inline static std::unique_ptr<lab::deployment> servers;
   lab::control server = servers->node(0).connect();
   std::map<std::string, std::string> sha;
   std::string dump = "x";
   std::set<std::string> known;
};

TEST_F(repetition, changes_what_the_class_of_the_command_says) {
   std::map<repeat_class, int> seen;
   for (const std::string call : repeat_samples) {
      if (!is_known(call)) continue;  // the next test says which must be
      const twice t = run_twice(call);
      const command c = command::from(arguments_of(call));
      const repeat_class cls = impl::repeats(impl::find_command(c), c);
      ++seen[cls];
      const std::string said = call + " (" + std::string(impl::to_string(cls)) + "): ";
      const bool needs_settings = call.starts_with("OBJECT ") || call.starts_with("LATENCY ");
      EXPECT_TRUE(!t.first.is_error() || needs_settings) << said << t.first.text;
      switch (cls) {
         case repeat_class::readonly:
            // PFCOUNT keeps what it has counted beside the value.
            EXPECT_TRUE(t.first_changed.empty() || call.starts_with("PFCOUNT")) << said << t.first_changed;
            EXPECT_EQ(t.second_changed, "") << said;
            break;
         case repeat_class::same:
            EXPECT_EQ(flat(t.second), flat(t.first)) << said << "another reply";
            EXPECT_EQ(t.second_changed, "") << said;
            break;
         case repeat_class::same_state:
         case repeat_class::result_lost: EXPECT_EQ(t.second_changed, "") << said; break;
         case repeat_class::not_repeatable: EXPECT_NE(t.second_changed, "") << said << "needlessly cautious"; break;
         case repeat_class::never: ADD_FAILURE() << said << "is no sample"; break;
      }
   }
   for (const auto cls : {repeat_class::readonly, repeat_class::same, repeat_class::same_state,
                          repeat_class::result_lost, repeat_class::not_repeatable})
      EXPECT_GT(seen[cls], 5) << impl::to_string(cls);
}

TEST_F(repetition, is_tried_of_every_command_that_the_server_and_the_table_know) {
   std::set<std::string> tried;
   for (const std::string call : repeat_samples) {
      const auto* entry = impl::find_command(command::from(arguments_of(call)));
      ASSERT_NE(entry, nullptr) << call;
      tried.insert(std::string(entry->name));
   }
   for (const caution& c : cautions)
      tried.insert(std::string(impl::find_command(command::from(arguments_of(c.call)))->name));
   std::set<std::string> excused;
   for (const caution& c : without_sample) excused.insert(c.call);
   for (const impl::command_entry& entry : impl::all_commands()) {
      const std::string name(entry.name);
      const bool container = known.contains(name + "|help");
      if (!known.contains(name) || container || tried.contains(name) || excused.contains(name)) continue;
      if (entry.repeat == repeat_class::never || entry.role != impl::command_role::plain) continue;
      if (name.ends_with("|help") || name.starts_with("cluster|")) continue;
      ADD_FAILURE() << name << ": no sample in test/catalogue/repeat_samples.hpp";
   }
}

// Where the table is cautious, though this data would bear a repetition.
TEST_F(repetition, is_avoided_where_other_data_would_not_bear_it) {
   for (const caution& given : cautions) {
      const command c = command::from(arguments_of(given.call));
      EXPECT_EQ(impl::repeats(impl::find_command(c), c), repeat_class::not_repeatable) << given.call;
      const twice t = run_twice(given.call);
      EXPECT_FALSE(t.first.is_error()) << given.call << t.first.text;
      EXPECT_EQ(t.second_changed, "") << given.call << ": then it is no caution, but a sample";
   }
}

// The differences that the cautions are for.
TEST_F(repetition, would_do_harm_on_the_data_that_cautions_are_for) {
   EXPECT_NE(run_twice("ZDIFFSTORE zset 2 zother zset").second_changed, "");
   server.run_all({{"FLUSHALL"}, {"SET", "text", "1"}, {"RENAME", "text", "new"}, {"SET", "text", "2"}});
   server.run({"RENAME", "text", "new"});
   EXPECT_EQ(server.run({"GET", "new"}).text, "2") << "the first one's is overwritten";
}

}  // namespace
}  // namespace holdfast::catalogue
