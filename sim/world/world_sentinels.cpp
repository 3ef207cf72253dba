// Sentinels and their addresses: they move, are replaced, run twice, and leave their addresses to others.
#include "sim/world/world.hpp"

#include <algorithm>
#include <charconv>

namespace holdfast::sim {

namespace {

constexpr std::string_view of_all = "sentinels.sim";
constexpr std::string_view balancer = "10.0.1.1";

// The number behind `prefix`.
std::optional<unsigned> number_behind(std::string_view text, std::string_view prefix) {
   unsigned n = 0;
   if (!text.starts_with(prefix)) return std::nullopt;
   text.remove_prefix(prefix.size());
   const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
   if (problem != std::errc()) return std::nullopt;
   return n;
}

}  // namespace

// ---- names and addresses ------------------------------------------------------------------------------------------

std::vector<endpoint> world::seeds() const {
   std::vector<endpoint> all;
   switch (scenario_.seeds) {
      case seeds::one_name: return {{std::string(of_all), 26379}};
      case seeds::balancer: return {{std::string(balancer), 26379}};
      case seeds::names:
         for (std::size_t i = 0; i < sentinels_.size(); ++i)
            all.push_back({"sentinel-" + std::to_string(i) + ".sim", 26379});
         break;
      case seeds::addresses:
         for (const auto& s : sentinels_) all.push_back({address_of_host(s->host()), 26379});
         break;
   }
   if (!scenario_.knows_all_seeds) all.resize(2);
   return all;
}

std::vector<endpoint> world::resolve(const endpoint& e) {
   const auto address = [&](const auto& s) { return endpoint{address_of_host(s->host()), e.port}; };
   if (e.host == of_all) {
      std::vector<endpoint> all;
      std::transform(sentinels_.begin(), sentinels_.end(), std::back_inserter(all), address);
      return all;
   }
   if (const auto server = number_behind(e.host, "server-")) return {{address_of_host(*server), e.port}};
   const auto n = number_behind(e.host, "sentinel-");
   if (n && *n < sentinels_.size()) return {address(sentinels_[*n])};
   return {e};
}

host_id world::host_of(const endpoint& e) {
   if (e.host == balancer) {
      std::vector<host_id> there;
      for (const auto& s : sentinels_) {
         if (shared_.net.condition_of(s->host()) != condition::dead) there.push_back(s->host());
      }
      return there.empty() ? nowhere : there[shared_.chance.below(static_cast<std::uint32_t>(there.size()))];
   }
   return deployment::host_of(e);
}

// ---- another deployment -------------------------------------------------------------------------------------------

// A master without replicas, and one Sentinel: it has had many failovers, so that its epoch is higher.
void world::build_neighbours() {
   neighbours_.push_back(make_server({}));
   sentinel_settings s;
   s.master_name = scenario_.sentinel.master_name;
   s.quorum = 1;
   neighbour_watcher_ = make_sentinel(s);
   const host_id m = neighbours_.back()->host();
   shared_.elsewhere.resize(client_site_);
   for (const host_id x : {m, neighbour_watcher_->host()}) {
      shared_.elsewhere[x] = true;
      checkers_.neighbour(x, true);
   }
   neighbour_watcher_->begin(m, {}, {}, 1000, true);
}

// ---- who is where -------------------------------------------------------------------------------------------------

host_id world::spare_address() {
   const host_id h = spare_.front();
   spare_.erase(spare_.begin());
   return h;
}

// Its process has ended there, and is to begin at another address, from now on.
void world::leaves(sentinel_model& s, host_id to) {
   const host_id from = s.host();
   process_dies(from, condition::dead);
   shared_.net.set(from, condition::dead);
   shared_.sentinels[from] = nullptr;
   shared_.sentinels[to] = &s;
   s.moves_to(to);
   shared_.note(from, [&] { return "is left: its Sentinel is to run at " + address_of_host(to); });
}

void world::reset_all_but(const sentinel_model& one) {
   for (const auto& s : sentinels_) {
      if (s.get() != &one && shared_.net.works(s->host())) s->forget_others();
   }
}

bool world::is_configured_address(host_id h) const {
   const std::size_t first = servers_.size();
   const std::size_t known = scenario_.knows_all_seeds ? sentinels_.size() : 2;
   return scenario_.seeds == seeds::addresses && h >= first && h < first + known;
}

// A stranger at a configured address is known as one because two other configured Sentinels list each other.
bool world::outvotes_a_stranger_without(host_id left) const {
   unsigned others = 0;
   for (const auto& s : sentinels_) others += s->host() != left && is_configured_address(s->host());
   return others >= 2;
}

// A client that begins once all configured addresses are left finds nobody.
bool world::is_last_configured(host_id left) const {
   return is_configured_address(left) && std::none_of(sentinels_.begin(), sentinels_.end(), [&](const auto& s) {
             return s->host() != left && is_configured_address(s->host());
          });
}

// While all lists are empty, three configured Sentinels do not know each other. A client that begins then, or where
// their ids are new, too, can't tell which is the stranger.
bool world::would_blind_anybody() const { return scenario_.has_neighbours && scenario_.knows_all_seeds; }
bool world::would_blind_the_new() const {
   for (std::uint32_t i = 0; i < clients_.size(); ++i) {
      if (would_blind_anybody() && !checkers_.has_heard(i)) return true;
   }
   return false;
}

// Whether the fault has struck: nobody moves in the middle of a failover, or twice at a time.
bool world::strike_who(fault& f, struck& s, sentinel_model& watcher) {
   const bool to_stranger = f.is == fault_kind::passed && !neighbour_moved_;
   const bool may_be_stranger = (to_stranger || has_stranger_configured_) && is_configured_address(watcher.host()) &&
                                !outvotes_a_stranger_without(watcher.host());
   const bool stays = f.is != fault_kind::cloned && (may_be_stranger || is_last_configured(watcher.host()));
   const bool leaves_for_good = f.is == fault_kind::replaced || f.is == fault_kind::passed;
   const bool resets = leaves_for_good && (f.draw / 16 % 2 == 0 || replaced_without_reset_);
   const bool can = is_whole() && shared_.net.works(watcher.host()) && spare_.size() > 2 && !stays;
   if (!can || (resets && would_blind_the_new())) return false;
   const host_id to = spare_address();
   s.victim = to;
   s.left = watcher.host();
   if (f.is == fault_kind::cloned) {
      clones_.push_back(std::make_unique<sentinel_model>(shared_, to, scenario_.sentinel));
      clones_.back()->copies(watcher);
      shared_.sentinels[to] = clones_.back().get();
      process_starts(to);
      shared_.note(to, [] { return std::string("runs as the copy of another one"); });
      return true;
   }
   leaves(watcher, to);
   s.resets = resets;
   const bool another = f.is == fault_kind::replaced || (f.is == fault_kind::passed && f.draw / 8 % 2 == 0);
   if (another) {
      watcher.becomes_another(next_identity_++);
      replaced_without_reset_ = replaced_without_reset_ || !resets;
   }
   return true;
}

void world::end_who(fault& f, struck& s) {
   if (f.is == fault_kind::cloned) {
      process_dies(s.victim, condition::dead);
      shared_.net.set(s.victim, condition::dead);
      shared_.sentinels[s.victim] = nullptr;
      spare_.push_back(s.victim);
      return;
   }
   sentinel_model* const watcher = shared_.sentinels[s.victim];
   process_starts(s.victim);
   if (s.resets && watcher != nullptr && is_whole()) reset_all_but(*watcher);
   if (f.is != fault_kind::passed) return spare_.push_back(s.left);
   // Once, and for good. What is left by the neighbour stays empty.
   if (shared_.sentinels[s.left] != nullptr || shared_.elsewhere[s.left] || neighbour_moved_) return;
   if (is_configured_address(s.left)) {
      if (!outvotes_a_stranger_without(s.left)) return;
      has_stranger_configured_ = true;
   }
   neighbour_moved_ = true;
   leaves(*neighbour_watcher_, s.left);
   shared_.elsewhere.resize(std::max<std::size_t>(shared_.elsewhere.size(), s.left + 1));
   shared_.elsewhere[s.left] = true;
   checkers_.neighbour(s.left, true);
   process_starts(s.left);
   shared_.note(s.left, [] { return std::string("belongs to another deployment from now on"); });
}

}  // namespace holdfast::sim
