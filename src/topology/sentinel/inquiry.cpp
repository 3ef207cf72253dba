#include "topology/sentinel/inquiry.hpp"

#include <holdfast/command.hpp>

namespace holdfast::impl {
namespace {

std::string bytes_of(const command& c) { return std::string(c.bytes()); }

}  // namespace

inquiry::inquiry(const sentinel_settings& s, io_queue& io, const limits& l)
   : connection(s, handshake::subject::sentinel, io, l),
     settings_(&s),
     commands_{.question = bytes_of({"SENTINEL", "MASTER", s.master}) +
                           bytes_of({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", s.master}),
               .list = bytes_of({"SENTINEL", "SENTINELS", s.master}),
               .replicas = bytes_of({"SENTINEL", "REPLICAS", s.master})},
     replicas_{.enabled = s.keeps_replicas_warm()} {}

void inquiry::write_question(time_point now) {
   std::string batch = commands_.question;
   const auto before = due_.size();
   due_.insert(due_.end(), {expect::master, expect::address});
   if (list_.wanted || now >= list_.due) {
      list_.due = after(now, settings_->idle_poll / 2);
      batch += commands_.list;
      due_.push_back(expect::list);
      list_.wanted = false;
      list_.under_way = true;
   }
   questions_.rounds[questions_.under_way++] = questions_.next;
   connection.send(batch, static_cast<unsigned>(due_.size() - before), now);
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
   due_.push_back(expect::replicas);
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

void inquiry::forget() {
   connection.close();
   connection.forget();
   list_.known = false;
   list_.others = 0;
   replicas_.nodes.clear();
}

void inquiry::ping(time_point now) {
   connection.send(command{"PING"}.bytes(), 1, now);
   due_.push_back(expect::ping);
}

inquiry::event inquiry::take_reply(value_view reply, time_point now) {
   if (due_.empty()) return fail("broke the protocol: sent what nobody asked for");
   connection.heard(now, true);
   const expect e = due_.front();
   due_.erase(due_.begin());
   switch (e) {
      case expect::master: return take_master(reply);
      case expect::address: return take_address(reply, now);
      case expect::list: return take_list(reply);
      case expect::replicas: return take_replicas(reply, now);
      case expect::ping: return event::nothing;
   }
   return event::nothing;  // GCOV_EXCL_LINE: each enumerator has returned before; the compiler demands it
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
   connection.fail(std::move(why), refused);
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
