// What the Sentinels and servers of a sentinel_world send.
#include "fuzz/sentinel_world.hpp"
#include "unit/topology/replies.hpp"

namespace holdfast::fuzz {

using impl::test::address_reply;
using impl::test::array;
using impl::test::bulk;
using impl::test::texts;

void sentinel_world::feed(impl::link& l, std::string_view bytes) {
   if (!l.is_open()) return;
   impl::test::put(*line_of(l).heard, bytes);
   note(l);
   impl::test::put(l.in, bytes);
   l.received(now_);
}

// ---- the truth -----------------------------------------------------------------------------------------------------

// As a Sentinel or a server would, whatever was asked on this link.
void sentinel_world::answer(impl::link& l) {
   if (!l.is_open()) return;
   line& of = line_of(l);
   const auto pending = l.out.pending();
   impl::test::put(*of.asked, {pending.data(), pending.size()});
   l.out.wrote(pending.size());
   std::string replies;
   while (of.asked->next() == impl::reader::status::reply) replies += honest(l, of.asked->reply());
   feed(l, replies);
}

std::string sentinel_world::honest(const impl::link& l, value_view command) {
   const auto name = command[0].text();
   const endpoint& followed = followed_ ? *followed_ : master_;
   const auto what = command.size() > 1 ? command[1].text() : std::string_view();
   if (name == "AUTH" || name == "CLIENT") return "+OK\r\n";
   if (name == "PING") return "+PONG\r\n";
   if (name == "SUBSCRIBE") {
      std::string all;
      for (std::size_t i = 1; i != command.size(); ++i)
         all += array({bulk("subscribe"), bulk(command[i].text()), ":" + std::to_string(i) + "\r\n"});
      return all;
   }
   if (name == "HELLO")
      return texts({"server", "redis", "proto", "2", "role", role_of(l.where()), "mode", "standalone"});
   if (name == "ROLE") {
      if (role_of(l.where()) == "master") return array({bulk("master"), ":0\r\n", array({})});
      return array({bulk(role_of(l.where())), bulk(followed.host), ":" + std::to_string(followed.port) + "\r\n",
                    bulk("connected"), ":0\r\n"});
   }
   if (name == "INFO")
      return bulk("# Replication\r\nrole:" + role_of(l.where()) + "\r\nmaster_host:" + followed.host +
                  "\r\nmaster_port:" + std::to_string(followed.port) + "\r\n");
   const auto id_of = [&](const std::string& host) { return seed_ & 0x01 ? "5af1" : "id-of-" + host; };
   if (what == "MYID") return bulk(id_of(l.where().host));
   if (what == "MASTER") return impl::test::master_reply{.shown = master_, .epoch = epoch_}.bytes();
   if (what == "GET-MASTER-ADDR-BY-NAME") return address_reply(master_);
   std::vector<std::string> listed;
   for (unsigned i = 0; i != 4 && what == "SENTINELS"; ++i) {
      if (!(replicas_ >> (12 + i) & 1)) continue;
      const endpoint where{"10.0.1." + std::to_string(3 + i), 26379};
      listed.push_back(impl::test::listed(where, id_of(where.host)));
   }
   if (what != "REPLICAS") return array(listed);
   for (unsigned i = 0; i != 12; ++i) {
      if (!(replicas_ >> i & 1)) continue;
      const endpoint where{"10.0.0." + std::to_string(i % 4), static_cast<std::uint16_t>(6378 + i / 4)};
      listed.push_back(impl::test::listed(where, to_string(where)));
   }
   return array(listed);
}

std::string sentinel_world::role_of(const endpoint& where) {
   if (nobody_is_master_) return "slave";
   if (const auto found = roles_.find(where); found != roles_.end()) return found->second;
   return where == master_ ? "master" : "slave";
}

// ---- anything ------------------------------------------------------------------------------------------------------

std::string sentinel_world::about_master(const endpoint& where) const {
   return "master " + settings_.master + " " + where.host + " " + std::to_string(where.port);
}

std::string sentinel_world::about_replica(const endpoint& where) const {
   return "slave " + to_string(where) + " " + where.host + " " + std::to_string(where.port) + " @ " + settings_.master +
          " " + master_.host + " " + std::to_string(master_.port);
}

// What the leader of a failover says of it before it promotes the node.
std::string sentinel_world::announcement(std::uint64_t epoch, const endpoint& selected) const {
   return texts({"message", "+new-epoch", std::to_string(epoch)}) +
          texts({"message", "+try-failover", about_master(master_)}) +
          texts({"message", "+selected-slave", about_replica(selected)});
}

// Pieces that lead deeper than noise does.
std::string sentinel_world::fragment() {
   const bool asks_servers = settings_.eager || settings_.follow_role_hint;
   const auto kind = in_.below(asks_servers ? 36 : 20);
   if (kind >= 20) return later_fragment(kind);
   const endpoint any = some_node();
   constexpr std::string_view flags[] = {"master", "o_down,master", "master,failover_in_progress", "s_down"};
   switch (kind) {
      case 0: return "+OK\r\n";
      case 1: return "+PONG\r\n";
      case 2: return "-NOAUTH Authentication required.\r\n";
      case 3: return "-NOPERM this user has no permissions\r\n";
      case 4: return impl::test::no_such_master;
      case 5: return impl::test::nil_array;
      case 6:
      case 7:
         return impl::test::master_reply{any, in_.below(10), std::string(flags[in_.below(4)]), "1000",
                                         std::to_string(in_.below(5))}
            .bytes();
      case 8:
      case 9: return address_reply(any);
      case 10:
         return array({impl::test::listed(any, "x"),
                       impl::test::listed({"h" + std::to_string(in_.byte()), 1}, std::to_string(in_.byte()))});
      case 11: return texts({"message", "+switch-master", settings_.master + " 10.0.0.1 6379 " + any.host + " 6379"});
      case 12: return texts({"message", "+sentinel", "sentinel x 10.0.0.1 1 @ " + settings_.master + " 10.0.0.2 2"});
      case 13: return texts({"message", "+odown", about_master(any)});
      case 14:
         return texts({"message", "+promoted-slave",
                       "slave " + to_string(any) + " " + any.host + " 6379 @ " + settings_.master + " 10.0.0.1 6379"});
      case 15: return texts({"message", std::string(in_.line()), std::string(in_.line())});
      case 16: return texts({"config-epoch", std::string(in_.line()), "flags", std::string(in_.line())});
      case 17: return texts({std::string(in_.line()), std::string(in_.line())});
      case 18: {
         std::string all;
         for (const auto channel : impl::event_channels()) all += array({bulk("subscribe"), bulk(channel), ":1\r\n"});
         return all;
      }
      default: return "*1000000\r\n";
   }
}

// Of a failover, and of servers.
std::string sentinel_world::later_fragment(std::size_t kind) {
   constexpr std::string_view aborts[] = {"-failover-abort-not-elected", "-failover-abort-no-good-slave",
                                          "-failover-abort-slave-timeout"};
   constexpr std::string_view ends[] = {"+failover-end", "+failover-end-for-timeout", "+failover-state-reconf-slaves",
                                        "+config-update-from"};
   constexpr std::string_view lists[] = {"+slave", "+slave-reconf-done", "+convert-to-slave", "+reboot"};
   switch (kind) {
      case 20: return texts({"message", "+new-epoch", std::to_string(in_.below(12))});
      case 21: return texts({"message", "+try-failover", about_master(some_node())});
      case 22:
      case 23: return texts({"message", "+selected-slave", about_replica(some_node())});
      case 24: return texts({"message", std::string(aborts[in_.below(3)]), about_master(master_)});
      case 25: return texts({"message", std::string(ends[in_.below(4)]), about_master(master_)});
      case 26: return texts({"message", std::string(lists[in_.below(4)]), about_replica(some_node())});
      case 27: {
         std::vector<std::string> listed;
         for (std::size_t n = in_.below(8); n != 0; --n) listed.push_back(impl::test::listed(some_node(), "x"));
         return array(listed);
      }
      default: return fragment_of_a_node(kind);
   }
}

std::string sentinel_world::fragment_of_a_node(std::size_t kind) {
   constexpr std::string_view roles[] = {"master", "slave", "replica", "sentinel", ""};
   constexpr std::string_view errors[] = {
      "-ERR unknown command 'HELLO'\r\n", "-LOADING Redis is loading the dataset in memory\r\n",
      "-BUSY Redis is busy running a script.\r\n", "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
      "-ERR max number of clients reached\r\n"};
   const std::string role(roles[in_.below(std::size(roles))]);
   const endpoint any = some_node();
   switch (kind) {
      case 28:
      case 29: return texts({"server", "redis", "proto", "2", "role", role});
      case 30:
      case 31: return array({bulk(role), bulk(any.host), ":" + std::to_string(any.port) + "\r\n"});
      case 32: return array({bulk(role)});
      case 33:
         return bulk("role:" + role + "\r\nmaster_host:" + any.host + "\r\nmaster_port:" + std::to_string(any.port));
      case 34: return "%1\r\n" + bulk("role") + bulk(role);
      default: return std::string(errors[in_.below(std::size(errors))]);
   }
}

}  // namespace holdfast::fuzz
