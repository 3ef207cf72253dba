// Sentinels and servers that say anything, in any order and in any pieces: nothing crashes, spins, grows or is held for
// ever, and nothing is believed that no Sentinel has said in a well-formed answer, or has announced and the node itself
// confirmed.
//
//    input: the settings, then one operation after the other (lying_world::step)
#include "fuzz/lying_world.hpp"
#include "unit/topology/replies.hpp"

namespace holdfast::fuzz {
namespace {

void check_readers(std::string_view bytes) {
   input in(bytes);
   const auto channels = impl::event_channels();
   const auto channel = channels[in.byte() % channels.size()];
   const auto payload = in.line();
   for (const std::string_view name : {"mymaster", "my master", ""}) {
      if (const auto h = impl::read_hint(channel, payload, name); h && !h->about.empty())
         require(h->about.port != 0 && payload.find(h->about.host) != std::string_view::npos,
                 "a hint names what it said");
   }
   const value v = impl::test::parsed(in.rest());
   impl::master_state state;
   impl::read_master(v, state);
   endpoint where;
   if (impl::read_address(v, where) == impl::sentinel_answer_kind::good)
      require(where.port != 0, "an address has a port");
   std::vector<impl::listed_node> list;
   impl::read_nodes(v, 4, list);
   require(list.size() <= 4, "a list has an end");
   std::vector<impl::listed_node> replicas;
   impl::read_nodes(v, 4, replicas);
   require(replicas.size() <= 4, "a list has an end");
   require(is_one_line(impl::shown(payload)), "what is shown is one line");
}

}  // namespace

void sentinel(std::string_view bytes) {
   input in(bytes);
   if (in.one_in(16)) return check_readers(in.rest());
   lying_world(in).run();
}

}  // namespace holdfast::fuzz

HOLDFAST_FUZZ_ENTRY(sentinel)
