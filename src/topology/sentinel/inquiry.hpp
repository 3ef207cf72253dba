// The questions to one Sentinel, on a connection of their own. One question is one write:
//
//    SENTINEL MASTER name  SENTINEL GET-MASTER-ADDR-BY-NAME name
//    [SENTINEL SENTINELS name] [SENTINEL REPLICAS name]
//
// The epoch (MASTER) is asked for before the address: in the other order, a change between the two would pair the new
// epoch with the old address, and what is believed at an epoch is not given up for the same epoch. (In Redis'
// sentinel.c, leader and observers set both in one go, so that a later address never has an older epoch for long.) The
// address is never taken from MASTER, which on the leader shows the new epoch with the old address until the failover
// has ended. The lists are asked for at first, when they changed, and from time to time. That of the replicas only
// where warm connections to them are wanted, and after the first answer, which says how many there are: a list of
// thousands is not worth its bytes.
//
// Replies are matched by order. What does not fit ends the connection.
#pragma once

#include "topology/sentinel/checked_connection.hpp"
#include "topology/sentinel/sentinel_reply.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::impl {

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
      failed,    // the connection is closed, and says why
   };

   inquiry(const sentinel_settings& s, io_queue& io, const limits& l);

   checked_connection connection;

   void dial(const endpoint& where, time_point now) { connection.dial(where, now); }
   void opened(time_point now);  // asks at once
   void lost(const std::string& why) { connection.lost(why); }
   void forget();  // closes; the next dial is to another Sentinel
   // Asks, or lets a question follow as soon as one of the two that may be under way is answered. While the connection
   // is not open it only notes the round: opening asks.
   void ask(std::uint64_t round, time_point now);
   void want_list() { list_.wanted = true; }  // with the next question
   void want_replicas(time_point now);        // at once, or as soon as the last such question is answered

   event take(time_point now) { return connection.take(*this, now); }
   event check(time_point now, bool late) { return connection.check(*this, now, late); }

   const sentinel_answer& answer() const { return answer_; }
   const std::vector<listed_node>& list() const { return list_.nodes; }
   bool list_under_way() const { return connection.is_open() && list_.under_way; }
   bool list_known() const { return list_.known; }  // told on this connection, if at all
   const std::vector<listed_node>& replicas() const { return replicas_.nodes; }
   // The Sentinel's own run id; empty where it does not tell.
   const std::string& id() const { return connection.greeting().self().run_id; }

 private:
   friend class checked_connection;
   enum class expect : std::uint8_t { master, address, list, replicas, ping };
   static constexpr unsigned most_questions = 2;
   static constexpr std::uint64_t most_replicas = 512;  // some 900 bytes each, where a reply may have a megabyte

   void write_question(time_point now);
   event greeted() { return id().empty() ? event::nothing : event::told_id; }
   event take_reply(value_view reply, time_point now);
   void ping(time_point now);
   event take_master(value_view reply);
   event take_address(value_view reply, time_point now);
   event take_list(value_view reply);
   event take_replicas(value_view reply, time_point now);
   event fail(std::string why, bool refused = false);
   event fail_by(sentinel_answer_kind c, value_view reply, std::string_view what);

   // As bytes, serialised once.
   struct commands {
      std::string question;
      std::string list;
      std::string replicas;
   };
   struct {
      std::array<std::uint64_t, most_questions> rounds = {};  // of those under way
      unsigned under_way = 0;
      bool again = false;      // as soon as one of them is answered
      std::uint64_t next = 0;  // the round of the next one
   } questions_;
   struct {
      sentinel_answer_kind kind = sentinel_answer_kind::good;
      master_state state = {};
      bool known = false;  // `state` is of this connection
   } master_;              // the first half of an answer
   struct {
      bool wanted = true;
      bool under_way = false;
      bool known = false;
      time_point due = time_point::min();
      std::uint64_t others = 0;  // how many there were when it was asked for last
      std::vector<listed_node> nodes = {};
   } list_;
   struct replica_list {
      bool enabled = false;
      bool wanted = false;
      bool under_way = false;
      time_point due = time_point::min();
      std::vector<listed_node> nodes = {};
   };

   const sentinel_settings* settings_;
   commands commands_;
   std::vector<expect> due_;  // the replies to come, in their order
   sentinel_answer answer_ = {};
   replica_list replicas_;
};

}  // namespace holdfast::impl
