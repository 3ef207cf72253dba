// A deployment whose Sentinels are asked once for many clients, also on many threads.
#pragma once

#include <holdfast/config.hpp>

#include <memory>
#include <string_view>

namespace holdfast {

namespace impl {
class watch_thread;
}

// A deployment that several clients share: `client redis(shared)`. However many there are, its Sentinels see the
// connections of one client (two each), and each change wakes all that wait at once.
//
// The work of a `client` is still done in its callers' threads. But the Sentinels are asked in a thread of its own: it
// starts with the first client that is made of the deployment, asks nobody
// before a client is used, and has all signals blocked. Without Sentinels there is no thread.
//
// A handle, cheap to copy: the thread ends with the last of its copies and of the clients made of it, whichever goes
// last, which then waits for it (milliseconds, or as long as the observer takes). Thread-safe, as far as a shared_ptr
// is: different threads use different copies, or only make clients of the same one. The clients remain one thread at a
// time each, and each has a connection to the master, a circuit breaker and a retry budget of its own.
//
// After a fork the child has no such thread. A deployment of which a client was made before, and its clients, answer
// errc::not_supported there (`client(deployment)` throws it), and may be destroyed; the descriptors of the thread stay
// open in the child until exec or its end. A deployment of which no client was made yet works in both.
class deployment {
 public:
   // Neither touches the network. They throw `failure` (errc::invalid_argument) for a bad URI or configuration.
   //
   // The observer of the configuration is told what the Sentinels say (the first part of event.hpp), in the
   // deployment's thread, for as long as that runs. It should be quick, as the thread waits for it and with it every
   // client that has no master. It must not throw (the program would end), must not use a client of this deployment,
   // nor destroy the last handle.
   explicit deployment(std::string_view uri);
   explicit deployment(config);
   deployment(const deployment&) = default;
   deployment& operator=(const deployment&) = default;
   ~deployment() = default;

   // What `client(deployment)` is made with: its configuration, but without the observer, which is not told of
   // connections and commands. To change something for one client: `auto c = shared.settings(); c.db = 3; client
   // redis(shared, c);`.
   config settings() const;

 private:
   friend config placed(const deployment&, config);
   friend std::shared_ptr<impl::watch_thread> watch_of(const deployment&);
   struct body;
   std::shared_ptr<body> body_;
};

}  // namespace holdfast
