// Shapes and random commands for tests over every vector instruction.
#pragma once

#include "tests/vm/exec/bench.h"

namespace dvmsim::bench {

/// rows x count with strides in elements; 0 repeats a source row.
struct VectorShape {
  std::int64_t count, rows, d, a, b;
};
inline constexpr VectorShape kVectorShapes[] = {
    {1, 1, 0, 0, 0},    {37, 1, 0, 0, 0},   {16, 5, 16, 16, 16},   {33, 4, 48, 33, 64},
    {20, 6, 32, 0, 20}, {20, 6, 20, 20, 0}, {600, 2, 640, 600, 0}, {1100, 1, 0, 0, 0},
    {0, 3, 16, 16, 16}, {5, 0, 16, 16, 16}, {7, 3, 8, -8, 8},      {520, 3, 520, 520, 520}};

/// Operands of any vector instruction for a shape; those its row does not have are left out.
inline Operands vector_operands(Op op, const VectorShape& s, DType type, DType to, std::int64_t dst,
                                std::int64_t a, std::int64_t b, std::int64_t mask) {
  const bool is_compare = op == Op::vcmp || op == Op::vcmps;
  const std::int64_t size = size_of(type);
  const std::int64_t out = is_compare ? 1 : op == Op::vcvt ? size_of(to) : size;
  const Operands all = {{"dtype", code(type)},
                        {"to", code(to)},
                        {"dst", dst},
                        {"a", a},
                        {"b", b},
                        {"mask", mask},
                        {"count", s.count},
                        {"rows", s.rows},
                        {"dstride", s.d * out},
                        {"astride", s.a * size},
                        {"bstride", s.b * size},
                        {"mstride", s.count}};
  Operands used;
  for (const auto& operand : all) {
    if (isa::row_of(op).find(operand.first) >= 0) used.push_back(operand);
  }
  return used;
}

/// Everything a row may name, small and right; `gm` for its global operands.
inline isa::Command sound_command(const isa::Row& row, std::int64_t gm) {
  isa::Command command = make_command(row.op, {});
  for (int i = 0; i < row.operands; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const isa::Operand& operand = row.operand[at];
    std::int64_t& value = command.operand[at];
    const std::string_view name = operand.name;
    if (operand.kind == isa::OperandKind::Type) {
      const bool integers = contains(row.dtypes, DType::I32);
      value = code(contains(row.dtypes, DType::F32) ? DType::F32
                   : integers                       ? DType::I32
                                                    : DType::F16);
    } else if (operand.kind == isa::OperandKind::Memory) {
      value = operand.space == Space::GM ? gm : 0;
    } else if (name == "prows") {
      value = row.find("h") >= 0 ? 64 : 16;
    } else if (name == "init") {
      value = static_cast<int>(isa::Init::Bias);
    } else if (operand.kind == isa::OperandKind::Value && name.find("stride") == name.npos &&
               name.substr(0, 1) != "s" && name.substr(0, 1) != "d" && name != "m0" &&
               name != "k0" && name != "n0") {
      value = 8;
    } else if (name.find("stride") != name.npos) {
      value = 64;
    } else if (row.op == Op::loadnd || row.op == Op::storend) {
      value = name == "s0" || name == "n0" ? 4 : value;
    }
  }
  return command;
}

}  // namespace dvmsim::bench
