#include "topology/sentinel/inquiry.hpp"

#include "core/assertion.hpp"

#include <holdfast/command.hpp>

namespace holdfast::topology {
namespace {

std::string bytes_of(const command& c) { return std::string(c.bytes()); }

}  // namespace

inquiry::inquiry(const sentinel_settings& s, resp::wish_list& wishes, const resp::limits& l)
   : connection(s.timeout, s.ping, wishes, l, sentinel_settings::most_patience),
     settings_(&s),
     auth_(auth_bytes(s)),
     id_question_(bytes_of({"SENTINEL", "MYID"})),
     question_(bytes_of({"SENTINEL", "MASTER", s.master}) +
               bytes_of({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.master})),
     list_question_(bytes_of({"SENTINEL", "SENTINELS", s.master})),
     replicas_question_(bytes_of({"SENTINEL", "REPLICAS", s.master})),
     ping_(bytes_of({"PING"})),
     wants_replicas_(s.keeps_replicas_warm()) {}

void inquiry::expect_reply(expect e) {
   HOLDFAST_ASSERT(expected_count_ < expected_.size());
   expected_[(first_expected_ + expected_count_) % expected_.size()] = e;
   ++expected_count_;
}

void inquiry::write_question(time_point now) {
   const auto before = expected_count_;
   batch_ += question_;
   expect_reply(expect::master);
   expect_reply(expect::address);
   if (list_wanted_ || now >= list_due_) {
      list_due_ = after(now, settings_->idle_poll / 2);
      batch_ += list_question_;
      expect_reply(expect::list);
      list_wanted_ = false;
      list_under_way_ = true;
   }
   asked_rounds_[questions_++] = round_;
   connection.send(batch_, expected_count_ - before, now);
   batch_.clear();
   if (now >= replicas_due_) want_replicas(now);
}

void inquiry::opened(time_point now) {
   connection.opened(now);
   first_expected_ = expected_count_ = questions_ = 0;
   again_ = false;
   list_wanted_ = true;
   replicas_under_way_ = false;
   list_under_way_ = list_known_ = false;
   master_known_ = false;
   refused_ = false;
   last_words_.clear();
   id_.clear();  // another Sentinel may stand there now
   batch_.clear();
   if (!auth_.empty()) {
      connection.send(auth_, 1, now);
      expect_reply(expect::auth);
   }
   connection.send(id_question_, 1, now);
   expect_reply(expect::id);
   replicas_due_ = now;
   write_question(now);
}

void inquiry::want_replicas(time_point now) {
   replicas_wanted_ = wants_replicas_;
   if (!replicas_wanted_ || replicas_under_way_ || !connection.is_open() || !master_known_) return;
   replicas_due_ = after(now, settings_->idle_poll / 2);
   if (state_.replicas > most_replicas) {
      replicas_wanted_ = false;
      return replicas_.clear();
   }
   connection.send(replicas_question_, 1, now);
   expect_reply(expect::replicas);
   replicas_wanted_ = false;
   replicas_under_way_ = true;
}

void inquiry::ask(std::uint64_t round, time_point now) {
   round_ = round;
   if (!connection.is_open()) return;
   if (questions_ == most_questions) {
      again_ = true;
      return;
   }
   write_question(now);
}

void inquiry::lost(const std::string& why) { fail(last_words_.empty() ? why : "ended the connection: " + last_words_); }

void inquiry::forget() {
   connection.close();
   id_.clear();
   list_known_ = false;
   listed_others_ = 0;
   replicas_.clear();
}

inquiry::event inquiry::check(time_point now, bool late) {
   switch (connection.check(now, late)) {
      case checked_connection::due::connect_timeout:
      case checked_connection::due::answer_timeout: return fail(connection.overdue_text());
      case checked_connection::due::ping:
         connection.send(ping_, 1, now);
         expect_reply(expect::ping);
         break;
      case checked_connection::due::dial:
      case checked_connection::due::nothing: break;
   }
   return event::nothing;
}

inquiry::event inquiry::take(time_point now) {
   while (connection.is_open()) {
      switch (connection.link.in.next()) {
         case resp::reader::status::incomplete: return event::nothing;
         case resp::reader::status::broken: return fail("broke the protocol: " + connection.link.in.problem());
         case resp::reader::status::reply: break;
      }
      if (const auto n = take_reply(connection.link.in.reply(), now); n != event::nothing) return n;
   }
   return event::nothing;
}

inquiry::event inquiry::take_reply(value_view reply, time_point now) {
   if (expected_count_ == 0) return fail("broke the protocol: sent what nobody asked for");
   connection.heard(now, true);
   const auto e = expected_[first_expected_];
   first_expected_ = (first_expected_ + 1) % static_cast<unsigned>(expected_.size());
   --expected_count_;
   switch (e) {
      case expect::auth: {
         const auto c = read_auth(reply);
         return c == sentinel_answer_kind::good ? event::nothing : fail_by(c, reply, "AUTH");
      }
      case expect::id: return take_id(reply);
      case expect::master: return take_master(reply);
      case expect::address: return take_address(reply, now);
      case expect::list: return take_list(reply);
      case expect::replicas: return take_replicas(reply, now);
      case expect::ping: return event::nothing;
   }
   return event::nothing;
}

inquiry::event inquiry::take_id(value_view reply) {
   if (reply.is_error() && read_error(reply.text()) == sentinel_answer_kind::turned_away)
      return fail_by(sentinel_answer_kind::turned_away, reply, "SENTINEL MYID");
   if (reply.is_error()) last_words_ = shown(reply.text());
   id_ = read_id(reply);
   return id_.empty() ? event::nothing : event::told_id;
}

inquiry::event inquiry::take_master(value_view reply) {
   master_class_ = read_master(reply, state_);
   switch (master_class_) {
      case sentinel_answer_kind::good:
         if (state_.other_sentinels != listed_others_ && !list_under_way_) list_wanted_ = true;
         return event::nothing;
      case sentinel_answer_kind::unknown_name: return event::nothing;
      case sentinel_answer_kind::forbidden:
         // A user who may ask for the address only: its epoch is then the lowest, and the majority decides.
         state_ = {};
         return event::nothing;
      default: return fail_by(master_class_, reply, "SENTINEL MASTER");
   }
}

inquiry::event inquiry::take_address(value_view reply, time_point now) {
   endpoint where;
   const auto c = read_address(reply, where);
   if (c != sentinel_answer_kind::good && c != sentinel_answer_kind::unknown_name)
      return fail_by(c, reply, "SENTINEL GET-MASTER-ADDR-BY-NAME");
   answer_ = {};
   answer_.round = asked_rounds_[0];
   // One half known, the other not: the name came or went between the two. The next question will tell.
   const bool known = c == sentinel_answer_kind::good && master_class_ != sentinel_answer_kind::unknown_name;
   answer_.what = known ? sentinel_answer::kind::named : sentinel_answer::kind::unknown;
   if (known) {
      answer_.where = std::move(where);
      answer_.state = state_;
   }
   asked_rounds_[0] = asked_rounds_[1];
   --questions_;
   master_known_ = true;
   last_words_.clear();
   if (again_) {
      again_ = false;
      write_question(now);
   }
   if (replicas_wanted_ || now >= replicas_due_) want_replicas(now);
   return event::answered;
}

inquiry::event inquiry::take_list(value_view reply) {
   constexpr std::size_t most_listed = 128;
   list_under_way_ = false;
   list_known_ = true;
   listed_others_ = state_.other_sentinels;
   switch (const auto c = read_sentinels(reply, most_listed, list_)) {
      case sentinel_answer_kind::good:
      case sentinel_answer_kind::unknown_name:
      case sentinel_answer_kind::forbidden: return event::listed;
      default: return fail_by(c, reply, "SENTINEL SENTINELS");
   }
}

// Whoever does not tell them (a user who may not ask, a Sentinel that is too old) leaves us without warm connections,
// and is as good a Sentinel as any otherwise.
inquiry::event inquiry::take_replicas(value_view reply, time_point now) {
   replicas_under_way_ = false;
   if (replicas_wanted_) want_replicas(now);
   if (read_replicas(reply, settings_->max_replicas, replicas_) != sentinel_answer_kind::good) replicas_.clear();
   return event::replicas;
}

inquiry::event inquiry::fail(std::string why, bool refused) {
   problem_ = std::move(why);
   refused_ = refused;
   list_under_way_ = false;
   connection.link.pass_over();  // another one may stand behind the same name
   connection.close();
   return event::failed;
}

inquiry::event inquiry::fail_by(sentinel_answer_kind c, value_view reply, std::string_view what) {
   const auto text = shown(reply.text());
   switch (c) {
      case sentinel_answer_kind::refused: return fail("refused our user or password: " + text, true);
      case sentinel_answer_kind::forbidden: return fail("forbids us " + std::string(what) + ": " + text, true);
      case sentinel_answer_kind::no_sentinel: return fail("is no Sentinel: " + text);
      case sentinel_answer_kind::turned_away: return fail("turned the connection away: " + text);
      default: break;
   }
   return fail("broke the protocol: its answer to " + std::string(what) + " makes no sense" +
               (text.empty() ? text : ": " + text));
}

}  // namespace holdfast::topology
