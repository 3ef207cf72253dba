// The command line: the subcommands, their options, and what runs when one was chosen. CLI11 reads it, and
// command_line.cpp alone knows that: its header takes longer to compile than all else in here.
#pragma once

#include "exit_status.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace holdfast::cli {

// Reads the word that follows an option. Returns what is wrong with it and what to write instead; nothing, if it is
// right.
using word_reader = std::function<std::string(const std::string& word)>;

// A subcommand, as long as its command line lives; so do the variables that its options are written to. What a variable
// holds before is the option's default, and is shown where it is one that could be written.
class subcommand {
 public:
   subcommand(CLI::App& app, std::function<exit_status()>& chosen) : app_(&app), chosen_(&chosen) {}

   void add_flag(const char* name, bool& into, const std::string& help);
   void add_text(const char* name, std::string& into, const std::string& help, const char* type = "TEXT");
   // A number from `low` to `high`.
   void add_number(const char* name, unsigned& into, unsigned low, unsigned high, const std::string& help);
   void add_number(const char* name, std::uint64_t& into, std::uint64_t low, std::uint64_t high,
                   const std::string& help);
   // Several, comma separated.
   void add_numbers(const char* name, std::vector<unsigned>& into, const std::string& help);
   void add_words(const char* name, std::vector<std::string>& into, const word_reader& check, const std::string& help);
   // One whose words need a reader of their own.
   void add_read(const char* name, const word_reader& read, const std::string& help, const char* type,
                 const std::string& shown_default = {});

   bool was_given(const char* name) const;
   bool takes_a_word(const std::string& name) const;  // the option, if there is one
   void when_chosen(std::function<exit_status()> run);

 private:
   CLI::App* app_;
   std::function<exit_status()>* chosen_;
};

class command_line {
 public:
   // `footer` stands below the list of subcommands in --help.
   explicit command_line(const std::string& footer);
   ~command_line();
   command_line(const command_line&) = delete;
   command_line& operator=(const command_line&) = delete;

   // `usage` is what may follow its name.
   subcommand add(const std::string& name, const std::string& purpose, const std::string& usage,
                  const std::string& footer);
   // One that is to come. Known, so that nobody takes it for a typing error.
   void add_unbuilt(const std::string& name, const std::string& purpose);

   bool has(const std::string& name) const;

   // Runs what was chosen. What is wrong with the line is told on stderr, in one line.
   exit_status run(std::vector<std::string> line);

 private:
   std::unique_ptr<CLI::App> app_;
   std::function<exit_status()> chosen_;  // what is to run, once the line has been read
};

}  // namespace holdfast::cli
