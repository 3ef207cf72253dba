// Every write that any server of a world ever ran. A history is a branch: a promoted replica begins a new one where the
// old master's ended for it. A server holds one place in one branch, and all that leads to it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::sim {

struct place {
   std::uint32_t branch = 0;
   std::uint64_t offset = 0;  // writes before it, those of the branches that it came from included

   friend bool operator==(const place&, const place&) = default;
};

// A command that a server ran.
struct execution {
   place behind = {};  // where it stands then
   bool changed = false;
   unsigned database = 0;
   std::string_view reply = {};
};

class history {
 public:
   history() : branches_(1) {}

   // A new branch that begins there.
   place fork(place from) {
      branches_.push_back({from.branch, from.offset, {}, {}});
      return {static_cast<std::uint32_t>(branches_.size() - 1), from.offset};
   }
   // Adds a write at the end of a branch; the place behind it.
   place add(place at, std::string_view bytes) {
      branch& b = branches_[at.branch];
      b.bytes += bytes;
      b.ends.push_back(b.bytes.size());
      return {at.branch, at.offset + 1};
   }
   place end_of(std::uint32_t b) const { return {b, branches_[b].begins + branches_[b].ends.size()}; }
   // Whether who is at `head` has all that who is at `p` has, and nothing of what `p` has not been followed by.
   bool leads_to(place p, place head) const {
      while (head.branch != p.branch && head.branch != 0) {
         const branch& b = branches_[head.branch];
         head = {b.parent, b.begins < head.offset ? b.begins : head.offset};
      }
      return head.branch == p.branch && p.offset <= head.offset;
   }
   // Calls `f(place behind it, bytes)` for each write from `p` to `head`, to which it leads.
   template <class F>
   void each_between(place p, place head, F&& f) const {
      if (head.branch != p.branch) {
         const branch& b = branches_[head.branch];
         each_between(p, {b.parent, b.begins}, f);
         p = {head.branch, b.begins};
      }
      const branch& b = branches_[p.branch];
      for (std::uint64_t i = p.offset; i < head.offset; ++i) {
         const std::size_t n = static_cast<std::size_t>(i - b.begins);
         const std::size_t from = n == 0 ? 0 : b.ends[n - 1];
         f(place{p.branch, i + 1}, std::string_view(b.bytes).substr(from, b.ends[n] - from));
      }
   }
   std::size_t branches() const { return branches_.size(); }
   // Where the way to `p` and the way to `head` part: the branch that either takes there. None where one has what the
   // other has so far.
   struct parting {
      std::optional<std::uint32_t> to_p;
      std::optional<std::uint32_t> to_head;
   };
   parting part(place p, place head) const {
      const auto of_p = branches_to(p);
      const auto of_head = branches_to(head);
      std::size_t shared = 0;
      while (shared < of_p.size() && shared < of_head.size() && of_p[shared] == of_head[shared]) ++shared;
      parting found;
      if (shared < of_p.size()) found.to_p = of_p[shared];
      if (shared < of_head.size()) found.to_head = of_head[shared];
      return found;
   }

 private:
   struct branch {
      std::uint32_t parent = 0;
      std::uint64_t begins = 0;
      std::string bytes = {};
      std::vector<std::size_t> ends = {};
   };
   // From the first on.
   std::vector<std::uint32_t> branches_to(place p) const {
      std::vector<std::uint32_t> all{p.branch};
      while (all.back() != 0) all.push_back(branches_[all.back()].parent);
      std::reverse(all.begin(), all.end());
      return all;
   }

   std::vector<branch> branches_;
};

}  // namespace holdfast::sim
