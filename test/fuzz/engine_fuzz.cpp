// The engine, fed with any sequence of events. What is promised of it stands in engine_world.cpp, one `require` each.
//
//    input: the settings, then one operation after the other (engine_world::step)
#include "fuzz/engine_world.hpp"

namespace holdfast::fuzz {

void engine(std::string_view bytes) {
   input in(bytes);
   engine_world(in).run();
}

}  // namespace holdfast::fuzz

HOLDFAST_FUZZ_ENTRY(engine)
