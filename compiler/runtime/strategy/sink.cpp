// The whole graph captured and sunk to the device. A capture holds addresses and sizes, so other
// sizes are another capture: every operator is inferred and tiled as in `graph`, recorded, and the
// list copied to the device. After that the host hands over one submission.
#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {
namespace {

HostCharge capture(const HostFacts& facts) {
  if (!facts.first) return {};
  const auto& sink = facts.constants.sink;
  const std::int64_t launches = facts.work.launches;
  const Cycles copied =
      facts.machine.launch.copy_rate.cycles_for(Bytes(sink.task.count() * launches));
  const std::int64_t transfer =
      copied.count() * (1'000'000'000'000 / facts.machine.clock.core.count());
  return {HostWork::Compile, facts.constants.graph.infer * facts.work.operators +
                                 sink.capture * launches +
                                 Picoseconds(facts.machine.host.tile.count() * facts.work.tiles) +
                                 facts.machine.launch.copy + Picoseconds(transfer)};
}

/// What a captured launch costs the host is in the capture.
HostCharge nothing(const HostFacts&) {
  return {};
}

}  // namespace

const Strategy kSink = {.name = "sink",
                        .fusion = Fusion::PerOperator,
                        .path = CodePath::Native,
                        .code = Strategy::Code::Generic,
                        .compiles = false,
                        .before_launch = nothing,
                        .before_module = capture,
                        .one_submission = true};

}  // namespace dvmsim
