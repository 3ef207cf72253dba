// Every client that is measured, one file each.
#pragma once

#include "bench/wholes/client_kind.hpp"

namespace holdfast::bench {

client_kind raw();                  // raw.cpp
client_kind hiredis();              // hiredis.cpp
client_kind holdfast_fixed();       // holdfast_blocking.cpp
client_kind holdfast_sentinel();    // holdfast_blocking.cpp
client_kind holdfast_deployment();  // holdfast_blocking.cpp
client_kind holdfast_shared();      // holdfast_shared.cpp

}  // namespace holdfast::bench
