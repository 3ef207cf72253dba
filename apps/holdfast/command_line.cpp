#include "command_line.hpp"

#include "terminal.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::cli {
namespace {

// CLI11's layout for a terminal of 80 columns, but with a usage line of our own.
class help_layout : public CLI::Formatter {
 public:
   explicit help_layout(std::string usage) : usage_(std::move(usage)) { column_width(22); }
   std::string make_usage(const CLI::App*, std::string) const override { return "Usage: holdfast " + usage_ + "\n"; }

 private:
   std::string usage_;
};

// CLI11 would read 010 as 8.
std::string check_number(const std::string& word) {
   const bool is_plain = !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
   return is_plain && (word.size() == 1 || word.front() != '0') ? "" : "write a whole number, e.g. 10, not " + word;
}

// An option in place of a word that was forgotten.
std::string check_text(const std::string& word) {
   return word.starts_with("--") ? "needs a word of its own, and " + word + " is an option" : "";
}

template <class Number>
void add_number_to(CLI::App& app, const char* name, Number& into, Number low, Number high, const std::string& help) {
   CLI::Option* const option = app.add_option(name, into, help);
   option->check(check_number)->check(CLI::Range(low, high));
   if (low <= into && into <= high) option->capture_default_str();
}

std::string what_is_wrong(const CLI::App& all, const CLI::Error& e) {
   const auto chosen = all.get_subcommands();
   std::string what = e.what();
   if (what.find("://") != std::string::npos) what = "a URI was not expected there";  // it may hold a password
   return what + "; see holdfast " + (chosen.empty() ? "" : chosen.front()->get_name() + " ") + "--help";
}

}  // namespace

void subcommand::add_flag(const char* name, bool& into, const std::string& help) { app_->add_flag(name, into, help); }

void subcommand::add_text(const char* name, std::string& into, const std::string& help, const char* type) {
   CLI::Option* const option = app_->add_option(name, into, help)->type_name(type)->check(check_text);
   if (!into.empty()) option->capture_default_str();
}

void subcommand::add_number(const char* name, unsigned& into, unsigned low, unsigned high, const std::string& help) {
   add_number_to(*app_, name, into, low, high, help);
}

void subcommand::add_number(const char* name, std::uint64_t& into, std::uint64_t low, std::uint64_t high,
                            const std::string& help) {
   add_number_to(*app_, name, into, low, high, help);
}

void subcommand::add_numbers(const char* name, std::vector<unsigned>& into, const std::string& help) {
   app_->add_option(name, into, help)->delimiter(',')->check(check_number);
}

void subcommand::add_words(const char* name, std::vector<std::string>& into, const word_reader& check,
                           const std::string& help) {
   CLI::Option* const option = app_->add_option(name, into, help)->delimiter(',')->check(check);
   if (!into.empty()) option->default_str(CLI::detail::join(into, ","));
}

void subcommand::add_read(const char* name, const word_reader& read, const std::string& help, const char* type,
                          const std::string& shown_default) {
   const auto take = [name = std::string(name), read](const std::string& word) {
      if (const std::string wrong = read(word); !wrong.empty()) throw CLI::ValidationError(name, wrong);
   };
   app_->add_option_function<std::string>(name, take, help)->type_name(type)->default_str(shown_default);
}

bool subcommand::was_given(const char* name) const { return app_->count(name) != 0; }

bool subcommand::takes_a_word(const std::string& name) const {
   const CLI::Option* const option = app_->get_option_no_throw(name);
   return option != nullptr && option->get_items_expected_min() > 0;
}

void subcommand::when_chosen(std::function<exit_status()> run) {
   app_->callback([chosen = chosen_, run = std::move(run)] { *chosen = run; });
}

command_line::command_line(const std::string& footer)
   : app_(std::make_unique<CLI::App>("Redis commands that ride out a failover.", "holdfast")) {
   app_->formatter(std::make_shared<help_layout>("SUBCOMMAND [OPTIONS]"));
   app_->footer(footer);
   app_->set_version_flag("--version", "holdfast " HOLDFAST_VERSION, "Print the version and exit");
   app_->require_subcommand(1);
}

command_line::~command_line() = default;

subcommand command_line::add(const std::string& name, const std::string& purpose, const std::string& usage,
                             const std::string& footer) {
   CLI::App* const app = app_->add_subcommand(name, purpose);
   app->formatter(std::make_shared<help_layout>(name + " " + usage));
   app->footer(footer);
   return subcommand(*app, chosen_);
}

void command_line::add_unbuilt(const std::string& name, const std::string& purpose) {
   CLI::App* const later = app_->add_subcommand(name, purpose)->group("Not built yet");
   later->allow_extras();
   later->set_help_flag();
   subcommand(*later, chosen_).when_chosen([name] {
      complain(name + " is not built yet; holdfast --help lists what there is");
      return exit_status::usage;
   });
}

bool command_line::has(const std::string& name) const {
   const auto is_meant = [&](const CLI::App* subcommand) { return subcommand->get_name() == name; };
   return !std::as_const(*app_).get_subcommands(is_meant).empty();
}

exit_status command_line::run(std::vector<std::string> line) {
   std::reverse(line.begin(), line.end());  // as CLI11 wants it
   try {
      app_->parse(std::move(line));
   } catch (const CLI::ParseError& e) {
      if (e.get_exit_code() == 0) return static_cast<exit_status>(app_->exit(e));  // --help, --version
      complain(what_is_wrong(*app_, e));
      return exit_status::usage;
   }
   return chosen_();
}

}  // namespace holdfast::cli
