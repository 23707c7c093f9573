// A vector kernel whose reductions run along rows (or columns) longer than a tile, as phases. Each
// phase walks the long dimension in pieces; what depends on the result of a reduction belongs to a
// later phase, which loads its operands again and computes again what it needs of them. A sum of
// exp(x - max(x)) joins the phase of the maximum: it is scaled anew whenever the maximum grows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/schedule/vector_kernel.h"

namespace dvmsim {

/// Values that a phase accumulates, and how the results of several cores become one.
struct Accumulator {
  int value = 0;  // short; the result of the reduction
  isa::Reduction how = isa::Reduction::Sum;
  DType dtype = DType::F32;
  /// Of a sum that follows a maximum: the maximum it is scaled by, never below the least number.
  int scale = -1;
};

struct Phase {
  std::vector<int> inputs{}, outputs{};  // of the kernel: moved piece by piece
  std::vector<KernelStep> steps{};       // on a piece
  std::vector<Accumulator> accumulators{};
  std::vector<KernelStep> finish{};  // once, when every piece has been walked
};

struct PhasedKernel {
  VectorKernel kernel{};        // with the values that phases add; its steps are not used
  bool over_columns = true;     // else the rows are long
  std::vector<bool> is_long{};  // by value: does it extend along the long dimension?
  std::vector<int> short_inputs{}, short_outputs{};
  std::vector<KernelStep> start{};  // once, before the first phase
  std::vector<Phase> phases{};

  [[nodiscard]] std::size_t long_dim() const { return kernel.dims.size() - (over_columns ? 1 : 2); }
  [[nodiscard]] std::size_t short_dim() const {
    return kernel.dims.size() - (over_columns ? 2 : 1);
  }
};

/// Nullopt if the kernel reduces along both of a tile's dimensions, or along none, or has running
/// sums; `why` then says it.
[[nodiscard]] std::optional<PhasedKernel> phases_of(const VectorKernel& kernel,
                                                    std::string* why = nullptr);

[[nodiscard]] std::string to_text(const PhasedKernel& phased);

}  // namespace dvmsim
