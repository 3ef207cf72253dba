// Sentinels that send anything, in any order and in any pieces, to a watch: nothing crashes, spins, grows or is held
// for ever, and nothing is believed that no Sentinel has said in a well-formed answer.
//
//    input: the settings, then one operation after the other (`step`)
#include "fuzz/target.hpp"
#include "topology/watch.hpp"
#include "unit/topology/replies.hpp"

#include <holdfast/random.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace holdfast::fuzz {
namespace {

using namespace std::chrono_literals;
using topology::test::address_reply;
using topology::test::array;
using topology::test::bulk;
using topology::test::texts;

constexpr resp::limits reply_limits{.reply_bytes = 1 << 14, .depth = 8, .elements = 2048};
constexpr unsigned most_sentinels = 6;

bool printable(std::string_view text) {
   return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool one_line(std::string_view text) {
   return std::none_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

topology::watch_settings settings_of(input& in) {
   topology::watch_settings s;
   s.master = in.one_in(4) ? "my master" : "mymaster";
   for (std::size_t n = 1 + in.below(3); n != 0; --n) s.sentinels.push_back({"10.0.1." + std::to_string(n), 26379});
   s.max_sentinels = most_sentinels;
   if (in.one_in(4)) s.password = "secret";
   if (in.one_in(8)) s.username = "user";
   return s;
}

class sentinel_world {
 public:
   explicit sentinel_world(input& in)
      : in_(in), settings_(settings_of(in)), watch_(settings_, in.byte(), wishes_, reply_limits, events_) {}

   void run() {
      for (unsigned steps = 0; !in_.empty() && steps != 2000; ++steps) {
         step();
         look();
      }
      silence();
   }

 private:
   // A link, and what its Sentinels have sent on it, read once more.
   struct line {
      std::unique_ptr<resp::reader> heard = std::make_unique<resp::reader>(reply_limits);
      std::unique_ptr<resp::reader> asked = std::make_unique<resp::reader>(reply_limits);
      time_point dialed_at = {};
      unsigned dials_at_once = 0;
   };

   void step();
   void feed(resp::link&, std::string_view bytes);
   void note_replies(line&);
   void answer(resp::link&);
   std::string honest(value_view command) const;
   std::string fragment();
   void pass(duration);
   void look();
   void look_at_target();
   void silence();
   resp::link& some_link() { return watch_.link_at(in_.byte() % watch_.link_count()); }
   endpoint some_node() {
      return {"10.0.0." + std::to_string(in_.below(4)), static_cast<std::uint16_t>(6378 + in_.below(3))};
   }

   input& in_;
   topology::watch_settings settings_;
   resp::wish_list wishes_;
   event_queue events_{true};
   topology::watch watch_;
   time_point now_ = time_point{} + 1h;
   std::map<const resp::link*, line> lines_;
   unsigned dials_ = 0;

   // What honest Sentinels say at present.
   endpoint master_{"10.0.0.1", 6379};
   std::uint64_t epoch_ = 5;
   // All that was said by anybody, and all that we said about roles.
   std::set<endpoint> named_;
   std::set<std::uint64_t> epochs_{0};
   std::set<endpoint> verified_;
};

void sentinel_world::step() {
   resp::link& l = some_link();
   switch (in_.below(16)) {
      case 0:
      case 1:
      case 2:
         if (l.now() == resp::link::state::dialing) {
            l.opened();
            return watch_.on_opened(l, now_);
         }
         return answer(l);
      case 3:
      case 4:
      case 5: return feed(l, fragment());
      case 6: {  // a part of what would be sent
         const std::string bytes = fragment();
         return feed(l, std::string_view(bytes).substr(0, in_.byte()));
      }
      case 7: return feed(l, in_.take(in_.byte()));
      case 8:
         if (l.now() == resp::link::state::closed) return;
         l.lost();
         return watch_.on_lost(l, "connection reset by peer", now_);
      case 9:
         master_ = some_node();
         epoch_ = in_.one_in(4) ? epoch_ - 1 : epoch_ + in_.below(3);
         return;
      case 10: return void(watch_.ask(now_));
      case 11: return watch_.need(in_.one_in(2), now_);
      case 12: {
         if (!watch_.target()) return;
         const auto target = *watch_.target();
         if (in_.one_in(2)) return watch_.role_refused(target.where, "slave", now_);
         verified_.insert(target.where);
         return watch_.role_verified(target.where, target.epoch, now_);
      }
      case 13: return pass(in_.byte() * 1ms);
      case 14: return pass(in_.byte() * 20ms);
      default:  // the caller is away
         now_ += in_.byte() * 100ms;
         return pass(0ms);
   }
}

// ---- what Sentinels send -------------------------------------------------------------------------------------------

void sentinel_world::feed(resp::link& l, std::string_view bytes) {
   if (!l.is_open()) return;
   line& of = lines_[&l];
   topology::test::receive(*of.heard, bytes);
   note_replies(of);
   topology::test::receive(l.in, bytes);
   watch_.on_received(l, now_);
}

// Every address and every epoch that could be meant by any answer.
void sentinel_world::note_replies(line& of) {
   while (of.heard->next() == resp::reader::status::reply) {
      const value_view v = of.heard->reply();
      if (v.size() == 2) {
         const auto port = v[1].kind() == kind::integer ? std::to_string(v[1].integer()) : std::string(v[1].text());
         if (const auto e = topology::read_endpoint(v[0].text(), port)) named_.insert(*e);
      }
      for (const auto& [key, field] : v.pairs()) {
         if (key.text() != "config-epoch") continue;
         if (const auto epoch = field.try_as<std::uint64_t>()) epochs_.insert(*epoch);
      }
   }
}

// As a Sentinel would, whatever was asked on this link.
void sentinel_world::answer(resp::link& l) {
   if (!l.is_open()) return;
   line& of = lines_[&l];
   const auto pending = l.out.pending();
   topology::test::receive(*of.asked, {pending.data(), pending.size()});
   l.out.wrote(pending.size());
   std::string replies;
   while (of.asked->next() == resp::reader::status::reply) replies += honest(of.asked->reply());
   feed(l, replies);
}

std::string sentinel_world::honest(value_view command) const {
   const auto name = command[0].text();
   if (name == "AUTH") return "+OK\r\n";
   if (name == "PING") return "+PONG\r\n";
   if (name == "SUBSCRIBE") {
      std::string all;
      for (std::size_t i = 1; i != command.size(); ++i)
         all += array({bulk("subscribe"), bulk(command[i].text()), ":" + std::to_string(i) + "\r\n"});
      return all;
   }
   const auto what = command.size() > 1 ? command[1].text() : std::string_view();
   if (what == "MYID") return bulk("5af1");
   if (what == "MASTER") return topology::test::master_reply{.shown = master_, .epoch = epoch_}.bytes();
   if (what == "GET-MASTER-ADDR-BY-NAME") return address_reply(master_);
   return array({});
}

// Pieces that lead deeper than noise does.
std::string sentinel_world::fragment() {
   const auto kind = in_.below(20);
   const endpoint any = some_node();
   const auto about = [&](std::string_view type) {
      return std::string(type) + " " + settings_.master + " " + any.host + " " + std::to_string(any.port);
   };
   constexpr std::string_view flags[] = {"master", "o_down,master", "master,failover_in_progress", "s_down"};
   switch (kind) {
      case 0: return "+OK\r\n";
      case 1: return "+PONG\r\n";
      case 2: return "-NOAUTH Authentication required.\r\n";
      case 3: return "-NOPERM this user has no permissions\r\n";
      case 4: return topology::test::no_such_master;
      case 5: return topology::test::nil_array;
      case 6:
      case 7:
         return topology::test::master_reply{any, in_.below(10), std::string(flags[in_.below(4)]), "1000",
                                             std::to_string(in_.below(5))}
            .bytes();
      case 8:
      case 9: return address_reply(any);
      case 10:
         return array({topology::test::listed(any, "x"),
                       topology::test::listed({"h" + std::to_string(in_.byte()), 1}, std::to_string(in_.byte()))});
      case 11: return texts({"message", "+switch-master", settings_.master + " 10.0.0.1 6379 " + any.host + " 6379"});
      case 12: return texts({"message", "+sentinel", "sentinel x 10.0.0.1 1 @ " + settings_.master + " 10.0.0.2 2"});
      case 13: return texts({"message", "+odown", about("master")});
      case 14:
         return texts({"message", "+promoted-slave",
                       "slave " + to_string(any) + " " + any.host + " 6379 @ " + settings_.master + " 10.0.0.1 6379"});
      case 15: return texts({"message", std::string(in_.line()), std::string(in_.line())});
      case 16: return texts({"config-epoch", std::string(in_.line()), "flags", std::string(in_.line())});
      case 17: return texts({std::string(in_.line()), std::string(in_.line())});
      case 18: {
         std::string all;
         for (const auto channel : topology::event_channels())
            all += array({bulk("subscribe"), bulk(channel), ":1\r\n"});
         return all;
      }
      default: return "*1000000\r\n";
   }
}

// ---- what is looked at ---------------------------------------------------------------------------------------------

void sentinel_world::pass(duration d) {
   const time_point end = now_ + d;
   do {
      now_ = std::clamp(watch_.next_deadline(), now_, end);
      watch_.tick(now_);
      require(watch_.next_deadline() > now_, "after a tick the next one is later");
      look();
   } while (now_ < end);
}

void sentinel_world::look() {
   while (resp::link* l = wishes_.take()) {
      const auto wish = l->take_wish();
      if (!wish.dial) continue;
      ++dials_;
      line& of = lines_[l];
      of.dials_at_once = of.dialed_at == now_ ? of.dials_at_once + 1 : 1;
      of.dialed_at = now_;
      of.heard->reset();
      of.asked->reset();
      require(of.dials_at_once <= 4, "nobody is dialled again and again at once");
   }
   std::vector<any_event> told;
   events_.take(told);
   require(told.size() <= 1000, "no flood of events from one step");
   for (const auto& e : told) {
      require(one_line(to_string(e)), "an event is one line", to_string(e));
      if (const auto* lineage = std::get_if<event::new_lineage>(&e))
         require(verified_.contains(lineage->master), "no new lineage without a role that was verified");
   }
   require(watch_.link_count() <= 2 * most_sentinels, "no more Sentinels than the limit");
   for (std::size_t i = 0; i != watch_.link_count(); ++i)
      require(watch_.link_at(i).out.size() <= 16 * 1024, "questions do not pile up");
   look_at_target();
}

void sentinel_world::look_at_target() {
   if (const auto& t = watch_.target()) {
      require(named_.contains(t->where), "what is believed was said", to_string(t->where));
      require(epochs_.contains(t->epoch), "the epoch was said", std::to_string(t->epoch));
      require(t->where.port != 0 && printable(t->where.host) && t->where.host.size() <= 255, "it can be an address");
      require(!watch_.why_none(), "what is named lacks no reason");
   } else if (const auto why = watch_.why_none()) {
      require(why->causes.size() == watch_.link_count() / 2, "each Sentinel has its cause");
      for (const auto& cause : why->causes)
         require(printable(cause) && cause.size() <= 700, "a cause is one line", cause);
   }
}

// Nobody says anything any more.
void sentinel_world::silence() {
   const auto round = watch_.ask(now_);
   look();
   const unsigned before = dials_;
   pass(2s);
   require(watch_.answered(round), "each round ends");
   require(!watch_.in_doubt(), "doubt ends");
   require(dials_ - before <= 40 * watch_.link_count(), "the dead are dialled in measure");
}

void check_readers(std::string_view bytes) {
   input in(bytes);
   const auto channels = topology::event_channels();
   const auto channel = channels[in.byte() % channels.size()];
   const auto payload = in.line();
   for (const std::string_view name : {"mymaster", "my master", ""}) {
      if (const auto h = topology::read_hint(channel, payload, name); h && !h->about.empty())
         require(h->about.port != 0 && payload.find(h->about.host) != std::string_view::npos,
                 "a hint names what it said");
   }
   const value v = topology::test::parsed(in.rest());
   topology::master_state state;
   topology::read_master(v, state);
   endpoint where;
   if (topology::read_address(v, where) == topology::reply_class::good)
      require(where.port != 0, "an address has a port");
   std::vector<topology::listed_sentinel> list;
   topology::read_sentinels(v, 4, list);
   require(list.size() <= 4, "a list has an end");
   topology::read_auth(v);
   require(printable(topology::shown(payload)), "what is shown is printable");
}

}  // namespace

void sentinel(std::string_view bytes) {
   input in(bytes);
   if (in.one_in(16)) return check_readers(in.rest());
   sentinel_world(in).run();
}

}  // namespace holdfast::fuzz

HOLDFAST_FUZZ_ENTRY(sentinel)
