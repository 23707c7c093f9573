// A matrix product whose last tiles are shared by the cube cores along k (isa::kShared): the cube
// cores leave sums of pieces in a workspace, and vector cores add them in the order of k, convert
// them and store. The product itself is the matmul macro.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/codegen/matmul.h"

namespace dvmsim {

/// The machine shares tiles (schedule/matmul_shared.h) and the schedule does. Launch it on
/// schedule.cores cube cores and finishing_cores() vector cores. The arguments are the words of the
/// macro, then the workspace.
[[nodiscard]] Program shared_program(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                     const Machine& machine);
/// The words of the macro, then the workspace.
[[nodiscard]] std::vector<std::uint64_t> shared_arguments(const MatmulSpec& spec,
                                                          const MatmulSchedule& schedule,
                                                          const MatmulAddresses& addresses,
                                                          std::uint64_t workspace);

}  // namespace dvmsim
