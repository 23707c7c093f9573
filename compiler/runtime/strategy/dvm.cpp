#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

HostCharge encode_launch(const HostFacts& facts) {
  if (facts.kept) return {};
  const auto& host = facts.machine.host;
  const auto words =
      static_cast<std::int64_t>(facts.program->cube.size() + facts.program->vector.size());
  const std::int64_t launches = facts.work.groups > 0 ? facts.work.groups : 1;
  const std::int64_t cutting =
      host.tile.count() * facts.work.tiles + host.patch.count() * facts.work.alike;
  return {HostWork::Encode, Picoseconds(host.word.count() * words + cutting / launches)};
}

HostCharge find_module(const HostFacts& facts) {
  if (!facts.kept) return {};
  return {HostWork::Encode, facts.machine.host.lookup};
}

const Strategy kDvm = {.name = "dvm", .before_launch = encode_launch, .before_module = find_module};

}  // namespace dvmsim
