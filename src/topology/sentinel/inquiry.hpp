// The questions to one Sentinel, on a connection of their own. One question is one write:
//
//    [AUTH] [SENTINEL MYID]  SENTINEL MASTER name  SENTINEL GET-MASTER-ADDR-BY-NAME name
//    [SENTINEL SENTINELS name] [SENTINEL REPLICAS name]
//
// The epoch (MASTER) is asked for before the address: in the other order, a change between the two would pair the new
// epoch with the old address, and what is believed at an epoch is not given up for the same epoch. (In Redis'
// sentinel.c, leader and observers set both in one go, so that a later address never has an older epoch for long.) The
// address is never taken from MASTER, which on the leader shows the new epoch with the old address until the failover
// has ended. AUTH and MYID open a connection; the lists are asked for then, when they changed, and from
// time to time. That of the replicas only where warm connections to them are wanted, and after the first answer, which
// says how many there are: a list of thousands is not worth its bytes.
//
// Replies are matched by order. What does not fit ends the connection.
#pragma once

#include "topology/sentinel/checked_connection.hpp"
#include "topology/sentinel/sentinel_reply.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::topology {

struct sentinel_answer {
   enum class kind : std::uint8_t {
      none,
      named,    // `where`, under `state.epoch`
      unknown,  // it knows no master of that name
   };
   kind what = kind::none;
   std::uint64_t round = 0;  // of the question that it answers
   endpoint where = {};
   master_state state = {};
   bool repeated = false;  // it says what the one before said
   time_point at = time_point::min();
};

class inquiry {
 public:
   enum class event : std::uint8_t {
      nothing,   // all that came was read
      answered,  // `answer` is new
      told_id,   // `id` is known
      listed,    // `list` is new
      replicas,  // `replicas` is new
      failed,    // the connection is closed; `problem` says why
   };

   inquiry(const sentinel_settings& s, resp::wish_list& wishes, const resp::limits& l);

   checked_connection connection;

   void dial(const endpoint& where, time_point now) { connection.dial(where, now); }
   void opened(time_point now);  // asks at once
   void lost(const std::string& why);
   void forget();  // closes; the next dial is to another Sentinel
   // Asks, or lets a question follow as soon as one of the two that may be under way is answered. While the connection
   // is not open it only notes the round: opening asks.
   void ask(std::uint64_t round, time_point now);
   void want_list() { list_wanted_ = true; }  // with the next question
   void want_replicas(time_point now);        // at once, or as soon as the last such question is answered

   event take(time_point now);              // what came, one thing after the other
   event check(time_point now, bool late);  // failed, or nothing

   const sentinel_answer& answer() const { return answer_; }
   const std::vector<listed_node>& list() const { return list_; }
   bool list_under_way() const { return list_under_way_; }
   bool list_known() const { return list_known_; }  // told on this connection, if at all
   const std::vector<listed_node>& replicas() const { return replicas_; }
   const std::string& id() const { return id_; }  // the Sentinel's own run id; empty where it does not tell
   const std::string& problem() const { return problem_; }
   bool refused() const { return refused_; }  // the last failure was about the password

 private:
   enum class expect : std::uint8_t { auth, id, master, address, list, replicas, ping };
   static constexpr unsigned most_questions = 2;
   static constexpr std::uint64_t most_replicas = 512;  // some 900 bytes each, where a reply may have a megabyte

   void expect_reply(expect e);
   void write_question(time_point now);
   event take_reply(value_view reply, time_point now);
   event take_id(value_view reply);
   event take_master(value_view reply);
   event take_address(value_view reply, time_point now);
   event take_list(value_view reply);
   event take_replicas(value_view reply, time_point now);
   event fail(std::string why, bool refused = false);
   event fail_by(sentinel_answer_kind c, value_view reply, std::string_view what);

   const sentinel_settings* settings_;
   std::string auth_;  // the commands, serialised once
   std::string id_question_;
   std::string question_;
   std::string list_question_;
   std::string replicas_question_;
   std::string ping_;
   std::string batch_;

   std::array<expect, 16> expected_ = {};  // a ring
   unsigned first_expected_ = 0;
   unsigned expected_count_ = 0;
   std::array<std::uint64_t, most_questions> asked_rounds_ = {};
   unsigned questions_ = 0;  // under way
   bool again_ = false;
   bool list_wanted_ = true;
   bool wants_replicas_ = false;  // at all
   bool replicas_wanted_ = false;
   bool replicas_under_way_ = false;
   std::uint64_t round_ = 0;
   sentinel_answer_kind master_class_ = sentinel_answer_kind::good;
   master_state state_ = {};
   bool master_known_ = false;  // `state_` is of this connection
   sentinel_answer answer_ = {};
   bool list_under_way_ = false;
   bool list_known_ = false;
   time_point list_due_ = time_point::min();
   std::uint64_t listed_others_ = 0;  // how many there were when the list was asked for last
   std::vector<listed_node> list_;
   time_point replicas_due_ = time_point::min();
   std::vector<listed_node> replicas_;
   std::string id_;
   std::string last_words_;  // an error, while nothing else was answered on this connection
   std::string problem_;
   bool refused_ = false;
};

}  // namespace holdfast::topology
