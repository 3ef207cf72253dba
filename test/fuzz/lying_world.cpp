#include "fuzz/lying_world.hpp"

#include "commands/info_reply.hpp"
#include "unit/topology/replies.hpp"

#include <algorithm>

namespace holdfast::fuzz {

using impl::test::array;
using impl::test::bulk;
using impl::test::listed;
using impl::test::texts;

namespace {

constexpr std::uint64_t newest_epoch = std::uint64_t{1} << 62;

}  // namespace

lying_world::lying_world(input& in) : engine_world(in), ends_as_before_(in.one_in(2)) {
   client_->on_reply = [this](sim::host_id from, value_view v) { note(from, v); };
}

void lying_world::step() {
   switch (in_.below(16)) {
      case 0: return give_anything();
      case 1: return say(in_.take(in_.byte()));
      case 2: return say(std::string_view(reply()).substr(0, in_.byte()));
      case 3: return say(reply());
      case 4: return publish(event());
      case 5: return publish(announcement(some_node()));
      case 6:
      case 7: return claim();
      case 8: return change_role();
      case 9: return promote();
      default: return engine_world::step();
   }
}

void lying_world::give_anything() {
   if (is_full()) return;
   std::vector<std::string_view> words;
   for (std::size_t n = 1 + in_.below(4); n != 0; --n) words.push_back(in_.line());
   const delivery promise = draw_delivery();
   client_->give({command::from(words)}, promise, draw_patience());
}

// A Sentinel is told that this has been so for long.
void lying_world::claim() {
   if (sentinels_.empty()) return;
   sim::sentinel_model& s = *sentinels_[in_.below(sentinels_.size())];
   const sim::host_id master = some_server();
   const std::uint64_t epoch = s.config_epoch() + in_.below(4);
   const bool fresh = in_.one_in(4);
   const bool is_copied = in_.one_in(8);
   if (!shared_.net.works(s.host())) return;
   if (is_copied) s.copies(*sentinels_[in_.below(sentinels_.size())]);
   watch_from_now_on(s, master, epoch == 0 ? 0 : epoch - 1, fresh);
}

void lying_world::change_role() {
   const sim::host_id h = some_server();
   const sim::host_id master = in_.one_in(2) ? sim::nowhere : some_server();
   if (shared_.net.works(h)) shared_.servers[h]->change_role(master);
}

// As a Sentinel would that tells nobody else.
void lying_world::promote() {
   const sim::host_id h = some_server();
   publish(announcement({sim::address_of_host(h), 6379}));
   if (!shared_.net.works(h)) return;
   shared_.servers[h]->change_role(sim::nowhere);
   shared_.servers[h]->end_clients();
   pass(in_.byte() * 1ms);
}

// ---- what is said -------------------------------------------------------------------------------------------------

void lying_world::publish(const std::string& text) { client_->hear_event(in_.byte(), text); }

endpoint lying_world::some_node() {
   const auto host = static_cast<sim::host_id>(in_.below(client_site_ + 2));
   return {sim::address_of_host(host), static_cast<std::uint16_t>(in_.one_in(8) ? 6380 : 6379)};
}

std::string lying_world::event() {
   const auto channels = impl::event_channels();
   const std::string channel(channels[in_.below(channels.size())]);
   const endpoint m = some_node();
   const std::string master = m.host + " " + std::to_string(m.port);
   switch (in_.below(5)) {
      case 0: return texts({"message", channel, std::to_string(in_.below(12))});
      case 1: return texts({"message", channel, "master mymaster " + master});
      case 2: {
         const endpoint r = some_node();
         return texts(
            {"message", channel,
             "slave " + to_string(r) + " " + r.host + " " + std::to_string(r.port) + " @ mymaster " + master});
      }
      case 3: return texts({"message", channel, "mymaster 10.0.0.1 6379 " + master});
      default: return texts({"message", channel, std::string(in_.line())});
   }
}

// What the leader of a failover says before it promotes a node.
std::string lying_world::announcement(const endpoint& r) {
   const std::uint64_t epoch = last_epoch_ + in_.below(4);
   const std::string master = "mymaster 10.0.0.1 6379";
   return texts({"message", "+new-epoch", std::to_string(epoch)}) +
          texts({"message", "+try-failover", "master " + master}) +
          texts({"message", "+selected-slave",
                 "slave " + to_string(r) + " " + r.host + " " + std::to_string(r.port) + " @ " + master});
}

std::string lying_world::reply() {
   constexpr std::string_view plain[] = {"+OK\r\n",
                                         "-READONLY You can't write against a read only replica.\r\n",
                                         ">2\r\n+a\r\n+b\r\n",
                                         "*-1\r\n",
                                         "-WRONGPASS invalid\r\n",
                                         ":1\r\n",
                                         "-ERR unknown command 'HELLO'\r\n",
                                         "-ERR No such master with that name\r\n",
                                         "*1000000\r\n"};
   constexpr std::string_view roles[] = {"master", "slave", "replica", "sentinel", ""};
   const endpoint any = some_node();
   switch (in_.below(6)) {
      case 0: return impl::test::address_reply(any);
      case 1: return impl::test::master_reply{.shown = any, .epoch = in_.below(10)}.bytes();
      case 2: return array({listed(any, std::string(in_.line())), listed({"10.0.0.99", 1}, "x")});
      case 3: return array({bulk(roles[in_.below(5)]), bulk(any.host), ":6379\r\n"});
      case 4: return "%1\r\n" + bulk("role") + bulk(roles[in_.below(5)]);
      default: return std::string(plain[in_.below(std::size(plain))]);
   }
}

// ---- what was read ------------------------------------------------------------------------------------------------

void lying_world::note(sim::host_id from, value_view v) {
   if (shared_.sentinels[from] == nullptr) return note_role(sim::address_of_host(from), v);
   if (v.size() == 3 && v[0].text() == "message") return note_event(v);
   note_answer(v);
}

// Every address and every epoch that could be meant by any answer.
void lying_world::note_answer(value_view v) {
   if (v.size() == 2) {
      const auto port = v[1].kind() == kind::integer ? std::to_string(v[1].integer()) : std::string(v[1].text());
      if (const auto e = impl::read_endpoint(v[0].text(), port)) named_.insert(*e);
   }
   for (const auto& [key, field] : v.pairs()) {
      if (key.text() != "config-epoch") continue;
      if (const auto epoch = field.try_as<std::uint64_t>()) epochs_.insert(*epoch);
   }
}

void lying_world::note_event(value_view v) {
   const auto h = impl::read_hint(v[1].text(), v[2].text(), "mymaster");
   if (!h) return;
   if (h->kind == impl::hint_kind::new_epoch) epochs_.insert(h->epoch);
   if (h->kind == impl::hint_kind::selected) selected_.insert(h->about);
}

// In whatever form a server may tell its role.
void lying_world::note_role(const std::string& host, value_view v) {
   const auto text = v.text();
   const auto first = v.size() != 0 ? v[0].text() : std::string_view();
   if (v.find("role").text() == "master" || first == "master" || text.find("role:master") != std::string_view::npos)
      said_master_.insert(host);
   if (v.size() >= 3) {
      if (const auto of = impl::read_endpoint(v[1].text(), std::to_string(v[2].integer())))
         said_to_follow_[of->host].insert(host);
   }
   const auto field = [&](std::string_view key) {
      const auto at = text.find(key);
      if (at == std::string_view::npos) return std::string_view();
      const auto rest = text.substr(at + key.size());
      return rest.substr(0, rest.find("\r\n"));
   };
   if (const auto of = impl::read_endpoint(field("master_host:"), field("master_port:")))
      said_to_follow_[of->host].insert(host);
}

// ---- what is looked at --------------------------------------------------------------------------------------------

void lying_world::look() {
   look_at_limits(impl::sentinel_settings{}.max_replicas);
   const auto* const watch = client_->brain.watch();
   if (watch == nullptr) return;
   require(watch->sentinels().size() <= impl::sentinel_settings{}.max_sentinels, "no more Sentinels than the limit");
   if (const auto why = watch->why_none()) {
      require(!watch->target(), "what is named lacks no reason");
      require(why->causes.size() == watch->sentinels().size(), "each Sentinel has its cause");
      for (const auto& cause : why->causes)
         require(is_one_line(cause) && cause.size() <= 700, "a cause is one line", cause);
   }
   if (watch->target()) look_at_target();
}

void lying_world::look_at_target() {
   const auto& watch = *client_->brain.watch();
   const impl::master_node& t = *watch.target();
   require(t.where.port != 0 && is_one_line(t.where.host) && t.where.host.size() <= 255, "it can be an address");
   if (watch.is_provisional()) {
      require(settings_.cutover == cutover::eager, "by its own word a node is believed only where that is wanted");
      require(selected_.contains(t.where) && said_master_.contains(t.where.host),
              "what no Sentinel names was selected, and says that it is a master", to_string(t.where));
   } else {
      const auto& by = said_to_follow_[t.where.host];
      const bool is_inherited =
         settings_.follow_role_hint && said_master_.contains(t.where.host) &&
         std::any_of(named_.begin(), named_.end(), [&](const endpoint& e) { return by.contains(e.host); });
      require(named_.contains(t.where) || is_inherited, "what is believed was said", to_string(t.where));
      before_ = t;
   }
   require(epochs_.contains(t.epoch), "the epoch was said", std::to_string(t.epoch));
   last_epoch_ = t.epoch;
}

// ---- the end ------------------------------------------------------------------------------------------------------

bool lying_world::can_recover() const { return *epochs_.rbegin() < newest_epoch; }

// All say the same, and the servers do as they say.
void lying_world::calm() {
   engine_world::calm();
   if (sentinels_.empty()) return shared_.servers[0]->change_role(sim::nowhere);
   sim::host_id master = servers_.front()->host();
   std::uint64_t epoch = *epochs_.rbegin() + 1;
   for (const auto& s : sentinels_) epoch = std::max(epoch, s->config_epoch() + 1);
   if (ends_as_before_ && before_ && client_->brain.watch()->is_provisional()) {
      const sim::host_id named = host_of(before_->where);
      if (named < servers_.size()) {
         master = named;
         epoch = before_->epoch;
      }
   }
   for (const auto& s : servers_) s->change_role(s->host() == master ? sim::nowhere : master);
   for (const auto& s : sentinels_) watch_from_now_on(*s, master, epoch, false);
}

}  // namespace holdfast::fuzz
