// `make soak`: mixed commands of several clients, through a bad network and real failovers, for as long as it is told.
// What the clients were told is compared with what the servers ran (MONITOR) and with what the last master holds.
#include "core/number.hpp"
#include "lab/fault.hpp"
#include "lab/promotion.hpp"
#include "soak/listener.hpp"
#include "soak/workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>

namespace holdfast::soak {
namespace {

using lab::clock;
using lab::milliseconds;
using lab::network_fault;
using namespace std::chrono_literals;

// What docs/guarantees.md says of a failover in microseconds: a client that cannot hear the Sentinel that leads it
// follows two seconds later. And for both ends what a busy machine needs.
constexpr std::int64_t until_followed = 2'000'000;
constexpr std::int64_t margin = 500'000;
constexpr std::size_t most_told = 20;  // violations; the others are counted

struct options {
   std::chrono::seconds length = 60s;
   std::uint64_t seed = 1;
   unsigned clients = 6;
   bool json = false;
   std::string plant = {};  // a violation of ours: lost, twice, lie or answer
};

class soak {
 public:
   explicit soak(options o) : options_(std::move(o)), random_(options_.seed) {
      // By which they see sooner that all is well again.
      for (std::size_t i = 0; i < servers_.sentinels(); ++i)
         servers_.sentinel(i).connect().run({"SENTINEL", "DEBUG", "info-period", "1000"});
      for (std::size_t i = 0; i < servers_.nodes(); ++i) listeners_.emplace_back(servers_, i);
      for (unsigned i = 0; i < options_.clients; ++i) {
         const bool shares = i % 2 == 1;
         config c = shares ? shared_.settings() : config::from_uri(servers_.uri()).value();
         c.attempt_timeout = 500ms;
         clients_.push_back(std::make_unique<workload>(i, c, shares ? &shared_ : nullptr, random_(), restarts_));
      }
   }

   void run() {
      const auto until = begin_ + options_.length;
      std::jthread network([this, seed = random_()](const std::stop_token& stop) { disturb(stop, seed); });
      while (clock::now() < until) {
         go_on(std::min<clock::time_point>(until, clock::now() + milliseconds(1500 + random_() % 3000)));
         if (clock::now() >= until) break;
         try {
            fail_over();
         } catch (const std::exception& e) {
            network.request_stop();
            throw std::runtime_error(e.what() + ("\n" + servers_.logs(12)));
         }
      }
      network.request_stop();
      network.join();
      if (options_.plant == "answer") {
         servers_.node_at(servers_.named_master()).connect().run({"INCRBY", "counter:0", "1000"});
         lab::await("client 0 notices", [&] { return clients_[0]->violations() != 0; }, 20s);
      }
      for (auto& c : clients_) c->finish();
      servers_.await_health(180s);
   }

   // What was found, as the exit status tells it.
   bool report() {
      std::map<std::string, std::vector<ran>> runs;
      plant_in_servers();
      for (listener& l : listeners_)
         for (auto& [key, more] : l.conclude()) runs[key].insert(runs[key].end(), more.begin(), more.end());
      lab::control master = servers_.node_at(servers_.named_master()).connect(10s);
      for (std::size_t i = 0; i < clients_.size(); ++i) {
         journal j = clients_[i]->take_journal();
         const std::string key = "journal:" + std::to_string(i);
         for (const lab::reply& r : master.run({"LRANGE", key, "0", "-1"}).elements)
            j.held.push_back(parse_number<std::uint64_t>(r.text).value_or(0));
         j.runs = std::move(runs[key]);
         heard_ += j.runs.size();
         if (i == 0 && options_.plant == "lie") plant_lie(j);
         add(judge(j, windows()));
         found_ += clients_[i]->violations();
         tell(clients_[i]->wrong_answers());
      }
      if (heard_ == 0) lines_.emplace_back("no server told of any write"), ++found_;
      options_.json ? print_json() : print();
      return found_ == 0;
   }

 private:
   // A fault that leads to a failover. What was acknowledged and lost by it is known in the end.
   struct failing {
      std::size_t kind = 0;
      clock::time_point at = {};
      std::uint64_t lost = 0;
   };
   static constexpr std::array<std::string_view, 3> kinds = {"kill", "stop", "planned"};

   struct cost {
      unsigned count = 0;
      std::uint64_t lost = 0;
   };
   std::map<std::string_view, cost> failovers_by_kind() const {
      std::map<std::string_view, cost> all;
      for (const failing& f : failovers_) {
         ++all[kinds[f.kind]].count;
         all[kinds[f.kind]].lost += f.lost;
      }
      return all;
   }

   // ---- failovers ------------------------------------------------------------------------------------------------
   void go_on(clock::time_point until) {
      while (clock::now() < until) {
         lab::became_true([&] { return clock::now() >= until; }, 1000ms, 20ms);
         if (clock::now() - last_progress_ >= 10s) progress();
      }
   }

   void fail_over() {
      const std::size_t kind = random_() % kinds.size();
      lab::server& old = servers_.node_at(servers_.named_master());
      const std::size_t before = promotions_.seen().size();
      failovers_.push_back({kind, clock::now()});
      kind == 0 ? old.kill() : kind == 1 ? old.stop() : plan();
      const auto promoted = [&] { return promotions_.seen().size() > before; };
      // A planned one that fails is not tried again by the Sentinels.
      if (kind == 2 && !lab::became_true(promoted, 20s)) plan();
      lab::await("a replica is promoted", promoted, 60s);
      const endpoint master = promotions_.seen().back().node;
      if (kind == 1) old.resume();
      if (kind == 0) {
         ++restarts_;
         old.start();
         old.await_pong();
         // As an operator would; the Sentinels take ten seconds.
         lab::control again = old.connect();
         again.run({"REPLICAOF", master.host, std::to_string(master.port)});
         again.ask({"CLIENT", "KILL", "TYPE", "normal"});  // those who took it for a master ask again
      }
      servers_.await_health(180s);
   }

   void plan() {
      servers_.sentinel(random_() % servers_.sentinels())
         .connect()
         .ask({"SENTINEL", "FAILOVER", servers_.options().master_name});
   }

   std::vector<failover> windows() const {
      const std::int64_t wall = wall_now();
      const auto now = clock::now();
      const auto as_wall = [&](clock::time_point t) {
         return wall - std::chrono::duration_cast<std::chrono::microseconds>(now - t).count();
      };
      std::vector<failover> all;
      const auto promotions = promotions_.seen();
      for (const auto& [kind, fault, lost] : failovers_) {
         const auto of_it = std::find_if(promotions.begin(), promotions.end(), [&](auto& p) { return p.at > fault; });
         const auto over = of_it == promotions.end() ? now : of_it->at;
         all.push_back({as_wall(fault) - margin, as_wall(over) + until_followed + margin});
      }
      return all;
   }

   // ---- the network ----------------------------------------------------------------------------------------------
   void disturb(const std::stop_token& stop, std::uint64_t seed) {
      std::mt19937_64 random(seed);
      using kind = network_fault::kind;
      constexpr std::array ends = {kind::reset, kind::close, kind::half_close, kind::silence, kind::swallow};
      constexpr std::array markers = {"\r\nRPUSH\r\n", "\r\nINCR\r\n", "\r\nSET\r\n", "\r\nEXEC\r\n", "\r\nEVAL\r\n"};
      while (!stop.stop_requested()) {
         lab::fault_proxy& proxy = *servers_.proxy(random() % (servers_.nodes() + servers_.sentinels()));
         network_fault f = servers_.options().network.front();
         f.towards = random() % 2 == 0 ? lab::direction::to_server : lab::direction::to_client;
         f.time = milliseconds(random() % 50);
         f.rate = 1000 + random() % 100'000;
         const auto for_a_while = [&](network_fault::kind what) {
            f.what = what;
            proxy.impose({f});
            lab::pass(milliseconds(100 + random() % 800), stop);
            proxy.lift({f});
         };
         switch (random() % 6) {
            case 0: for_a_while(kind::delay); break;
            case 1: for_a_while(kind::stall); break;
            case 2: for_a_while(kind::dribble); break;
            case 3: proxy.lose_reply_to(markers[random() % markers.size()]); break;
            default:
               f.what = ends[random() % ends.size()];
               f.after = random() % 3000;
               proxy.impose_on_open(f);
         }
         ++disturbances_;
         lab::pass(milliseconds(random() % 300), stop);
      }
   }

   // ---- the report -----------------------------------------------------------------------------------------------
   static void plant_lie(journal& j) {
      told& t = *std::find_if(j.writes.begin(), j.writes.end(), [](const told& w) { return w.acked; });
      t.acked = false;
      t.outcome = outcome::not_executed;
   }

   void plant_in_servers() {
      lab::control master = servers_.node_at(servers_.named_master()).connect();
      if (options_.plant == "lost")
         master.run({"LREM", "journal:0", "1", master.run({"LINDEX", "journal:0", "0"}).text});
      if (options_.plant == "twice") master.run({"RPUSH", "journal:0", master.run({"LINDEX", "journal:0", "0"}).text});
   }

   void add(const verdict& v) {
      for (std::size_t i = 0; i < v.lost.size(); ++i) failovers_[i].lost += v.lost[i];
      found_ += v.violations.size();
      tell(v.violations);
   }

   void tell(const std::vector<std::string>& lines) {
      for (const std::string& line : lines)
         if (lines_.size() < most_told) lines_.push_back(line);
   }

   table all_totals() const {
      table all = {};
      for (const auto& c : clients_) {
         const table one = c->so_far();
         for (std::size_t i = 0; i < all.size(); ++i) all[i] += one[i];
      }
      return all;
   }

   void progress() {
      last_progress_ = clock::now();
      totals s;
      for (const totals& t : all_totals()) s += t;
      std::size_t wrong = 0;
      for (const auto& c : clients_) wrong += c->violations();
      fmt::print(stderr, "{:5} s: {} failovers, {} acknowledged, {} unknown, {} not executed, {} wrong answers\n",
                 seconds(), failovers_.size(), s.acked, s.unknown, s.not_executed, wrong);
   }

   std::int64_t seconds() const {
      return std::chrono::duration_cast<std::chrono::seconds>(clock::now() - begin_).count();
   }

   void print() const {
      fmt::print("seed {}, {} s, {} clients; failovers:", options_.seed, seconds(), options_.clients);
      for (const auto& [name, c] : failovers_by_kind())
         fmt::print(" {} {} ({} acknowledged writes lost)", c.count, name, c.lost);
      fmt::print("; network faults: {}\n{:14} {:>12} {:>12} {:>8} {:>8}\n", disturbances_.load(), "", "acknowledged",
                 "not executed", "unknown", "executed");
      const auto row = [](std::string_view name, const totals& t) {
         fmt::print("{:14} {:12} {:12} {:8} {:8}\n", name, t.acked, t.not_executed, t.unknown, t.executed);
      };
      const table all = all_totals();
      totals sum;
      for (std::size_t i = 0; i < all.size(); ++i) row(names_of_sorts[i], all[i]), sum += all[i];
      row("all", sum);
      fmt::print("runs told by the servers: {}\n", heard_);
      for (const std::string& line : lines_) fmt::print("VIOLATION {}\n", line);
      fmt::print("{} violations\n", found_);
   }

   void print_json() const {
      nlohmann::ordered_json out = {{"seed", options_.seed},       {"seconds", seconds()},
                                    {"clients", options_.clients}, {"network_faults", disturbances_.load()},
                                    {"runs_told", heard_},         {"violations", found_},
                                    {"violations_told", lines_},   {"failovers", nlohmann::ordered_json::object()}};
      for (const auto& [name, c] : failovers_by_kind())
         out["failovers"][std::string(name)] = {{"count", c.count}, {"lost", c.lost}};
      const table all = all_totals();
      for (std::size_t i = 0; i < all.size(); ++i)
         out["by_class"][std::string(names_of_sorts[i])] = {{"acked", all[i].acked},
                                                            {"not_executed", all[i].not_executed},
                                                            {"unknown", all[i].unknown},
                                                            {"executed", all[i].executed}};
      fmt::print("{}\n", out.dump(2));
   }

   options options_;
   std::mt19937_64 random_;
   // A millisecond each way, so that there is something under way whenever something breaks.
   lab::deployment servers_{
      {.failover_timeout = 3000ms, .network = lab::both_ways({.what = network_fault::kind::delay, .time = 1ms})}};
   lab::promotion_watch promotions_{servers_};
   deployment shared_{servers_.uri()};
   std::deque<listener> listeners_;
   std::atomic<unsigned> restarts_ = 0;
   std::vector<std::unique_ptr<workload>> clients_;
   clock::time_point begin_ = clock::now();
   clock::time_point last_progress_ = begin_;
   std::vector<failing> failovers_;
   std::atomic<unsigned> disturbances_ = 0;
   std::size_t heard_ = 0;
   std::size_t found_ = 0;
   std::vector<std::string> lines_;
};

// Empty: it is not understood.
std::optional<options> read(int argc, char** argv) {
   options o;
   for (int i = 1; i < argc; ++i) {
      const std::string_view name = argv[i];
      if (name == "--json") {
         o.json = true;
         continue;
      }
      if (i + 1 == argc) return std::nullopt;
      const std::string_view word = argv[++i];
      const auto number = parse_number<unsigned>(word);
      if (name == "--plant" && (word == "lost" || word == "twice" || word == "lie" || word == "answer"))
         o.plant = word;
      else if (!number || *number == 0)
         return std::nullopt;
      else if (name == "--minutes")
         o.length = std::chrono::minutes(*number);
      else if (name == "--seconds")
         o.length = std::chrono::seconds(*number);
      else if (name == "--seed")
         o.seed = *number;
      else if (name == "--clients")
         o.clients = *number;
      else
         return std::nullopt;
   }
   return o;
}

}  // namespace
}  // namespace holdfast::soak

int main(int argc, char** argv) {
   const auto options = holdfast::soak::read(argc, argv);
   if (!options) {
      fmt::print(
         stderr,
         "usage: soak [--minutes N | --seconds N] [--seed N] [--clients N] [--json] [--plant lost|twice|lie|answer]\n");
      return 2;
   }
   try {
      holdfast::soak::soak s(*options);
      s.run();
      return s.report() ? 0 : 1;
   } catch (const std::exception& e) {
      fmt::print(stderr, "soak: {}\n", e.what());
      return 1;
   }
}
