// A span for each command, as OpenTelemetry's conventions for databases have it. Printed as OTLP/JSON, which a
// collector takes at /v1/traces; where opentelemetry-cpp is at hand, its tracer takes the place of `spans`.
#include <holdfast/holdfast.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using nlohmann::json;

std::string random_id(int digits) {
   static std::mt19937_64 source{std::random_device{}()};
   std::string id;
   while (digits-- > 0) id += "0123456789abcdef"[source() % 16];
   return id;
}

// Nanoseconds since 1970. The client's times are those of std::chrono::steady_clock.
std::string unix_time(holdfast::time_point t) {
   const auto ago = std::chrono::steady_clock::now().time_since_epoch() - t.time_since_epoch();
   const auto then = std::chrono::system_clock::now().time_since_epoch() - ago;
   return std::to_string(std::chrono::nanoseconds(then).count());
}

std::string upper_case(std::string text) {
   std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
   std::replace(text.begin(), text.end(), '|', ' ');
   return text;
}

// The code of an error that a server answered ("WRONGTYPE"), or of the client's own.
std::string error_type(const holdfast::error& e) {
   return e.server_text.empty() ? e.code().message() : e.server_text.substr(0, e.server_text.find(' '));
}

// [span]
// The spans of one trace. The observer is called in the thread of the caller, and must not block: this one only keeps
// them.
class spans {
 public:
   explicit spans(unsigned database) : database_(std::to_string(database)) {}

   void add(const holdfast::ended_command& e) {
      json attributes = json::array();
      const auto text = [&](const char* key, const std::string& value) {
         attributes.push_back({{"key", key}, {"value", {{"stringValue", value}}}});
      };
      const auto number = [&](const char* key, std::uint64_t value) {
         attributes.push_back({{"key", key}, {"value", {{"intValue", std::to_string(value)}}}});
      };
      const std::string operation = e.name.empty() ? "redis" : upper_case(std::string(e.name));
      text("db.system.name", "redis");
      text("db.namespace", database_);
      text("db.operation.name", operation);
      if (e.commands > 1) number("db.operation.batch.size", e.commands);
      if (!e.where.empty()) {
         text("server.address", e.where.host);
         if (!e.where.is_unix()) number("server.port", e.where.port);
      }
      number("holdfast.attempts", e.attempts);
      if (e.keys) number("holdfast.keys", *e.keys);
      json status = json::object();
      if (e.failed != nullptr) {
         text("error.type", error_type(*e.failed));
         if (!e.failed->server_text.empty()) text("db.response.status_code", error_type(*e.failed));
         text("holdfast.outcome", std::string(to_string(e.failed->outcome)));
         status = {{"code", 2}, {"message", e.failed->what()}};  // no value of the caller's is in it
      }
      all_.push_back({{"traceId", trace_},
                      {"spanId", random_id(16)},
                      {"name", operation},
                      {"kind", 3},  // a client's
                      {"startTimeUnixNano", unix_time(e.given)},
                      {"endTimeUnixNano", unix_time(e.ended)},
                      {"attributes", std::move(attributes)},
                      {"status", std::move(status)}});
   }
   // [span]

   json take() {
      const json resource{{"attributes", {{{"key", "service.name"}, {"value", {{"stringValue", "example"}}}}}}};
      const json scope{{"scope", {{"name", "holdfast"}}}, {"spans", std::exchange(all_, json::array())}};
      return {{"resourceSpans", {{{"resource", resource}, {"scopeSpans", {scope}}}}}};
   }

 private:
   const std::string database_;
   const std::string trace_ = random_id(32);
   json all_ = json::array();
};

}  // namespace

int main(int count, char** words) {
   holdfast::config settings = holdfast::config::from_uri(count > 1 ? words[1] : "redis://127.0.0.1").value();
   spans trace{settings.db};
   settings.command_observer = [&](const holdfast::ended_command& e) { trace.add(e); };
   holdfast::client redis{settings};
   redis.set("name", "not a number").value();
   const auto refused = redis.incr("name");
   const std::vector<holdfast::command> list{{"MULTI"}, {"INCR", "visits"}, {"EXPIRE", "visits", 60}, {"EXEC"}};
   for (const auto& reply : redis.run(list)) (void)reply.value();
   std::cout << trace.take().dump(2) << '\n';
   return refused ? 1 : 0;
}
