// Command lines as redis-cli takes them: what to write instead.
#pragma once

#include <string>
#include <vector>

namespace holdfast::cli {

// One line that says what to write instead; empty where the line has no such habit. Passwords, and URIs that may hold
// one, are not repeated.
std::string instead_of_habit(const std::vector<std::string>& line);

// Whether that cannot be a command, but names a server: a URI, or HOST:PORT.
bool names_server(const std::string& word);

}  // namespace holdfast::cli
