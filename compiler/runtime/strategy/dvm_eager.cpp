#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

const Strategy kDvmEager = {.name = "dvm-eager",
                            .fusion = Fusion::Captured,
                            .path = CodePath::Bytecode,
                            .compiles = true,
                            .encodes_each_run = true,
                            .captures = true};

}  // namespace dvmsim
