#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

const Strategy kDvm = {.name = "dvm",
                       .fusion = Fusion::Patterns,
                       .path = CodePath::Bytecode,
                       .compiles = true,
                       .encodes_each_run = true};

}  // namespace dvmsim
