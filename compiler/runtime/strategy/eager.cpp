#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

const Strategy kEager = {.name = "eager",
                         .fusion = Fusion::PerOperator,
                         .path = CodePath::Native,
                         .compiles = false,
                         .encodes_each_run = false};

}  // namespace dvmsim
