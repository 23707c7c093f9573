#include "compiler/codegen/vector_steps.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {

using isa::Op;

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
  const Val count = value(source).extent == Extent::Column ? rows_ : columns_;
  builder_.add(step.op, {{"dtype", static_cast<int>(step.dtype)},
                         {"dst", at(step.result)},
                         {"a", at(source)},
                         {"count", count},
                         {"rows", by_row ? rows_ : Val(1)},
                         {"astride", by_row && !rows_.is(1) ? row_stride(source) : 0},
                         {"how", step.pick}});
}

/// Rows stay apart: they are no long one.
void VectorSteps::scan(const KernelStep& step) {
  const Extent extent = value(step.result).extent;
  const bool by_row = extent == Extent::Full;
  builder_.add(step.op, {{"dtype", static_cast<int>(step.dtype)},
                         {"dst", at(step.result)},
                         {"a", at(step.source[0])},
                         {"count", extent == Extent::Column ? rows_ : columns_},
                         {"rows", by_row ? rows_ : Val(1)},
                         {"dstride", by_row && !rows_.is(1) ? row_stride(step.result) : 0},
                         {"astride", by_row && !rows_.is(1) ? row_stride(step.source[0]) : 0}});
}

void VectorSteps::broadcast(const KernelStep& step) {
  const KernelValue& result = value(step.result);
  const bool full = result.extent == Extent::Full && value(step.source[0]).extent == Extent::Column;
  const bool piece = result.uniform && schedule_.piece > 0;
  const Val count = piece                             ? Val(schedule_.piece)
                    : result.extent == Extent::Column ? rows_
                                                      : columns_;
  builder_.add(Op::vbrc, {{"dtype", static_cast<int>(step.dtype)},
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
  const isa::Row& row = isa::row_of(step.op);
  isa::Inst& inst = builder_.add(step.op);
  const auto put = [&](std::string_view name, Val operand) {
    const int index = row.find(name);
    DVMSIM_ASSERT(index >= 0, "the step's instruction has the operand");
    inst.lane[static_cast<std::size_t>(index)] = operand.lane;
  };
  put("dtype", static_cast<int>(step.dtype));
  if (step.op == Op::vcvt) put("to", static_cast<int>(value(step.result).dtype));
  put("dst", at(step.result));
  put("count", grid.count);
  put("rows", grid.rows);
  if (grid.strided) put("dstride", stride_in(grid, step.result));
  const bool masked = step.op == Op::vsel;
  const char* names[] = {masked ? "mask" : "a", masked ? "a" : "b", "b"};
  const char* strides[] = {masked ? "mstride" : "astride", masked ? "astride" : "bstride",
                           "bstride"};
  for (std::size_t i = 0; i < 3 && step.source[i] >= 0; ++i) {
    put(names[i], at(step.source[i]));
    if (grid.strided) put(strides[i], stride_in(grid, step.source[i]));
  }
  if (row.find("s") >= 0) put("s", step.scalar);
  if (row.find("order") >= 0) put("order", step.pick);
}

}  // namespace dvmsim
