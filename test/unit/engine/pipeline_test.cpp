// A pipeline whose connection ends at every byte of it, or, where it is long, before, within or after each command and
// each reply. Whatever was
// answered counts, whatever was written and not answered is sent again or unknown, and whatever was not wholly written
// waits for the next connection: each once, in order.
#include "unit/engine/deployment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace holdfast::impl::test::pipeline_test {
namespace {

// What the kernel took of the pipeline, how much of that reached the server, and how much of its replies came back.
struct break_point {
   std::size_t taken = 0;
   std::size_t reached = 0;
   std::size_t replied = 0;
};

// One server, which counts what it runs by the key.
class scripted_server {
 public:
   std::string serve(value_view command) {
      const auto name = command[0].text();
      if (name == "HELLO") return "%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$6\r\nmaster\r\n";
      if (name == "CLIENT" && command[1].text() == "KILL") return ":1\r\n";
      if (name == "CLIENT") return test::bulk("id=7 addr=10.9.9.9:7\n");
      if (name == "INFO") return test::bulk("# Server\r\nrun_id:0123456789012345678901234567890123456789\r\n");
      if (name == "MULTI") return queueing_ = true, "+OK\r\n";
      if (name == "EXEC") return execute();
      const std::string key(command[1].text());
      if (!queueing_) return run(key, name);
      queued_.push_back({key, std::string(name)});
      return "+QUEUED\r\n";
   }

   void lose_connection() {
      queueing_ = false;
      queued_.clear();
   }
   unsigned runs_of(const std::string& key) const {
      const auto found = runs_.find(key);
      return found == runs_.end() ? 0 : found->second;
   }
   const std::vector<std::string>& order() const { return order_; }

 private:
   std::string run(const std::string& key, std::string_view name) {
      ++runs_[key];
      order_.push_back(key);
      if (name == "INCR") return ":" + std::to_string(runs_[key]) + "\r\n";
      return name == "SET" ? "+OK\r\n" : "$5\r\nvalue\r\n";
   }
   std::string execute() {
      queueing_ = false;
      std::vector<std::string> replies;
      for (const auto& [key, name] : queued_) replies.push_back(run(key, name));
      queued_.clear();
      return test::array(replies);
   }

   bool queueing_ = false;
   std::vector<std::pair<std::string, std::string>> queued_;
   std::map<std::string, unsigned> runs_;
   std::vector<std::string> order_;
};

// One entry of the list: a command, or a transaction.
struct unit {
   std::vector<command> commands;
   std::vector<result<value>> results;
   operation op;
   std::string key;
   bool repeatable = false;
   std::size_t begin = 0, end = 0;              // of its bytes in the pipeline
   std::size_t reply_begin = 0, reply_end = 0;  // of its replies in what the server says if it runs all
};

constexpr std::size_t kinds = 4;

// GET, SET, INCR, a transaction, and so on, beginning with the kind of that number.
std::vector<unit> make_list(std::size_t length, std::size_t first_kind = 0) {
   std::vector<unit> units(length);
   scripted_server undisturbed;
   reader parser{limits{}};
   std::size_t sent = 0, replied = 0;
   for (std::size_t i = 0; i < length; ++i) {
      unit& u = units[i];
      u.key = "key" + std::to_string(i);
      const std::size_t kind = (first_kind + i) % kinds;
      u.repeatable = kind < 2;
      switch (kind) {
         case 0: u.commands = {{"GET", u.key}}; break;
         case 1: u.commands = {{"SET", u.key, "value"}}; break;
         case 2: u.commands = {{"INCR", u.key}}; break;
         default: u.commands = {{"MULTI"}, {"INCR", u.key}, {"EXEC"}};
      }
      u.results.resize(u.commands.size());
      u.op.commands = u.commands;
      u.op.results = u.results.data();
      u.op.deadline = never;
      u.begin = sent;
      u.reply_begin = replied;
      for (const command& c : u.commands) {
         test::put(parser, std::string(c.bytes()));
         parser.next();
         sent += c.bytes().size();
         replied += undisturbed.serve(parser.reply()).size();
      }
      u.end = sent;
      u.reply_end = replied;
   }
   return units;
}

// Plays the runtime: the first connection that carries the pipeline breaks at the given point, the next one works.
class run_of {
 public:
   run_of(std::vector<unit> units, break_point where, config c)
      : where_(where), units_(std::move(units)), engine_(c, 1) {
      find_out_about_multi();
      for (unit& u : units_) {
         u.op.submitted = now_;
         engine_.submit(u.op, now_);
      }
      for (int step = 0; step < 100 && finished_ != units_.size(); ++step) {
         carry_out();
         now_ = std::max(now_, std::min(engine_.next_deadline(), now_ + 1s));
         engine_.tick(now_);
      }
   }

   const std::vector<unit>& units() const { return units_; }

   void check() const {
      ASSERT_EQ(finished_, units_.size());
      for (const unit& u : units_) {
         SCOPED_TRACE(to_string(u.commands.back()) + " of " + u.key);
         const bool answered = u.reply_end <= where_.replied;
         const bool whole = u.end <= where_.taken;
         const bool ran_at_first = u.end <= where_.reached;
         const result<value>& last = u.results.back();
         if (answered || u.repeatable || !whole) {
            EXPECT_TRUE(last.has_value()) << last.error().what();
            EXPECT_EQ(server_.runs_of(u.key), 1U + (ran_at_first && !answered && u.repeatable));
            EXPECT_EQ(u.op.attempts, answered || !whole ? 1U : 2U);
         } else {
            ASSERT_FALSE(last.has_value());
            EXPECT_EQ(last.error().outcome, outcome::unknown);
            EXPECT_EQ(last.error().code(), errc::connection_lost);
            EXPECT_EQ(server_.runs_of(u.key), ran_at_first ? 1U : 0U);
         }
      }
   }

 private:
   // Else the pipeline would stop at its first transaction, for the answer to that.
   void find_out_about_multi() {
      const command empty[] = {{"MULTI"}, {"EXEC"}};
      result<value> replies[2];
      operation op;
      op.commands = empty;
      op.results = replies;
      op.submitted = now_;
      op.deadline = never;
      engine_.submit(op, now_);
      carry_out();
      ASSERT_TRUE(op.done);
      finished_ = 0;
      is_pipeline_ = true;
   }

   void carry_out() {
      io_request a;
      for (;;) {
         while (engine_.next_io(a)) carry_out(a);
         const std::size_t before = finished_;
         while (engine_.take_done(now_) != nullptr) ++finished_;
         if (finished_ == before && !engine_.has_io()) return;
      }
   }

   void carry_out(const io_request& a) {
      switch (a.what) {
         case io_request::kind::resolve: return engine_.resolved(a.link, a.serial, {a.where}, {}, now_);
         case io_request::kind::connect:
            at_server_ = std::make_unique<reader>(limits{});
            ++connections_;
            return engine_.connected(a.link, a.serial, now_);
         case io_request::kind::write: return write(a);
         case io_request::kind::close:
         case io_request::kind::abort: return;
      }
   }

   void write(const io_request& a) {
      const auto span = engine_.to_write(a.link, a.serial);
      if (span.empty()) return;
      std::string bytes(span.begin(), span.end());
      const bool carries_pipeline = is_pipeline_ && connections_ == 1 && engine_.lane().connection().ready();
      if (!carries_pipeline) {
         engine_.wrote(a.link, a.serial, bytes.size(), now_);
         say(a, deliver(bytes));
         return write(a);
      }
      bytes.resize(std::min(bytes.size(), where_.taken - taken_));
      const std::size_t arrives = std::min(bytes.size(), where_.reached - std::min(taken_, where_.reached));
      taken_ += bytes.size();
      if (!bytes.empty()) engine_.wrote(a.link, a.serial, bytes.size(), now_);
      std::string replies = deliver(bytes.substr(0, arrives));
      replies.resize(std::min(replies.size(), where_.replied - replied_));
      replied_ += replies.size();
      say(a, replies);
      const bool everything = taken_ == units_.back().end && replied_ == where_.replied;
      if (taken_ != where_.taken && !everything) return write(a);
      server_.lose_connection();
      engine_.lost(a.link, a.serial, "closed by the other side", now_);
   }

   std::string deliver(const std::string& bytes) {
      std::string replies;
      test::put(*at_server_, bytes);
      while (at_server_->next() == reader::status::reply) replies += server_.serve(at_server_->reply());
      return replies;
   }

   void say(const io_request& a, std::string_view rest) {
      while (!rest.empty()) {
         const auto space = engine_.space(a.link, a.serial);
         ASSERT_FALSE(space.empty());
         const auto n = std::min(space.size(), rest.size());
         std::copy_n(rest.data(), n, space.data());
         rest.remove_prefix(n);
         engine_.received(a.link, a.serial, n, now_);
      }
   }

   break_point where_;
   std::vector<unit> units_;
   scripted_server server_;
   engine engine_;
   time_point now_ = time_point{} + 1h;
   std::unique_ptr<reader> at_server_;
   bool is_pipeline_ = false;
   unsigned connections_ = 0;
   std::size_t taken_ = 0, replied_ = 0, finished_ = 0;
};

config with_ample_budget() {
   config c = with_server();
   c.resend.budget.per_second = 1000;
   return c;
}

void expect_truth(std::vector<unit> units, break_point where) {
   SCOPED_TRACE("taken " + std::to_string(where.taken) + ", reached " + std::to_string(where.reached) + ", replied " +
                std::to_string(where.replied));
   run_of(std::move(units), where, with_ample_budget()).check();
}

// What the server says to the commands that have reached it wholly.
std::size_t replies_to(const std::vector<unit>& units, std::size_t reached) {
   std::size_t size = 0;
   for (const unit& u : units)
      if (u.end <= reached) size = u.reply_end;
   return size;
}

TEST(pipeline, of_one_command_is_broken_at_every_byte) {
   for (std::size_t kind = 0; kind < kinds && !HasFailure(); ++kind) {
      const auto units = make_list(1, kind);
      const std::size_t size = units.back().end;
      for (std::size_t taken = 0; taken <= size; ++taken)
         for (std::size_t reached = 0; reached <= taken; ++reached)
            for (std::size_t replied = 0; replied <= replies_to(units, reached); ++replied)
               expect_truth(make_list(1, kind), {taken, reached, replied});
   }
}

TEST(pipeline, of_ten_commands_is_broken_at_every_byte) {
   const auto units = make_list(10);
   const std::size_t size = units.back().end;
   for (std::size_t taken = 0; taken <= size && !HasFailure(); ++taken) expect_truth(make_list(10), {taken, taken, 0});
   for (std::size_t reached = 0; reached <= size && !HasFailure(); ++reached)
      expect_truth(make_list(10), {size, reached, replies_to(units, reached)});
   for (std::size_t replied = 0; replied <= units.back().reply_end && !HasFailure(); ++replied)
      expect_truth(make_list(10), {size, size, replied});
}

TEST(pipeline, of_a_thousand_commands_is_broken_around_each) {
   constexpr std::size_t length = 1000;
   const auto units = make_list(length);
   const std::size_t size = units.back().end;
   for (std::size_t i = 0; i < length && !HasFailure(); ++i) {
      const unit& u = units[i];
      switch (i % 4) {
         case 0: expect_truth(make_list(length), {u.begin, u.begin, 0}); break;
         case 1: expect_truth(make_list(length), {u.end - 1, u.begin, u.reply_begin}); break;
         case 2: expect_truth(make_list(length), {size, u.end, u.reply_begin + 1}); break;
         default: expect_truth(make_list(length), {size, size, u.reply_end}); break;
      }
   }
}

// The first time is free, however many they are.
TEST(pipeline, longer_than_the_retry_budget_is_sent_again) {
   constexpr std::size_t length = 1000;
   auto units = make_list(length);
   const std::size_t size = units.back().end;
   run_of run(std::move(units), {size, size, 0}, with_server());
   for (const unit& u : run.units()) {
      EXPECT_TRUE(u.results.back() || !u.repeatable) << u.key;
   }
}

}  // namespace
}  // namespace holdfast::impl::test::pipeline_test
