#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

const Strategy kResident = {.name = "resident",
                            .fusion = Fusion::Patterns,
                            .path = CodePath::Bytecode,
                            .compiles = true,
                            .encodes_each_run = true,
                            .features = Features::all()};

}  // namespace dvmsim
