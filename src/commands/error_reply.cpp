#include "commands/error_reply.hpp"

#include "commands/known_words.hpp"

#include <algorithm>
#include <iterator>
#include <ostream>

namespace holdfast::impl {
namespace {

using enum reply_class;
using holdfast::outcome;

struct text_class {
   std::string_view text;
   reply_class cls;
};

// By the first word, which alone proves nothing.
constexpr text_class by_code[] = {
   {"READONLY", readonly},
   {"LOADING", loading},
   {"MASTERDOWN", master_down},
   {"NOREPLICAS", no_replicas},
   {"MISCONF", misconf},
   {"OOM", out_of_memory},
   {"BUSY", busy},
   {"NOAUTH", not_authenticated},
   {"WRONGPASS", wrong_password},
   {"NOPERM", no_permission},
   {"MOVED", moved},
   {"ASK", moved},
   {"CROSSSLOT", moved},
   {"REDIRECT", moved},
   {"TRYAGAIN", try_again},
   {"CLUSTERDOWN", try_again},
   {"DENIED", refused},
   {"NOSCRIPT", no_script},
   {"NOPROTO", no_protocol},
   {"IDONTKNOW", no_such_master},
   {"BUSYGROUP", already_there},
   {"BUSYKEY", already_there},
   {"EXECABORT", aborted},
   {"IOERR", io_error},
};

// By how the text behind "ERR " begins.
constexpr text_class by_start[] = {
   {"max number of clients", refused},
   {"unknown command", unknown_command},
   {"unknown subcommand", unknown_command},
   {"Unknown subcommand", unknown_command},
   {"Protocol error", protocol},
   {"No such master with that name", no_such_master},
   {"WAIT cannot be used with replica instances", demoted},
   {"AUTH <password> called without any password", wrong_password},
   {"Client sent AUTH, but no password is set", wrong_password},
   {"invalid password", wrong_password},
   {"The ID specified in XADD is equal or smaller", already_there},
   {"no such key", already_there},
};

// Errors of EVAL and its kin before they run anything, other than gates.
constexpr std::string_view before_the_script[] = {
   "wrong number of arguments for 'eval",
   "wrong number of arguments for 'fcall",
   "Error compiling script",
   "Number of keys can't be",
   "Bad number of keys",
   "Function not found",
   "Unexpected engine in script shebang",
   "Unexpected flag in script shebang",
   "Unknown lua shebang option",
   "Invalid script shebang",
   "Can not run script on cluster, 'no-cluster' flag is set.",
   "Can not execute a script with write flag using *_ro command.",
};

// The server's own words behind a gate's code (Redis 6 to 8, Valkey). A script, a module's command or a proxy can
// answer any code it likes after something has run (redis.error_reply('BUSY resource locked')): only with these words
// is it the gate that speaks.
constexpr text_class server_words[] = {
   {"Authentication required", not_authenticated},
   {"HELLO must be called with the client already authenticated", not_authenticated},
   {"invalid username-password pair", wrong_password},
   {"running in protected mode", refused},
   {"has no permissions", no_permission},  // "this user", "User u"; "to run", "to access"
   {"No permissions to access a", no_permission},
   {"You can't write", readonly},
   {"Transaction contains write commands but instance is now a read-only replica", readonly},
   {"Can not run script with write flag on readonly replica", readonly},
   {" is loading the dataset in memory", loading},
   {"Link with MASTER is down", master_down},
   {"Not enough good replicas to write", no_replicas},
   {"Not enough good slaves to write", no_replicas},
   {" is configured to save RDB snapshots", misconf},
   {" is configured to persist data to AOF", misconf},
   {"Errors writing to the AOF file", misconf},
   {"command not allowed when used memory > 'maxmemory'", out_of_memory},
   {"allow-oom flag is not set on the script", out_of_memory},
   {" is busy running a", busy},
   {"No matching script", no_script},
   {"Keys in request don't hash to the same slot", moved},
   {"Multiple keys request during rehashing of slot", try_again},
   {"Hash slot not served", try_again},
   {"The cluster is down", try_again},
   {"client unblocked via CLIENT UNBLOCK", unblocked},
   {"force unblock from blocking operation", demoted},
};

constexpr std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

constexpr bool contains(std::string_view text, std::string_view part) {
   return text.find(part) != std::string_view::npos;
}

reply_proof not_run(reply_class c) { return {c, outcome::not_executed}; }

// The class of an error that is not the command's own; `deterministic` where it is.
reply_class class_of(std::string_view text) {
   const std::string_view code = first_word(text);
   for (const auto& [known, cls] : by_code) {
      if (code == known) return cls;
   }
   if (code == "UNBLOCKED") {
      if (contains(text, "force unblock")) return demoted;
      return contains(text, "CLIENT UNBLOCK") ? unblocked : deterministic;
   }
   if (code == "ERR") {
      const std::string_view words = text.substr(std::min(text.size(), code.size() + 1));
      for (const auto& [start, cls] : by_start) {
         if (words.starts_with(start)) return cls;
      }
   }
   return deterministic;
}

// A command inside a script is refused for these only as long as the script has written nothing.
bool only_before_the_first_write(reply_class c) {
   return c == readonly || c == out_of_memory || c == misconf || c == no_replicas;
}

// An error that ended the script from inside: "<text> script: <sha>, on @user_script:1.", and before Redis 7
// "ERR Error running script (call to f_<sha>): @user_script:1: <text>".
bool ended_inside(std::string_view text) {
   return (contains(text, " script: ") && contains(text, ", on @")) || contains(text, "Error running script");
}

// MOVED 3999 127.0.0.1:6381, ASK alike, and REDIRECT 127.0.0.1:6381.
bool points_elsewhere(std::string_view text) {
   return contains(text, ":") && std::any_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool says_it_in_its_own_words(std::string_view text, reply_class c) {
   if (c == moved && points_elsewhere(text)) return true;
   return std::any_of(std::begin(server_words), std::end(server_words),
                      [&](const text_class& known) { return known.cls == c && contains(text, known.text); });
}

// A gate's code, in words that are not the server's.
bool may_be_invented(std::string_view text, reply_class c) {
   return c <= no_script && first_word(text) != "ERR" && !says_it_in_its_own_words(text, c);
}

reply_proof from_inside(std::string_view text) {
   std::string_view reason = text;
   if (text.starts_with("ERR Error running script")) {
      const auto dash = text.find(": -");
      if (dash != std::string_view::npos) reason = text.substr(dash + 3);
   }
   const reply_class c = class_of(reason);
   if (only_before_the_first_write(c) && says_it_in_its_own_words(reason, c)) return not_run(c);
   return {script_failed, outcome::executed};
}

reply_proof classify_script(std::string_view text) {
   if (contains(text, "Script killed by user with ")) return not_run(script_killed);
   if (ended_inside(text)) return from_inside(text);
   const reply_class c = class_of(text);
   if (c != no_permission && may_be_invented(text, c)) return {script_failed, outcome::unknown};
   switch (c) {
      case deterministic:
      case already_there:
      case unknown_command:
      case no_such_master:
      case aborted:
      case io_error:
      case wrong_password: break;
      case out_of_memory:
         // The gate's words for a script that declares its flags, but also what a script hands on that caught the
         // refusal: it can still have deleted something in between. (With READONLY and its like it can not.)
         return {c, outcome::unknown};
      case no_permission:
         // The gate's if it names the script's own command; else perhaps handed on.
         if (contains(text, "'eval") || contains(text, "'fcall") || contains(text, "this user has no permissions"))
            return not_run(c);
         return {c, outcome::unknown};
      default: return not_run(c);
   }
   // With a code of its own: what the script ran into. In other words a proxy may say it, which lost the reply.
   if (first_word(text) != "ERR") return {script_failed, is_known_refusal(text) ? outcome::executed : outcome::unknown};
   const std::string_view words = text.substr(std::min<std::size_t>(text.size(), 4));
   // Of a subcommand the script may have handed it on.
   if (c == unknown_command && words.starts_with("unknown command")) return not_run(c);
   const auto begins = [&](std::string_view start) { return words.starts_with(start); };
   if (std::any_of(std::begin(before_the_script), std::end(before_the_script), begins)) return not_run(deterministic);
   // "value is not an integer": of the number of keys, or of what the script found and handed on?
   return {script_failed, outcome::unknown};
}

// EXECABORT: nothing of the transaction ran. The reason stands inside, if it was EXEC itself that was refused.
reply_proof classify_abort(std::string_view text) {
   constexpr std::string_view says = "EXECABORT Transaction discarded because of";
   constexpr std::string_view inner = ": ";
   if (!text.starts_with(says)) return {aborted, outcome::unknown};
   const std::string_view rest = text.substr(says.size());
   const reply_class c = rest.starts_with(inner) ? class_of(rest.substr(inner.size())) : aborted;
   return not_run(is_gate(c) ? c : aborted);
}

// A command of the server's own. What is said in words that are not known may come from a proxy, after the command ran.
reply_proof classify_native(std::string_view text) {
   const reply_class c = class_of(text);
   const bool known = c <= no_script && first_word(text) != "ERR" ? !may_be_invented(text, c) : is_known_refusal(text);
   return {c, known ? outcome::not_executed : outcome::unknown};
}

// A module's command may do anything before it fails: only what is said before it is called proves that it did not run.
reply_proof classify_foreign(std::string_view text) {
   const reply_class c = class_of(text);
   if (may_be_invented(text, c)) return {deterministic, outcome::unknown};
   const bool its_own = c == deterministic || c == already_there;
   if (its_own && !text.starts_with("ERR wrong number of arguments")) return {c, outcome::unknown};
   return classify_native(text);
}

}  // namespace

reply_proof classify_error(std::string_view text, bool from_script, bool from_exec, bool native) {
   if (from_exec || (native && !from_script)) {
      return first_word(text) == "EXECABORT" ? classify_abort(text) : classify_native(text);
   }
   return from_script ? classify_script(text) : classify_foreign(text);
}

bool is_gate(reply_class c) { return c <= script_killed; }

std::string_view to_string(reply_class c) {
   constexpr std::string_view words[] = {
      "readonly",    "loading",           "master_down",    "no_replicas",   "misconf",   "out_of_memory",
      "busy",        "not_authenticated", "wrong_password", "no_permission", "moved",     "try_again",
      "refused",     "unblocked",         "demoted",        "script_killed", "no_script", "unknown_command",
      "no_protocol", "no_such_master",    "deterministic",  "already_there", "aborted",   "protocol",
      "io_error",    "script_failed",
   };
   return words[static_cast<std::size_t>(c)];
}

std::ostream& operator<<(std::ostream& out, const reply_proof& p) {
   return out << to_string(p.cls) << ", " << to_string(p.ran);
}

}  // namespace holdfast::impl
