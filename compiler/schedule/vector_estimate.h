// What the schedule of a vector kernel believes that a tile takes; internal to this folder.
#pragma once

#include <vector>

#include "compiler/schedule/vector.h"

namespace dvmsim {

/// The machine's numbers as the estimate needs them, and the parts of the kernel that no tile
/// changes.
class Estimator {
 public:
  Estimator(const VectorKernel& kernel, const Machine& machine);

  /// The tile's parts, and the number of cores for which the launch ends first.
  void judge(VectorSchedule& schedule, int cores) const;
  /// The same, the vector pipe's part being known.
  void judge(VectorSchedule& schedule, int cores, VectorPart vector) const;

 private:
  [[nodiscard]] double vector_of(const VectorSchedule& schedule) const;
  [[nodiscard]] double moved(const std::vector<KernelTensor>& tensors, VectorTile tile) const;

  const VectorKernel& kernel_;
  double load_rate_, store_rate_, gap_, fixed_, repeat_, hbm_rate_, write_cost_, load_latency_,
      store_latency_, per_core_, scalar_;
};

}  // namespace dvmsim
