// The network of a drill, as --network describes it.
#pragma once

#include "lab/fault_proxy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::drill {

// As in "delay=20ms,cut=1000@requests". Returns what is wrong with it; nothing, if it is right.
std::string read_network(std::string_view words, std::vector<lab::network_fault>& into);

// The words that it knows, for --help.
std::string network_help();

}  // namespace holdfast::drill
