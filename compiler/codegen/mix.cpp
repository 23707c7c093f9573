#include "compiler/codegen/mix.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "compiler/codegen/finisher.h"
#include "compiler/codegen/shared_product.h"
#include "compiler/schedule/matmul_shared.h"
#include "compiler/schedule/mix_rows.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {

namespace {

using isa::Op;

std::int64_t slot_bytes(const MatmulSchedule& schedule) {
  return schedule.tile_m * schedule.tile_n * 4;
}

/// Of the rows of shared tiles. Nullopt: not one row of all pieces fits, or rows do not follow one
/// another.
std::optional<SharedPieces> pieces_of(const MixKernel& kernel, const MatmulSchedule& schedule,
                                      const Machine& machine, std::int64_t begin) {
  SharedPieces pieces;
  pieces.members = schedule.cores * machine.cores.per_group / schedule.shared;
  const std::int64_t share = ceil_div(schedule.tile_m, pieces.members);
  const std::int64_t most = shared_tiles(kernel.product, schedule).most_pieces();
  for (std::int64_t rows = share; rows > 0; rows /= 2) {
    pieces.rows = place(kernel.epilogue, {rows, schedule.tile_n}, begin);
    pieces.base = (pieces.rows.ub_end + 31) / 32 * 32;
    pieces.bytes = most * rows * schedule.tile_n * 4;
    const bool fits = pieces.base + pieces.bytes <= machine.ub.size.count();
    if (fits && pieces.rows.pitch == schedule.tile_n) return pieces;
  }
  return std::nullopt;
}

/// Argument words behind the macro's.
void describe_tensors(const VectorKernel& kernel, Program& program) {
  for (std::size_t i = 1; i < kernel.inputs.size(); ++i) {
    program.arguments.push_back({Argument::Kind::Input, kernel.inputs[i].name, 0});
  }
  for (const KernelTensor& output : kernel.outputs) {
    program.arguments.push_back({Argument::Kind::Output, output.name, 0});
  }
}

/// Whatever the number of columns is, so that it stays true for others.
bool has_room_for_row(const VectorKernel& kernel, const Machine& machine) {
  constexpr std::int64_t kCode = 4096;  // bytes
  const std::int64_t begin = machine.ub.size.count() - machine.ub_for_tiles(Bytes(kCode)).count();
  return place(kernel, {1, kWidestRow}, begin).ub_end <= machine.ub.size.count();
}

std::string shape_problem(const MixKernel& kernel) {
  const VectorKernel& epilogue = kernel.epilogue;
  const MatmulSpec& product = kernel.product;
  const std::vector<std::int64_t> dims = {product.batch0, product.batch1, product.m, product.n};
  if (epilogue.dims != dims) return "the kernel's dims are not {batch0, batch1, m, n}";
  if (epilogue.inputs.empty()) return "the kernel has no input for the accumulators";
  const KernelValue& first = epilogue.values[static_cast<std::size_t>(epilogue.inputs[0].value)];
  const DType accumulator = product.in == DType::I8 ? DType::I32 : DType::F32;
  if (first.dtype != accumulator || first.extent != Extent::Full) {
    return "the kernel's first input is not the accumulators";
  }
  for (const KernelStep& step : epilogue.steps) {
    if (step.op == Op::vredy) return "the kernel reduces over rows of a tile";
    if (step.op == Op::vredx && !product.whole_rows) return "the kernel reduces over a tile";
  }
  return {};
}

}  // namespace

namespace {

/// Nullopt if no row fits UB.
std::optional<Program> finish(Program program, const MixKernel& kernel,
                              const MatmulSchedule& schedule, const Machine& machine,
                              const VectorMeasure* packed) {
  program.name = kernel.epilogue.name;
  program.arguments[2] = {Argument::Kind::Workspace, "slots", mix_workspace_bytes(schedule)};
  const bool shares = schedule.shared > 0;
  if (shares) describe_shared(kernel.product, schedule, program);
  describe_tensors(kernel.epilogue, program);
  const std::int64_t share = ceil_div(schedule.tile_m, machine.cores.per_group);
  const Program head = program;
  // Where tiles begin depends on the size of the code, which hardly depends on where tiles begin.
  // Pieces in turn have code of their own.
  for (std::int64_t code = packed != nullptr ? 4096 : 2048;; code *= 2) {
    const std::int64_t begin = machine.ub.size.count() - machine.ub_for_tiles(Bytes(code)).count();
    const MixRows rows =
        packed != nullptr
            ? cut_rows_packed(kernel.epilogue, share, schedule.tile_n, machine, begin, *packed)
            : cut_rows(kernel.epilogue, share, schedule.tile_n, machine, begin);
    if (rows.schedule.tile.rows == 0) return std::nullopt;
    const auto pieces = shares ? pieces_of(kernel, schedule, machine, begin) : std::nullopt;
    if (shares && !pieces) return std::nullopt;
    program = head;
    Finisher(kernel, schedule, machine, rows, pieces).write(program);
    if (static_cast<std::int64_t>(8 * program.vector.size()) <= code) return program;
  }
}

}  // namespace

std::string mix_problem(const MixKernel& kernel, const Machine& machine) {
  if (machine.cores.unified || machine.cores.per_group < 1) {
    return "the machine has no vector cores apart from its cube cores";
  }
  if (kernel.product.whole_rows && !has_room_for_row(kernel.epilogue, machine)) {
    return "a row of all its values does not fit UB";
  }
  return shape_problem(kernel);
}

std::int64_t mix_workspace_bytes(const MatmulSchedule& schedule) {
  return schedule.cores * kMixSlots * slot_bytes(schedule);
}

std::vector<std::uint64_t> mix_arguments(const MixKernel& kernel, const MatmulSchedule& schedule,
                                         const MatmulAddresses& addresses,
                                         const std::vector<std::uint64_t>& tensors,
                                         std::uint64_t pieces) {
  using Words = std::array<std::uint64_t, isa::kMatmulWords>;
  MatmulSpec product = kernel.product;
  product.post = isa::Post::None;
  const auto words =
      std::bit_cast<Words>(matmul_words(product, schedule, addresses, mix_slots(schedule)));
  std::vector<std::uint64_t> all(words.begin(), words.end());
  if (schedule.shared > 0) {
    all.push_back(static_cast<std::uint64_t>(schedule.shared));
    all.push_back(pieces);
  }
  all.insert(all.end(), tensors.begin(), tensors.end());
  return all;
}

MatmulSlots mix_slots(const MatmulSchedule& schedule) {
  return {kMixSlots, slot_bytes(schedule)};
}

Program mix_program(const MixKernel& kernel, const MatmulSchedule& schedule, const Machine& machine,
                    const VectorMeasure* packed) {
  DVMSIM_ASSERT(mix_problem(kernel, machine).empty(), "mix_program gets what mix_problem allows");
  return finished_program(matmul_program(kernel.product, schedule, machine), kernel, schedule,
                          machine, packed);
}

bool mix_fits(const MixKernel& kernel, const MatmulSchedule& schedule, const Machine& machine) {
  return finish(matmul_program(kernel.product, schedule, machine), kernel, schedule, machine,
                nullptr)
      .has_value();
}

Program finished_program(Program program, const MixKernel& kernel, const MatmulSchedule& schedule,
                         const Machine& machine, const VectorMeasure* packed) {
  auto finished = finish(std::move(program), kernel, schedule, machine, packed);
  DVMSIM_ASSERT(finished.has_value(), "a row of the tile with its operands fits UB");
  return std::move(*finished);
}

}  // namespace dvmsim
