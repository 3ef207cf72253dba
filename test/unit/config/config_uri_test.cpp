#include <holdfast/config.hpp>
#include <holdfast/random.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::config_uri_test {
namespace {

using namespace std::chrono_literals;

config read(std::string_view uri) {
   result<config> c = config::from_uri(uri);
   EXPECT_TRUE(c) << uri << ": " << (c ? "" : c.error().what());
   return c ? *std::move(c) : config{};
}

TEST(ConfigUri, AServerHasAHostAPortAndADatabase) {
   struct row {
      const char* uri;
      endpoint server;
      unsigned db;
   };
   const row table[] = {
      {"redis://cache", {"cache", 6379}, 0},
      {"redis://cache/", {"cache", 6379}, 0},
      {"redis://cache:7000", {"cache", 7000}, 0},
      {"redis://cache:7000/3", {"cache", 7000}, 3},
      {"redis://cache?db=3", {"cache", 6379}, 3},
      {"redis://cache/?db=3", {"cache", 6379}, 3},
      {"redis://127.0.0.1:1/15", {"127.0.0.1", 1}, 15},
      {"redis://[::1]", {"::1", 6379}, 0},
      {"redis://[fe80::1%25eth0]:65535/1", {"fe80::1%eth0", 65535}, 1},
      {"REDIS://Cache.Example.COM:7000", {"Cache.Example.COM", 7000}, 0},
      {"unix:///run/redis.sock", {"/run/redis.sock", 0}, 0},
      {"unix:///run/my%20redis.sock?db=2", {"/run/my redis.sock", 0}, 2},
   };
   for (const row& r : table) {
      const config c = read(r.uri);
      EXPECT_EQ(c.server, r.server) << r.uri;
      EXPECT_EQ(c.db, r.db) << r.uri;
      EXPECT_TRUE(c.sentinels.empty() && c.master.empty()) << r.uri;
   }
}

TEST(ConfigUri, AUserAndAPasswordMayPrecedeTheHost) {
   struct row {
      const char* uri;
      std::string username, password;
   };
   const row table[] = {
      {"redis://host", "", ""},
      {"redis://:secret@host", "", "secret"},
      {"redis://app:secret@host:1/2", "app", "secret"},
      {"redis://app:@host", "app", ""},
      {"redis://app:a:b:c@host", "app", "a:b:c"},
      {"redis://app:p@ss@host", "app", "p@ss"},
      {"redis://a%3Ap%40p:%2F%3f%23%25%40@host", "a:p@p", "/?#%@"},
      {"redis://:%00%0d%0a%ff@host", "", std::string("\0\r\n\xff", 4)},
      {"redis://:a+b@host", "", "a+b"},
      {"redis://host?username=app&password=a%26b%3Dc", "app", "a&b=c"},
      {"unix://app:secret@/run/redis.sock", "app", "secret"},
      {"redis+sentinel://app:secret@h1,h2/mymaster", "app", "secret"},
   };
   for (const row& r : table) {
      const config c = read(r.uri);
      EXPECT_EQ(c.username, r.username) << r.uri;
      EXPECT_EQ(c.password, r.password) << r.uri;
      EXPECT_TRUE(c.sentinel_username.empty() && c.sentinel_password.empty()) << r.uri << ": never guessed";
   }
}

TEST(ConfigUri, SentinelsAreAListAndNameAMaster) {
   const config c = read("redis+sentinel://127.0.0.1:26380,sentinel-2,[::1]:7/mymaster/4");
   EXPECT_EQ(c.sentinels, (std::vector<endpoint>{{"127.0.0.1", 26380}, {"sentinel-2", 26379}, {"::1", 7}}));
   EXPECT_EQ(c.master, "mymaster");
   EXPECT_EQ(c.db, 4U);
   EXPECT_TRUE(c.server.empty());
   EXPECT_EQ(read("redis+sentinel://h/my%2Fmaster%40home/").master, "my/master@home");
   EXPECT_EQ(read("redis+sentinel://h,h:26379,i/m").sentinels.size(), 2U) << "named twice is asked once";
}

TEST(ConfigUri, OptionsSetWhatTheyName) {
   const config c = read(
      "redis+sentinel://h/m?sentinel_username=su&sentinel_password=s%20p&client_name=app-7&db=5&deadline=1500ms&"
      "attempt_timeout=1s&connect_timeout=250ms&sentinel_timeout=0.2s&hold_on_selected=0&reconnect_spread=1m&"
      "delivery=at-most-once&max_resends=4&cutover=eager&warm_replicas=false&follow_role_hint=true&breaker=true");
   EXPECT_EQ(c.sentinel_username, "su");
   EXPECT_EQ(c.sentinel_password, "s p");
   EXPECT_EQ(c.client_name, "app-7");
   EXPECT_EQ(c.db, 5U);
   EXPECT_EQ(c.deadline, 1500ms);
   EXPECT_EQ(c.attempt_timeout, 1s);
   EXPECT_EQ(c.connect_timeout, 250ms);
   EXPECT_EQ(c.sentinel_timeout, 200ms);
   EXPECT_EQ(c.hold_on_selected, 0s);
   EXPECT_EQ(c.reconnect_spread, 60s);
   EXPECT_EQ(c.delivery, delivery::at_most_once);
   EXPECT_EQ(c.resend.max_resends, 4U);
   EXPECT_EQ(c.cutover, cutover::eager);
   EXPECT_FALSE(c.warm_replicas);
   EXPECT_TRUE(c.follow_role_hint);
   EXPECT_TRUE(c.breaker);
}

TEST(ConfigUri, WhatIsNotSaidHasItsDefault) {
   const config c = read("redis://h?"), defaults;
   EXPECT_EQ(c.deadline, std::nullopt);
   EXPECT_EQ(c.attempt_timeout, defaults.attempt_timeout);
   EXPECT_EQ(c.delivery, delivery::automatic);
   EXPECT_EQ(c.cutover, cutover::eager);
   EXPECT_FALSE(c.breaker);
   EXPECT_EQ(c.resend.max_resends, std::nullopt);
}

struct refused {
   const char* uri;
   const char* says;
};
void expect_refused(const refused& r) {
   const result<config> c = config::from_uri(r.uri);
   ASSERT_FALSE(c) << r.uri;
   EXPECT_EQ(c.error().code(), errc::invalid_argument) << r.uri;
   EXPECT_EQ(c.error().outcome, outcome::not_executed) << r.uri;
   EXPECT_NE(c.error().what().find(r.says), std::string::npos) << r.uri << "\n   " << c.error().what();
   EXPECT_EQ(c.error().what().find('\n'), std::string::npos) << r.uri;
}

TEST(ConfigUri, ABadSchemeHostOrPortIsNamedAndWhatToWriteInstead) {
   const refused table[] = {
      {"", "URI: scheme: missing; write redis://HOST:PORT"},
      {"localhost:6379", "URI: scheme: missing"},
      {"http://h", "URI: scheme: not one of ours"},
      {"redis+sentinels://h/m", "URI: scheme: not one of ours"},
      {"redis://", "URI: host: missing; write redis://HOST:PORT"},
      {"redis://:6379", "URI: host: missing"},
      {"redis:///0", "URI: host: missing"},
      {"redis://a b", "URI: host: 'a b' is no name or address"},
      {"redis://a%0ab", "is no name or address"},
      {"redis://%2Ftmp%2Fsocket", "is no name or address"},
      {"redis://::1", "URI: host: more than one ':'; write an IPv6 address in brackets"},
      {"redis://[::1", "URI: host: a ']' is missing"},
      {"redis://[::1]6379", "URI: host: only :PORT may follow"},
      {"redis://[localhost]", "is no name or address"},
      {"redis://[fe80::1%eth0]", "URI: host: the zone of an IPv6 address is written %25ZONE, as in [fe80::1%25eth0]"},
      {"redis://[fe80::1%32]", "URI: host: the zone of an IPv6 address is written %25ZONE"},
      {"redis://[fe80::1%25]", "URI: host: the zone of an IPv6 address is written %25ZONE"},
      {"redis://[]", "URI: host: missing"},
      {"redis://h%zz", "URI: host: '%' must be followed by two hexadecimal digits"},
      {"redis://h:", "URI: port: must be a number from 1 to 65535, after 'h'"},
      {"redis://h:0", "URI: port: must be"},
      {"redis://h:65536", "URI: port: must be"},
      {"redis://h:-1", "URI: port: must be"},
      {"redis://h:6379x", "URI: port: must be"},
      {"redis://h1,h2", "URI: host: a list; only redis+sentinel:// takes one"},
   };
   for (const refused& r : table) expect_refused(r);
}

TEST(ConfigUri, ABadUserDatabaseOptionOrMasterIsNamedAndWhatToWriteInstead) {
   const refused table[] = {
      {"redis://h/x", "URI: db: 'x' is not a number"},
      {"redis://h/1/2", "URI: db: '1/2' is not a number"},
      {"redis://h/-1", "URI: db: '-1' is not a number"},
      {"redis://h/99999999999", "URI: db: '99999999999' is not a number"},
      {"redis://h/4294967295", "config: db: must be at most"},
      {"redis://user@h", "URI: user: a name or a password alone is ambiguous; write redis://:PASSWORD@..."},
      {"redis://@h", "URI: user: a name or a password alone"},
      {"redis://%:x@h", "URI: user: '%' must be"},
      {"redis://u:%4@h", "URI: password: '%' must be"},
      {"redis://h#f", "URI: '#': a URI of a server has no fragment"},
      {"redis://h?nope=1", "URI: option: 'nope' is unknown; there are username, password,"},
      {"redis://h?deadline", "URI: option deadline: a value is missing after '='"},
      {"redis://h?deadline=5", "URI: option deadline: '5' is not a number with its unit, such as 500ms"},
      {"redis://h?deadline=", "URI: option deadline: '' is not a number with its unit"},
      {"redis://h?deadline=0", "config: deadline: must be more than 0"},
      {"redis://h?deadline=1s&deadline=2s", "URI: option deadline: is given twice"},
      {"redis://h/1?db=2", "URI: option db: is given twice"},
      {"redis://:a@h?password=b", "URI: option password: is given twice"},
      {"redis://h?delivery=maybe", "URI: option delivery: 'maybe' is not automatic, at_most_once"},
      {"redis://h?breaker=1", "URI: option breaker: '1' is not true or false"},
      {"redis://h?cutover=late", "URI: option cutover: 'late' is not eager or confirmed"},
      {"redis://h?max_resends=-1", "URI: option max_resends: '-1' is not a number"},
      {"redis://h?client_name=a%20b", "config: client_name: only printable ASCII"},
      {"redis://h?client_name=%", "URI: option client_name: '%' must be"},
      {"unix://run/redis.sock", "URI: path: missing or not absolute; write unix:///PATH"},
      {"unix://", "URI: path: missing"},
      {"unix:///", "URI: path: missing"},
      {"redis+sentinel://h", "URI: master: missing; write redis+sentinel://HOST:PORT/MASTER"},
      {"redis+sentinel://h/", "URI: master: missing"},
      {"redis+sentinel:///m", "URI: host: missing"},
      {"redis+sentinel://h1,,h2/m", "URI: host: missing"},
      {"redis+sentinel://h1,h2,/m", "URI: host: missing"},
      {"redis+sentinel://h1:x,h2/m", "URI: port: must be a number from 1 to 65535, after 'h1'"},
      {"redis+sentinel://h/m/x", "URI: db: 'x' is not a number"},
      {"redis+sentinel://h/m%1", "URI: master: '%' must be"},
   };
   for (const refused& r : table) expect_refused(r);
}

TEST(ConfigUri, TlsIsRefusedAsNotBuiltYet) {
   for (const char* uri : {"rediss://h", "REDISS://h:1/2", "rediss+sentinel://h/m"}) {
      const result<config> c = config::from_uri(uri);
      ASSERT_FALSE(c) << uri;
      EXPECT_EQ(c.error().code(), errc::not_supported);
      EXPECT_EQ(c.error().outcome, outcome::not_executed);
      EXPECT_NE(c.error().what().find("TLS is not built yet"), std::string::npos);
   }
}

TEST(ConfigUri, NoComplaintShowsAPassword) {
   const char* const uris[] = {
      "redis://:HUSH",  // the host was forgotten
      "redis://app:HUSH",
      "redis://HUSH@h",
      "redis://:HUSH%@h",
      "redis://:HUSH@h:x",
      "redis://:HUSH@",
      "redis://:HUSH@h/x",
      "redis://:HUSH@h?nope=1",
      "rediss://:HUSH@h",
      "http://:HUSH@h",
      ":HUSH@h",
      "unix://:HUSH@run",
      "redis+sentinel://:HUSH@h",
      "redis://h?password=HUSH&nope=1",
      "redis://h?password=HUSH%",
      "redis://:HUSH@h?password=HUSH",
      "redis://h?password=HUSH&deadline=0",
      // Delimiters that should have been encoded: what follows them looks like path, query or fragment.
      "redis://:x/HUSH@h",
      "redis://app:1/HUSH@h",
      "redis://app:1?HUSH@h",
      "redis://app:1?db=HUSH@h",
      "redis://app:1?HUSH=1@h",
      "redis://app:1#HUSH@h",
      "redis://app:HUSH/x@h",
      "redis://app:a@HUSH/x@h",
      "redis://app:a@HUSH b/x@h",
      "unix://app:1/HUSH@/run/redis.sock",
      "redis+sentinel://app:1/HUSH@h1,h2/m",
      "redis+sentinel://app:1/HUSH@h1",
   };
   for (const char* uri : uris) {
      const result<config> c = config::from_uri(uri);
      ASSERT_FALSE(c) << uri;
      EXPECT_EQ(c.error().what().find("HUSH"), std::string::npos) << uri << "\n   " << c.error().what();
   }
}

TEST(ConfigUri, APasswordWithADelimiterIsToldHowToWriteIt) {
   for (const char* uri : {"redis://:a/b@h", "redis://:a?b@h", "redis://:a#b@h", "redis+sentinel://u:1/b@h,i/m"})
      EXPECT_NE(config::from_uri(uri).error().what().find("write it as %2F, %3F or %23"), std::string::npos) << uri;
}

// Any bytes: an answer, and when it is yes, a configuration that is sound.
TEST(ConfigUri, NoBytesBreakIt) {
   const std::string seeds[] = {"redis://u:p@[::1]:6379/3?deadline=2s&db=1", "unix://:p@/run/a%20b?db=0",
                                "redis+sentinel://u:p@h1:1,h2/m/0?delivery=automatic&client_name=x"};
   const std::string_view spice = "%%:/?#[]@&=,.0f \n\xff-+";
   random_source random(11);
   const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
   unsigned accepted = 0;
   for (int i = 0; i < 20'000; ++i) {
      std::string uri = seeds[below(std::size(seeds))];
      for (std::size_t n = below(4); n > 0; --n) {
         const std::size_t at = below(uri.size());
         switch (below(4)) {
            case 0: uri[at] = spice[below(spice.size())]; break;
            case 1: uri.insert(at, 1, spice[below(spice.size())]); break;
            case 2: uri.erase(at, 1 + below(5)); break;
            case 3: uri.insert(at, uri.substr(below(uri.size()), below(9))); break;
         }
         if (uri.empty()) uri = "r";
      }
      const result<config> c = config::from_uri(uri);
      if (c) {
         ++accepted;
         ASSERT_TRUE(validate(*c)) << uri;
      } else {
         ASSERT_EQ(c.error().causes.empty(), false) << uri;
         ASSERT_EQ(c.error().what().find('\n'), std::string::npos) << uri;
      }
   }
   EXPECT_GT(accepted, 1000U);
}

}  // namespace
}  // namespace holdfast::config_uri_test
