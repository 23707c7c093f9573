// A matrix product of which the vector cores prepare an operand: each vector core of a group takes
// its share of the rows of a block, applies an elementwise kernel and stores the result into a slot
// of a workspace, from where the cube core of the group loads the block (isa::kFromSlots). The
// product itself is the matmul macro.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/codegen/matmul.h"
#include "compiler/schedule/vector_kernel.h"

namespace dvmsim {

/// The kernel's dims are {batch0, batch1, rows, columns} of the operand as the product reads it. It
/// has one output, of the product's type. No reductions. The operand's strides in the product are
/// not used. A block of A is made for every tile of its row of tiles, one of B for every tile of
/// its column.
struct PrologueKernel {
  MatmulSpec product{};
  VectorKernel prologue{};
  bool of_a = false;  // else of B
  /// Is the operand k elements wide? Else they are its rows.
  [[nodiscard]] bool k_in_row() const { return of_a ? !product.trans_a : product.trans_b; }
};

/// Empty, or why there is no such program on this machine.
[[nodiscard]] std::string prologue_problem(const PrologueKernel& kernel, const Machine& machine);

/// `schedule` with blocks that also fit UB, and without orders of blocks that the vector cores do
/// not follow. Nullopt if not even the least block does. There is no prologue_problem().
[[nodiscard]] std::optional<MatmulSchedule> prologue_schedule(const PrologueKernel& kernel,
                                                              MatmulSchedule schedule,
                                                              const Machine& machine);

/// prologue_schedule() made the schedule. Launch it on schedule.cores cube cores and all their
/// groups' vector cores. The arguments are the words of the macro, then the kernel's inputs.
[[nodiscard]] Program prologue_program(const PrologueKernel& kernel, const MatmulSchedule& schedule,
                                       const Machine& machine);

/// Bytes of the workspace that holds the slots.
[[nodiscard]] std::int64_t prologue_workspace_bytes(const PrologueKernel& kernel,
                                                    const MatmulSchedule& schedule);

/// `addresses.a`, or `addresses.b`, is the workspace. `tensors`: the kernel's inputs.
[[nodiscard]] std::vector<std::uint64_t> prologue_arguments(
    const PrologueKernel& kernel, const MatmulSchedule& schedule, const MatmulAddresses& addresses,
    const std::vector<std::uint64_t>& tensors);

}  // namespace dvmsim
