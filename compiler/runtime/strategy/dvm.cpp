#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

HostCharge encode_launch(const HostFacts& facts) {
  const auto& host = facts.machine.host;
  const auto words =
      static_cast<std::int64_t>(facts.program->cube.size() + facts.program->vector.size());
  const std::int64_t launches = facts.work.groups > 0 ? facts.work.groups : 1;
  return {HostWork::Encode,
          Picoseconds(host.word.count() * words + host.tile.count() * facts.work.tiles / launches)};
}

const Strategy kDvm = {.name = "dvm", .before_launch = encode_launch};

}  // namespace dvmsim
