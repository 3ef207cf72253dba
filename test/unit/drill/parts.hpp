// Parts of the records that the verdict's tests judge.
#pragma once

#include "drill/figures.hpp"

#include <algorithm>
#include <string>

namespace holdfast::drill {

using std::chrono::milliseconds;

inline const clock::time_point fault_at = clock::time_point(std::chrono::hours(1));
inline const endpoint old_master = {"127.0.0.1", 1};
inline const endpoint new_master = {"127.0.0.1", 2};

inline clock::time_point at(double ms) { return fault_at + std::chrono::microseconds(static_cast<long>(ms * 1000)); }

inline operation acked(write_kind kind, std::uint64_t number, double start_ms, double end_ms) {
   operation o;
   o.kind = kind;
   o.number = number;
   o.start = at(start_ms);
   o.end = at(end_ms);
   o.acked = true;
   o.status = "OK";
   o.integer = static_cast<long long>(number);
   return o;
}

inline bool says(const figures& f, const std::string& part) {
   return std::any_of(f.broken.begin(), f.broken.end(),
                      [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace holdfast::drill
