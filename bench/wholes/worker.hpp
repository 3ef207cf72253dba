// The process in which one kind of client is measured: alone, so that its processor time, memory and instructions are
// its own. It reads one request a line and answers each with a line:
//
//    run WORKLOAD ROUNDS     ok NANOSECONDS NANOSECONDS    so long it took, and so much processor time
//    count WORKLOAD ROUNDS   ok ALLOCATIONS                valgrind, if it runs this, writes what the rounds have cost
//    grow CALLERS            ok KIB DESCRIPTORS            with so many callers, each used once, the process holds so
//    much
//
// Whatever went wrong is answered with `error TEXT`.
#pragma once

#include "bench/wholes/client_kind.hpp"

#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::bench {

class worker {
 public:
   worker(const client_kind&, server_addresses real, server_addresses canned);

   // Until there is no more.
   void serve(std::istream& requests, std::ostream& answers);

 private:
   struct pool {
      std::unique_ptr<caller_source> source;
      std::vector<std::unique_ptr<caller>> callers;  // at the end, so that they go first
   };
   std::string answer(const std::string& request);
   pool& prepared(const workload&);
   pool& pool_of(server_kind, std::size_t callers);
   std::string run(const workload&, std::size_t rounds);
   std::string count(const workload&, std::size_t rounds);
   std::string grow(std::size_t callers);

   const client_kind& kind_;
   std::map<server_kind, server_addresses> addresses_;
   std::map<server_kind, pool> pools_;
};

}  // namespace holdfast::bench
