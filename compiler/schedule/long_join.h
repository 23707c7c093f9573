// The kernels that join what the cores of a row have accumulated, each of its own part.
#pragma once

#include <array>
#include <cstdint>

#include "compiler/schedule/long_reduce.h"

namespace dvmsim {

/// The kernel that joins one accumulated value, and whatever it is scaled by. Values it adds lie
/// behind what every phase keeps.
class JoinMaker {
 public:
  /// All outlive it. `schedule`: of a phase.
  JoinMaker(const PhasedKernel& phased, const VectorSchedule& schedule, std::int64_t parts);

  PhaseJoin make(const Accumulator& one);
  /// Where the values of those made so far end in UB.
  [[nodiscard]] std::int64_t end() const { return end_; }

 private:
  [[nodiscard]] const KernelValue& value(int id) const {
    return phased_.kernel.values[static_cast<std::size_t>(id)];
  }
  int add_parts(int accumulated);
  int add_whole(int accumulated);
  void step(isa::Op op, int result, std::array<int, 3> sources,
            isa::Reduction how = isa::Reduction::Sum);
  void place(std::int64_t elements);

  const PhasedKernel& phased_;
  const VectorSchedule& schedule_;
  PhaseJoin join_{};
  std::int64_t end_, parts_;
  DType dtype_{};
};

}  // namespace dvmsim
