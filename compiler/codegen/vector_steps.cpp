#include "compiler/codegen/vector_steps.h"

#include <algorithm>
#include <array>

#include "vm/base/error.h"

namespace dvmsim {

using isa::Op;

namespace {

/// Where the operands of a vector instruction are; -1: it has none of that name.
struct Lanes {
  int dtype = -1, to = -1, dst = -1, count = -1, rows = -1, stride = -1, scalar = -1, pick = -1;
  std::array<int, 3> source = {-1, -1, -1}, source_stride = {-1, -1, -1};
};

constexpr Lanes lanes_of(const isa::Row& row) {
  Lanes lanes;
  lanes.dtype = row.find("dtype");
  lanes.to = row.find("to");
  lanes.dst = row.find("dst");
  lanes.count = row.find("count");
  lanes.rows = row.find("rows");
  lanes.stride = row.find("dstride");
  lanes.scalar = row.find("s");
  lanes.pick = row.find("order") >= 0 ? row.find("order") : row.find("how");
  if (row.find("mask") >= 0) {
    lanes.source = {row.find("mask"), row.find("a"), row.find("b")};
    lanes.source_stride = {row.find("mstride"), row.find("astride"), row.find("bstride")};
  } else {
    lanes.source = {row.find("a"), row.find("b"), -1};
    lanes.source_stride = {row.find("astride"), row.find("bstride"), -1};
  }
  return lanes;
}

constexpr auto kLanes = [] {
  std::array<Lanes, 256> all{};
  for (const isa::Row& row : isa::table::kRows) {
    if (row.pipe == Pipe::Vector) all[static_cast<std::size_t>(row.op)] = lanes_of(row);
  }
  return all;
}();

const Lanes& lanes_of(Op op) {
  return kLanes[static_cast<std::size_t>(op)];
}

void put(isa::Inst& inst, int lane, const Val& operand) {
  DVMSIM_ASSERT(lane >= 0 && operand.wide == 0, "the step's instruction has the operand");
  inst.lane[static_cast<std::size_t>(lane)] = operand.lane;
}

}  // namespace

void VectorSteps::emit(std::span<const KernelStep> steps) {
  const std::string* label = nullptr;
  for (const KernelStep& each : steps) {
    if (each.op != Op::vbrc && each.op != Op::vcvt && (label == nullptr || *label != each.label)) {
      builder_.mark(DebugMark::Kind::Operator, each.label);
      label = &each.label;
    }
    step(each);
  }
}

Val VectorSteps::flat() {
  if (rows_.is(1)) return columns_;
  if (!flat_known_) flat_ = builder_.compute(Op::smul, rows_, schedule_.pitch);
  flat_known_ = true;
  return flat_;
}

VectorSteps::Grid VectorSteps::grid_of(const KernelStep& step) {
  switch (value(step.result).extent) {
    case Extent::Row:
      return {columns_};
    case Extent::Column:
      return {rows_};
    case Extent::Scalar:
      return {1};
    case Extent::Full:
      break;
  }
  const bool uniform = std::any_of(step.source.begin(), step.source.end(), [&](int source) {
    return source >= 0 && value(source).uniform;
  });
  if (uniform && schedule_.piece > 0) {
    const Val rounded = builder_.compute(Op::sadd, columns_, schedule_.piece - 1);
    return {schedule_.piece, builder_.compute(Op::sdiv, rounded, schedule_.piece), true, true};
  }
  const bool repeats_row = std::any_of(step.source.begin(), step.source.end(), [&](int source) {
    return source >= 0 && value(source).extent != Extent::Full;
  });
  if (!repeats_row || rows_.is(1)) return {flat()};
  return {columns_, rows_, true};
}

void VectorSteps::reduce(const KernelStep& step) {
  const int source = step.source[0];
  // A value without rows of its own is one row.
  const bool by_row = value(source).extent == Extent::Full;
  const Lanes& lanes = lanes_of(step.op);
  isa::Inst& inst = builder_.add(step.op);
  put(inst, lanes.dtype, static_cast<int>(step.dtype));
  put(inst, lanes.dst, at(step.result));
  put(inst, lanes.source[0], at(source));
  put(inst, lanes.count, value(source).extent == Extent::Column ? rows_ : columns_);
  put(inst, lanes.rows, by_row ? rows_ : Val(1));
  put(inst, lanes.source_stride[0], by_row && !rows_.is(1) ? row_stride(source) : 0);
  put(inst, lanes.pick, step.pick);
}

/// Rows stay apart: they are no long one.
void VectorSteps::scan(const KernelStep& step) {
  const Extent extent = value(step.result).extent;
  const bool by_row = extent == Extent::Full, strided = by_row && !rows_.is(1);
  const Lanes& lanes = lanes_of(step.op);
  isa::Inst& inst = builder_.add(step.op);
  put(inst, lanes.dtype, static_cast<int>(step.dtype));
  put(inst, lanes.dst, at(step.result));
  put(inst, lanes.source[0], at(step.source[0]));
  put(inst, lanes.count, extent == Extent::Column ? rows_ : columns_);
  put(inst, lanes.rows, by_row ? rows_ : Val(1));
  put(inst, lanes.stride, strided ? row_stride(step.result) : 0);
  put(inst, lanes.source_stride[0], strided ? row_stride(step.source[0]) : 0);
}

void VectorSteps::broadcast(const KernelStep& step) {
  const KernelValue& result = value(step.result);
  const bool full = result.extent == Extent::Full && value(step.source[0]).extent == Extent::Column;
  const bool piece = result.uniform && schedule_.piece > 0;
  const Val count = piece                             ? Val(schedule_.piece)
                    : result.extent == Extent::Column ? rows_
                                                      : columns_;
  builder_.add<Op::vbrc>({{"dtype", static_cast<int>(step.dtype)},
                          {"dst", at(step.result)},
                          {"a", at(step.source[0])},
                          {"count", count},
                          {"rows", full ? rows_ : Val(1)},
                          {"dstride", full && !rows_.is(1) ? row_stride(step.result) : 0}});
}

void VectorSteps::step(const KernelStep& step) {
  if (step.op == Op::vredx || step.op == Op::vredy) return reduce(step);
  if (step.op == Op::vbrc) return broadcast(step);
  if (step.op == Op::vscanx || step.op == Op::vscany) return scan(step);
  const Grid grid = grid_of(step);
  const Lanes& lanes = lanes_of(step.op);
  isa::Inst& inst = builder_.add(step.op);
  put(inst, lanes.dtype, static_cast<int>(step.dtype));
  if (lanes.to >= 0) put(inst, lanes.to, static_cast<int>(value(step.result).dtype));
  put(inst, lanes.dst, at(step.result));
  put(inst, lanes.count, grid.count);
  put(inst, lanes.rows, grid.rows);
  if (grid.strided) put(inst, lanes.stride, stride_in(grid, step.result));
  for (std::size_t i = 0; i < 3 && step.source[i] >= 0; ++i) {
    put(inst, lanes.source[i], at(step.source[i]));
    if (grid.strided) put(inst, lanes.source_stride[i], stride_in(grid, step.source[i]));
  }
  if (lanes.scalar >= 0) put(inst, lanes.scalar, step.scalar);
  if (lanes.pick >= 0) put(inst, lanes.pick, step.pick);
}

}  // namespace dvmsim
