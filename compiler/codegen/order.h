// Programs of the vector cores that choose or place elements by number or by size: gathers along
// rows, the largest of rows, and scattered rows.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/schedule/copy.h"
#include "vm/base/dtype.h"
#include "vm/isa/isa.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim {

/// out[r, i] = data[r, index[r, i]], negative numbers from the end. Arguments: data, index, out.
struct RowGatherKernel {
  std::string name{};
  DType dtype = DType::F32, index_type = DType::I64;
  std::int64_t rows = 1, size = 1, count = 1;
  bool shared = false;  // one row of numbers for all rows
};
/// Does a row of data and some of the result fit UB?
[[nodiscard]] bool fits(const RowGatherKernel& kernel, const Machine& machine);
/// Elements of the longest row of data for which that is so, whatever `size` says.
[[nodiscard]] std::int64_t longest_row(RowGatherKernel kernel, const Machine& machine);
/// Of its one box, [rows, count].
[[nodiscard]] CopyLimits limits_of(const RowGatherKernel& kernel);
/// The choice does not exceed the limits.
[[nodiscard]] CopyPlan schedule_row_gather(const RowGatherKernel& kernel, const Machine& machine,
                                           int cores, const CopyChoice& choice = {});
[[nodiscard]] Program emit_row_gather(const RowGatherKernel& kernel, const CopyPlan& plan,
                                      const Machine& machine);

/// The `count` largest (smallest) of each row in order, and their places as I64. Arguments: data,
/// values, places.
struct TopKernel {
  std::string name{};
  DType dtype = DType::F32;
  std::int64_t rows = 1, size = 1, count = 1;
  bool largest = true;
};
/// Elements of the longest row that fits UB with its order and `count` places.
[[nodiscard]] std::int64_t longest_row(const TopKernel& kernel, const Machine& machine);
/// Throws Error if a row does not fit UB.
[[nodiscard]] Program emit_top(const TopKernel& kernel, const Machine& machine, int& cores);

/// data[index[i], :] becomes or takes in updates[i, :]. Arguments: index, updates, data.
struct ScatterKernel {
  std::string name{};
  DType dtype = DType::F32, index_type = DType::I64;
  std::int64_t rows = 1, width = 1, count = 1;
  enum class How : std::uint8_t { Replace, Add, Multiply, Max, Min } how = How::Replace;
};
[[nodiscard]] Program emit_scatter(const ScatterKernel& kernel, const Machine& machine, int& cores);

}  // namespace dvmsim
