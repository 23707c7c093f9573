#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

const Strategy kResident = {.name = "resident",
                            .before_launch = encode_launch,
                            .before_module = find_module,
                            .features = Features::all()};

}  // namespace dvmsim
