// A strategy: one bargain between host time and device time. Same model, same values. One file
// each.
#pragma once

#include <span>
#include <string_view>

#include "compiler/pass/feature.h"
#include "compiler/pass/partition.h"
#include "vm/device/device.h"

namespace dvmsim {

struct Strategy {
  std::string_view name{};
  Fusion fusion = Fusion::Patterns;
  CodePath path = CodePath::Bytecode;
  /// The graph is analysed and partitioned by this compiler, once per graph, on the host's clock.
  bool compiles = true;
  /// Programs are encoded again for every run of a graph with symbolic dimensions.
  bool encodes_each_run = true;
  /// The graph is run operator by operator through the lazy API, which compiles what it captured.
  bool captures = false;
  /// What it can do beyond `dvm`; --feature switches each.
  Features features{};
};

/// One kernel per framework operator: native, compiled ahead for every shape, the best schedule
/// each.
extern const Strategy kEager;
/// The paper's virtual machine on a static graph with symbolic dimensions: partitioned once, fused
/// by pattern, encoded again for every launch.
extern const Strategy kDvm;
/// The same machine under a framework in eager mode: calls are captured one by one, grouped and
/// encoded whenever they must be flushed.
extern const Strategy kDvmEager;
/// Beyond the paper: `dvm` and every feature.
extern const Strategy kResident;

[[nodiscard]] std::span<const Strategy* const> strategies();
/// Throws Error naming the ones there are.
[[nodiscard]] const Strategy& find_strategy(std::string_view name);

}  // namespace dvmsim
