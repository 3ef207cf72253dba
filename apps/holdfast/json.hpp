// What `--json` prints. Every line is valid JSON, whatever bytes servers send, and nothing of them is lost.
#pragma once

#include <holdfast/error.hpp>
#include <holdfast/event.hpp>
#include <holdfast/value.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace holdfast::cli {

using json = nlohmann::ordered_json;

// Text as a string; bytes that are not UTF-8 as {"base64": "..."}.
json text_as_json(std::string_view);

json endpoint_as_json(const endpoint&);  // "host:port"; none: null
double in_ms(std::chrono::nanoseconds);  // to the microsecond

// nil: null; integers and finite doubles: numbers; nan, inf and -inf, big numbers: strings; sets: arrays; an error
// inside an array: {"error": text}. A map is an object where its keys are distinct texts, and {"map": [[key, value],
// ...]} where they are not, or where it would look like one of the marks above.
json reply_as_json(value_view);

json error_as_json(const error&);

// {"event": name, its fields...}; durations in milliseconds.
json event_as_json(const any_event&);

// In one line, without a newline.
std::string one_line(const json&);

}  // namespace holdfast::cli
