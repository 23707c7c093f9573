#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

HostCharge dispatch_launch(const HostFacts& facts) {
  return {HostWork::Capture, facts.machine.host.capture};
}

const Strategy kEager = {.name = "eager",
                         .fusion = Fusion::PerOperator,
                         .path = CodePath::Native,
                         .code = Strategy::Code::Generic,
                         .compiles = false,
                         .before_launch = dispatch_launch};

}  // namespace dvmsim
