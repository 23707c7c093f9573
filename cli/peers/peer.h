// The part that helper programs of `bench compile` share: each is one compiler as a library, which
// makes a kernel executable in its own process. They are programs of their own so that dvmsim does
// not load what they need.
#pragma once

#include <memory>

#include "cli/peers/loop_emitter.h"

namespace dvmsim {

/// Code, for as long as the object lives.
class CompiledLoop {
 public:
  virtual ~CompiledLoop() = default;
  [[nodiscard]] virtual LoopFunction function() const = 0;
};

class PeerCompiler {
 public:
  virtual ~PeerCompiler() = default;
  /// From the kernel to code that can be called, nothing kept from other times. Throws Error.
  [[nodiscard]] virtual std::unique_ptr<CompiledLoop> compile(const LoopKernel& kernel) = 0;
};

/// main() of a helper: `KERNEL.graph ROUNDS`. Compiles the kernel so often and prints one line:
/// median, 90 and 99 of 100 in microseconds of CPU, children included, then the largest error of
/// what it computes, relative to the evaluator's largest value. The exit code.
int peer_main(int argc, char** argv, PeerCompiler& compiler);

}  // namespace dvmsim
