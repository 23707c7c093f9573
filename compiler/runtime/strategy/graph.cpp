// A static graph run operator by operator, as MindSpore's graph mode at O0: its kernels are those
// of eager, but the host knows nothing of the sizes until they come.
#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {
namespace {

HostCharge infer_and_tile(const HostFacts& facts) {
  if (!facts.dynamic && !facts.first) return dispatch_launch(facts);
  const std::int64_t operators = facts.work.operators > 0 ? facts.work.operators : 1;
  return {HostWork::Encode,
          facts.constants.graph.infer +
              Picoseconds(facts.machine.host.tile.count() * facts.work.tiles / operators)};
}

}  // namespace

const Strategy kGraph = {.name = "graph",
                         .fusion = Fusion::PerOperator,
                         .path = CodePath::Native,
                         .code = Strategy::Code::Generic,
                         .compiles = false,
                         .before_launch = infer_and_tile};

}  // namespace dvmsim
