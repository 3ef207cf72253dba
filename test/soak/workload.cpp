#include "soak/workload.hpp"

#include "core/number.hpp"

#include <algorithm>

namespace holdfast::soak {
namespace {

constexpr std::string_view push_script = "return redis.call('rpush', KEYS[1], ARGV[1])";
constexpr std::size_t most_told = 20;  // wrong answers; the others are counted

bool is_journaled(sort s) { return s == sort::push || s == sort::transaction || s == sort::script; }

std::uint64_t number_in(value_view v) { return v.is_nil() ? 0 : parse_number<std::uint64_t>(v.text()).value_or(~0ULL); }

}  // namespace

std::int64_t wall_now() {
   return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

totals& totals::operator+=(const totals& other) {
   acked += other.acked;
   not_executed += other.not_executed;
   unknown += other.unknown;
   executed += other.executed;
   return *this;
}

void expected_value::wrote(std::uint64_t number, bool certain) {
   if (certain) possible_.clear(), anything_ = false;
   possible_.insert(number);
}

bool expected_value::may_be(std::uint64_t number) {
   if (!anything_ && !possible_.contains(number)) return false;
   anything_ = false;
   possible_ = {number};
   return true;
}

bool expected_rise::may_be(std::int64_t answer) {
   const bool right = !last_ || (answer > *last_ && answer <= *last_ + 1 + maybe_);
   if (!right) before_ = std::to_string(*last_) + " and " + std::to_string(maybe_) + " unknown";
   last_ = answer;
   maybe_ = 0;
   return right;
}

workload::workload(unsigned number, config settings, const deployment* through, std::uint64_t seed,
                   const std::atomic<unsigned>& restarts)
   : id_(std::to_string(number)), restarts_(restarts), random_(seed), redis_([&] {
        settings.observer = [this](const any_event& e) {
           const auto* there = std::get_if<event::connected>(&e);
           if (there == nullptr || (there->master == master_ && there->epoch == epoch_)) return;
           master_ = there->master;
           epoch_ = there->epoch;  // the same node may have been a replica meanwhile, and lack what another one had
           ++moves_;
        };
        return through != nullptr ? client(*through, settings) : client(settings);
     }()) {
   journal_.client = "client " + id_;
   thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) step();
   });
}

void workload::finish() {
   thread_.request_stop();
   thread_.join();
}

table workload::so_far() const {
   const std::lock_guard lock(guard_);
   return table_;
}

void workload::add(sort s) {
   const std::uint64_t n = ++last_number_;
   const std::string journal = "journal:" + id_;
   switch (s) {
      case sort::read: list_.push_back({"GET", "value:" + id_}); break;
      case sort::set: list_.push_back({"SET", "value:" + id_, n}); break;
      case sort::expiring:
         if (n % 2 == 0)
            list_.push_back({"SET", "expiring:" + id_, n, "PX", 1 + random_() % 100});
         else
            list_.push_back({"GET", "expiring:" + id_});
         break;
      case sort::incr: list_.push_back({"INCR", "counter:" + id_}); break;
      case sort::push: list_.push_back({"RPUSH", journal, n}); break;
      case sort::transaction:
         list_.push_back({"MULTI"});
         list_.push_back({"INCR", "counter:" + id_});
         list_.push_back({"RPUSH", journal, n});
         list_.push_back({"EXEC"});
         break;
      case sort::script: list_.push_back({"EVAL", push_script, 1, journal, n}); break;
      case sort::queue_push: list_.push_back({"RPUSH", "queue:" + id_, n}); break;
      case sort::blocking_pop: list_.push_back({"BLPOP", "queue:" + id_, "0.02"}); break;
   }
   calls_.push_back({s, n, list_.size() - 1});
}

void workload::step() {
   list_.clear();
   calls_.clear();
   // A blocking command stands alone; half of the others in lists.
   const std::size_t length = random_() % 2 == 0 ? 1 : 2 + random_() % 7;
   const auto any = [&] { return static_cast<sort>(random_() % names_of_sorts.size()); };
   for (add(any()); calls_.size() < length && calls_.front().what != sort::blocking_pop;)
      if (const sort s = any(); s != sort::blocking_pop) add(s);
   const unsigned before = moves();
   told times = {.start = wall_now()};
   const auto replies =
      redis_.run(list_, {.delivery = random_() % 8 == 0 ? std::optional(delivery::at_most_once) : std::nullopt});
   times.end = wall_now();
   const bool same_master = moves() == before;
   if (!same_master) {
      // Some of it ran here and some there, and the new one may lack what was acknowledged.
      value_.forget();
      expiring_.forget();
      counter_.forget();
      length_.forget();
      queue_.clear();
      popped_ = 0;
      loose_ = false;
   }
   for (const call& c : calls_) settle(c, replies[c.reply], times, same_master);
}

void workload::settle(const call& c, const result<value>& r, const told& times, bool same_master) {
   {
      const std::lock_guard lock(guard_);
      totals& t = table_[static_cast<std::size_t>(c.what)];
      ++(r                                        ? t.acked
         : r.error().outcome == outcome::unknown  ? t.unknown
         : r.error().outcome == outcome::executed ? t.executed
                                                  : t.not_executed);
   }
   told t = times;
   t.number = c.number;
   t.acked = r.has_value();
   if (!r) {
      t.outcome = r.error().outcome;
      for (const std::string& cause : r.error().causes) t.fenced = t.fenced && cause.find("not fenced") == cause.npos;
      loose_ = loose_ || (t.outcome == outcome::unknown && !t.fenced);
   }
   if (is_journaled(c.what)) journal_.writes.push_back(t);
   if (!r && t.outcome != outcome::not_executed) failed(c);
   if (r && same_master && !loose_) expect(answer_fits(c, *r), c, r);
}

void workload::failed(const call& c) {
   switch (c.what) {
      case sort::set: return value_.wrote(c.number, false);
      case sort::expiring: return expiring_.wrote(c.number, false);  // a GET may not, and allows too much
      case sort::incr: return counter_.maybe();
      case sort::transaction: counter_.maybe(); [[fallthrough]];
      case sort::push:
      case sort::script: return length_.maybe();
      case sort::queue_push:
      case sort::blocking_pop: return queue_.clear();
      case sort::read: return;
   }
}

bool workload::answer_fits(const call& c, const value& v) {
   switch (c.what) {
      case sort::read: return value_.may_be(number_in(v));
      case sort::set: return value_.wrote(c.number, true), v.text() == "OK";
      case sort::expiring:
         if (c.number % 2 != 0)
            return number_in(v) == 0 ? (expiring_.wrote(0, false), true) : expiring_.may_be(number_in(v));
         return expiring_.wrote(c.number, true), v.text() == "OK";
      case sort::incr: return counter_.may_be(v.integer());
      case sort::push:
      case sort::script: return length_.may_be(v.integer());
      case sort::transaction: return v.size() == 2 && counter_.may_be(v[0].integer()) && length_.may_be(v[1].integer());
      case sort::queue_push: return queue_.push_back(c.number), true;
      case sort::blocking_pop: break;
   }
   if (v.is_nil()) return queue_.empty();
   const std::uint64_t number = number_in(v[1]);
   const bool right = number > popped_ && (queue_.empty() || number <= queue_.front());
   popped_ = number;
   if (!queue_.empty() && queue_.front() == number) queue_.pop_front();
   return right;
}

void workload::expect(bool right, const call& c, const result<value>& r) {
   if (right || wrong_++ >= most_told) return;
   wrong_answers_.push_back("client " + id_ + ": " + to_string(list_[c.reply]) + " (" + std::to_string(c.number) +
                            ") was answered " + to_string(*r) +
                            ", which its order could not have given (counter behind " + counter_.before() +
                            ", length behind " + length_.before() + "; at " + to_string(master_) + ")");
}

}  // namespace holdfast::soak
