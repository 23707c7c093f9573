#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

const Strategy kDvmEager = {.name = "dvm-eager",
                            .fusion = Fusion::Captured,
                            .before_launch = encode_launch,
                            .before_module = find_module,
                            .captures = true};

}  // namespace dvmsim
