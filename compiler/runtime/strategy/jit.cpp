// A tracing compiler, as TorchInductor: what it compiles and how long that takes. When it compiles
// is specializations.h.
#include <algorithm>
#include <vector>

#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {
namespace {

/// Kernels that come compiled from a library, unless they are tuned.
bool is_library(GroupKind kind) {
  return kind == GroupKind::Cube || kind == GroupKind::Grouped || kind == GroupKind::Conv ||
         kind == GroupKind::Attention || kind == GroupKind::Top;
}

Picoseconds time_of(const KernelWork& kernel, const StrategyConstants& constants) {
  const auto& jit = constants.jit;
  if (jit.compiler == JitCompiler::Published) return jit.kernel;
  return jit.measured_kernel + jit.measured_nest * kernel.nests;
}

HostCharge check_or_compile(const HostFacts& facts) {
  const auto& jit = facts.constants.jit;
  if (!facts.compiles || !facts.first) return {HostWork::Capture, jit.guard};
  const Picoseconds node =
      jit.compiler == JitCompiler::Published ? jit.trace : facts.machine.host.node;
  return {HostWork::Compile,
          jit.guard + node * facts.work.nodes + native_compile_time(facts.work, facts.constants)};
}

}  // namespace

Picoseconds native_compile_time(const CompileWork& work, const StrategyConstants& constants) {
  std::vector<Picoseconds> busy(static_cast<std::size_t>(std::max(1, constants.jit.workers)));
  for (const KernelWork& kernel : work.kernels) {
    std::int64_t versions = kernel.programs;
    if (is_library(kernel.kind)) {
      versions = constants.jit.max_autotune ? versions * constants.jit.candidates : 0;
    }
    for (; versions > 0; --versions) {
      *std::min_element(busy.begin(), busy.end()) += time_of(kernel, constants);
    }
  }
  return *std::max_element(busy.begin(), busy.end());
}

const Strategy kJit = {.name = "jit",
                       .fusion = Fusion::Pointwise,
                       .path = CodePath::Native,
                       .code = Strategy::Code::Versions,
                       .compiles = false,
                       .before_launch = dispatch_launch,
                       .before_module = check_or_compile,
                       .specializes = true};

}  // namespace dvmsim
