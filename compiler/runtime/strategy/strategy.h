// A strategy: one bargain between host time and device time. Same model, same values. One file
// each: what is compiled and launched, and what the host spends for it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "compiler/module/compile.h"
#include "compiler/pass/feature.h"
#include "compiler/pass/partition.h"
#include "compiler/runtime/strategy/constants.h"
#include "vm/device/device.h"

namespace dvmsim {

/// What the host's work for a module depends on.
struct HostFacts {
  const Machine& machine;
  const StrategyConstants& constants;
  const CompileWork& work;
  const Program* program = nullptr;  // of a launch
  bool first = false;                // the module has not run before
  bool dynamic = false;              // the graph has symbols: another run may have other sizes
  bool compiles = false;             // code for these sizes does not exist yet
  bool kept = false;                 // its bytecode was encoded before, and kept
  bool shares = false;               // what it has several times is encoded once
};

/// Time at host speed 1, on the front thread.
struct HostCharge {
  HostWork work = HostWork::Capture;
  Picoseconds time{};
};

struct Strategy {
  /// How much code of a model lies on the device.
  enum class Code : std::uint8_t {
    Programs,  // the bytecode of every set of sizes that is kept ready
    Generic,   // one native version, whatever the sizes
    Versions,  // a native version for everything that was compiled
  };

  std::string_view name{};
  Fusion fusion = Fusion::Patterns;
  CodePath path = CodePath::Bytecode;
  Code code = Code::Programs;
  /// The graph is analysed and partitioned by this compiler, once per graph, on the host's clock.
  bool compiles = true;
  /// Before each launch; if operators are launched one by one, before the first one of each.
  HostCharge (*before_launch)(const HostFacts&) = nullptr;
  /// Before the launches of a module; null: nothing.
  HostCharge (*before_module)(const HostFacts&) = nullptr;
  /// The graph is run operator by operator through the lazy API, which compiles what it captured.
  bool captures = false;
  /// What it can do beyond `dvm`; --feature switches each.
  Features features{};

  /// All launches of a module are handed over as one.
  bool one_submission = false;
  /// Compiled code holds for the sizes it was specialised for (specializations.h).
  bool specializes = false;
  /// Graphs with symbols run at the sizes of a bucket (bucket.h).
  bool pads = false;
};

/// One kernel per framework operator, whether the model writes it as one or as many (reroll.h):
/// native, compiled ahead for every shape, the best schedule each. The host dispatches and goes on;
/// it waits for values only.
extern const Strategy kEager;
/// A static graph, one native kernel per operator: the host deduces shapes and chooses tiles of
/// each before it launches it, once if all sizes are known.
extern const Strategy kGraph;
/// The whole static graph, captured for each set of sizes and handed over as one.
extern const Strategy kSink;
/// A tracing compiler of native kernels: pointwise operators and reductions fused, products from a
/// library; compiled when sizes come that no compiled version holds for.
extern const Strategy kJit;
/// Everything fused and compiled ahead of time, at bucket sizes: inputs are padded, what would read
/// the padding is masked, outputs are cut.
extern const Strategy kBucket;
/// The paper's virtual machine on a static graph with symbolic dimensions: partitioned once, fused
/// by pattern, encoded again for every launch.
extern const Strategy kDvm;
/// The same machine under a framework in eager mode: calls are captured one by one, grouped and
/// encoded whenever they must be flushed.
extern const Strategy kDvmEager;
/// Beyond the paper: `dvm` and every feature.
extern const Strategy kResident;

/// How the strategy's programs run with these features.
[[nodiscard]] CodePath path_of(const Strategy& strategy, Features features);

/// Bytecode is encoded for the sizes: a tile candidate's and a word's time each.
/// Bytecode is encoded for the sizes: a tile candidate's and a word's time each, and that of a
/// kernel cut like known ones. Nothing if it was kept.
[[nodiscard]] HostCharge encode_launch(const HostFacts& facts);
/// Bytecode that was kept is found.
[[nodiscard]] HostCharge find_module(const HostFacts& facts);
/// Code that exists is launched: host.capture.
[[nodiscard]] HostCharge dispatch_launch(const HostFacts& facts);
/// How long the native compiler takes for a module's kernels, its workers in parallel.
[[nodiscard]] Picoseconds native_compile_time(const CompileWork& work,
                                              const StrategyConstants& constants);
/// Bytes of native code of a module: a handler's worth for each instruction.
[[nodiscard]] std::int64_t native_bytes(const Module& module, const Machine& machine);

[[nodiscard]] std::span<const Strategy* const> strategies();
/// Throws Error naming the ones there are.
[[nodiscard]] const Strategy& find_strategy(std::string_view name);

}  // namespace dvmsim
