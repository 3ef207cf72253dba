#include "topology/sentinel/inquiry.hpp"

#include "core/assertion.hpp"

#include <holdfast/command.hpp>

namespace holdfast::impl {
namespace {

std::string bytes_of(const command& c) { return std::string(c.bytes()); }

}  // namespace

inquiry::inquiry(const sentinel_settings& s, wish_list& wishes, const limits& l)
   : connection(s.timeout, s.ping, wishes, l, sentinel_settings::most_patience),
     settings_(&s),
     commands_{.auth = auth_bytes(s),
               .id = bytes_of({"SENTINEL", "MYID"}),
               .question = bytes_of({"SENTINEL", "MASTER", s.master}) +
                           bytes_of({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.master}),
               .list = bytes_of({"SENTINEL", "SENTINELS", s.master}),
               .replicas = bytes_of({"SENTINEL", "REPLICAS", s.master}),
               .ping = bytes_of({"PING"})},
     replicas_{.enabled = s.keeps_replicas_warm()} {}

void inquiry::due_replies::push(expect e) {
   HOLDFAST_ASSERT(count_ < ring_.size());
   ring_[(first_ + count_) % ring_.size()] = e;
   ++count_;
}

inquiry::expect inquiry::due_replies::pop() {
   const auto e = ring_[first_];
   first_ = (first_ + 1) % ring_.size();
   --count_;
   return e;
}

void inquiry::write_question(time_point now) {
   const auto before = due_.size();
   batch_ += commands_.question;
   due_.push(expect::master);
   due_.push(expect::address);
   if (list_.wanted || now >= list_.due) {
      list_.due = after(now, settings_->idle_poll / 2);
      batch_ += commands_.list;
      due_.push(expect::list);
      list_.wanted = false;
      list_.under_way = true;
   }
   questions_.rounds[questions_.under_way++] = questions_.next;
   connection.send(batch_, static_cast<unsigned>(due_.size() - before), now);
   batch_.clear();
   if (now >= replicas_.due) want_replicas(now);
}

void inquiry::opened(time_point now) {
   connection.opened(now);
   due_.clear();
   questions_.under_way = 0;
   questions_.again = false;
   list_.wanted = true;
   replicas_.under_way = false;
   list_.under_way = list_.known = false;
   master_.known = false;
   refused_ = false;
   last_words_.clear();
   id_.clear();  // another Sentinel may stand there now
   batch_.clear();
   if (!commands_.auth.empty()) {
      connection.send(commands_.auth, 1, now);
      due_.push(expect::auth);
   }
   connection.send(commands_.id, 1, now);
   due_.push(expect::id);
   replicas_.due = now;
   write_question(now);
}

void inquiry::want_replicas(time_point now) {
   replicas_.wanted = replicas_.enabled;
   if (!replicas_.wanted || replicas_.under_way || !connection.is_open() || !master_.known) return;
   replicas_.due = after(now, settings_->idle_poll / 2);
   if (master_.state.replicas > most_replicas) {
      replicas_.wanted = false;
      return replicas_.nodes.clear();
   }
   connection.send(commands_.replicas, 1, now);
   due_.push(expect::replicas);
   replicas_.wanted = false;
   replicas_.under_way = true;
}

void inquiry::ask(std::uint64_t round, time_point now) {
   questions_.next = round;
   if (!connection.is_open()) return;
   if (questions_.under_way == most_questions) {
      questions_.again = true;
      return;
   }
   write_question(now);
}

void inquiry::lost(const std::string& why) { fail(last_words_.empty() ? why : "ended the connection: " + last_words_); }

void inquiry::forget() {
   connection.close();
   id_.clear();
   list_.known = false;
   list_.others = 0;
   replicas_.nodes.clear();
}

inquiry::event inquiry::check(time_point now, bool late) {
   switch (connection.check(now, late)) {
      case checked_connection::due::connect_timeout:
      case checked_connection::due::answer_timeout: return fail(connection.overdue_text());
      case checked_connection::due::ping:
         connection.send(commands_.ping, 1, now);
         due_.push(expect::ping);
         break;
      case checked_connection::due::dial:
      case checked_connection::due::nothing: break;
   }
   return event::nothing;
}

inquiry::event inquiry::take(time_point now) {
   while (connection.is_open()) {
      switch (connection.link.in.next()) {
         case reader::status::incomplete: return event::nothing;
         case reader::status::broken: return fail("broke the protocol: " + connection.link.in.problem());
         case reader::status::reply: break;
      }
      if (const auto n = take_reply(connection.link.in.reply(), now); n != event::nothing) return n;
   }
   return event::nothing;
}

inquiry::event inquiry::take_reply(value_view reply, time_point now) {
   if (due_.size() == 0) return fail("broke the protocol: sent what nobody asked for");
   connection.heard(now, true);
   switch (due_.pop()) {
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
   master_.kind = read_master(reply, master_.state);
   switch (master_.kind) {
      case sentinel_answer_kind::good:
         if (master_.state.other_sentinels != list_.others && !list_.under_way) list_.wanted = true;
         return event::nothing;
      case sentinel_answer_kind::unknown_name: return event::nothing;
      case sentinel_answer_kind::forbidden:
         // A user who may ask for the address only: its epoch is then the lowest, and the majority decides.
         master_.state = {};
         return event::nothing;
      default: return fail_by(master_.kind, reply, "SENTINEL MASTER");
   }
}

inquiry::event inquiry::take_address(value_view reply, time_point now) {
   endpoint where;
   const auto c = read_address(reply, where);
   if (c != sentinel_answer_kind::good && c != sentinel_answer_kind::unknown_name)
      return fail_by(c, reply, "SENTINEL GET-MASTER-ADDR-BY-NAME");
   answer_ = {};
   answer_.round = questions_.rounds[0];
   // One half known, the other not: the name came or went between the two. The next question will tell.
   const bool known = c == sentinel_answer_kind::good && master_.kind != sentinel_answer_kind::unknown_name;
   answer_.what = known ? sentinel_answer::kind::named : sentinel_answer::kind::unknown;
   if (known) {
      answer_.where = std::move(where);
      answer_.state = master_.state;
   }
   questions_.rounds[0] = questions_.rounds[1];
   --questions_.under_way;
   master_.known = true;
   last_words_.clear();
   if (questions_.again) {
      questions_.again = false;
      write_question(now);
   }
   if (replicas_.wanted || now >= replicas_.due) want_replicas(now);
   return event::answered;
}

inquiry::event inquiry::take_list(value_view reply) {
   constexpr std::size_t most_listed = 128;
   list_.under_way = false;
   list_.known = true;
   list_.others = master_.state.other_sentinels;
   switch (const auto c = read_nodes(reply, most_listed, list_.nodes)) {
      case sentinel_answer_kind::good:
      case sentinel_answer_kind::unknown_name:
      case sentinel_answer_kind::forbidden: return event::listed;
      default: return fail_by(c, reply, "SENTINEL SENTINELS");
   }
}

// A Sentinel that does not tell them (the user may not ask, or it is too old) leaves us without warm connections, and
// is as good as any otherwise.
inquiry::event inquiry::take_replicas(value_view reply, time_point now) {
   replicas_.under_way = false;
   if (replicas_.wanted) want_replicas(now);
   if (read_nodes(reply, settings_->max_replicas, replicas_.nodes) != sentinel_answer_kind::good)
      replicas_.nodes.clear();
   return event::replicas;
}

inquiry::event inquiry::fail(std::string why, bool refused) {
   problem_ = std::move(why);
   refused_ = refused;
   list_.under_way = false;
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

}  // namespace holdfast::impl
