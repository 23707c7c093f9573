// A matrix product whose tiles the vector cores finish: the cube core puts accumulators into slots
// of a workspace, each vector core of its group takes its share of the rows, applies an elementwise
// kernel and stores. The product itself is the matmul macro.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/codegen/matmul.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {

/// Columns of a product whose rows are reduced in its tiles: as many as a bias may have there.
inline constexpr std::int64_t kWidestRow = 256;

/// The kernel's dims are {batch0, batch1, m, n}. Its first input is the accumulators (F32; I32 if
/// the operands are I8); the others and the outputs are tensors over those dims. Reductions go
/// along rows of a product with whole_rows, of kWidestRow columns at most. `post` and `c` of the
/// product are not used; its bias is.
struct MixKernel {
  MatmulSpec product{};
  VectorKernel epilogue{};
};

/// Empty, or why there is no such program on this machine.
[[nodiscard]] std::string mix_problem(const MixKernel& kernel, const Machine& machine);

/// Do the rows of the schedule's tiles fit UB? The schedules of schedule/ have such tiles.
[[nodiscard]] bool mix_fits(const MixKernel& kernel, const MatmulSchedule& schedule,
                            const Machine& machine);

/// There is no mix_problem(), and it fits. Launch it on schedule.cores cube cores and all their
/// groups' vector cores. The arguments are the words of the macro, those of shared tiles if there
/// are any, then the kernel's inputs but the first, then its outputs. `packed`: with buffers in
/// copies, as they measure (cut_rows_packed()).
[[nodiscard]] Program mix_program(const MixKernel& kernel, const MatmulSchedule& schedule,
                                  const Machine& machine, const VectorMeasure* packed = nullptr);

/// The same for a cube program `head` of another macro that fills slots as matmul does: words of
/// its argument block are as many as its arguments, and word 2 is the workspace.
[[nodiscard]] Program finished_program(Program head, const MixKernel& kernel,
                                       const MatmulSchedule& schedule, const Machine& machine,
                                       const VectorMeasure* packed = nullptr);
/// Slots of each cube core, and bytes of one.
[[nodiscard]] MatmulSlots mix_slots(const MatmulSchedule& schedule);

/// Bytes of the workspace that holds the slots. Where tiles are shared, that of the pieces is
/// another (schedule/matmul_shared.h).
[[nodiscard]] std::int64_t mix_workspace_bytes(const MatmulSchedule& schedule);

/// `addresses.c` is the workspace. `tensors`: the kernel's inputs but the first, then its outputs.
/// `pieces`: the other workspace, where tiles are shared.
[[nodiscard]] std::vector<std::uint64_t> mix_arguments(const MixKernel& kernel,
                                                       const MatmulSchedule& schedule,
                                                       const MatmulAddresses& addresses,
                                                       const std::vector<std::uint64_t>& tensors,
                                                       std::uint64_t pieces = 0);

}  // namespace dvmsim
