// A fused vector kernel as plain data: one iteration domain, the values in it, and the steps over a
// tile. Codegen turns a kernel and a tile into a program; nothing here knows instructions'
// encodings.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vm/base/dtype.h"
#include "vm/isa/isa.h"

namespace dvmsim {

/// How a value lies in a tile of rows x columns: an element each, one row for all rows, one element
/// per row (packed), or one element.
enum class Extent : std::uint8_t { Full, Row, Column, Scalar };
[[nodiscard]] std::string_view name_of(Extent extent);

struct KernelValue {
  DType dtype = DType::F32;
  Extent extent = Extent::Full;
  bool uniform = false;  // Full, with the same element all along a row
};

/// A tensor in GM read or written by the kernel, dense over the dimensions it has, or a view: a
/// part of a larger tensor or one whose dimensions lie in another order, still contiguous in a
/// tile's row.
struct KernelTensor {
  int value = 0;                       // what it is loaded into / stored from; same dtype
  std::vector<std::int64_t> stride{};  // elements per step of each domain dimension; 0: not its own
  std::string name{};
  bool view = false;
  std::int64_t offset = 0;  // elements before the view's first
};

/// result = op(sources). Sources are values; `scalar` is the s operand's immediate.
struct KernelStep {
  isa::Op op{};
  DType dtype = DType::F32;  // of the sources; the result's is its value's
  int result = 0;
  std::array<int, 3> source = {-1, -1, -1};
  std::int32_t scalar = 0;
  int pick = 0;         // order or reduction
  std::string label{};  // the graph operator it comes from
};

struct VectorKernel {
  std::string name{};
  std::vector<std::int64_t> dims{};  // at least two; the last two are rows and columns of tiles
  std::vector<KernelValue> values{};
  std::vector<KernelTensor> inputs{}, outputs{};
  std::vector<KernelStep> steps{};
  bool whole_columns = false;  // a step reduces over columns: tiles span all of them
  bool whole_rows = false;     // a step reduces over rows

  [[nodiscard]] std::int64_t rows() const { return dims[dims.size() - 2]; }
  [[nodiscard]] std::int64_t columns() const { return dims.back(); }
  [[nodiscard]] std::int64_t outer() const;
};

/// Are they the same but for names?
[[nodiscard]] bool have_same_work(const VectorKernel& a, const VectorKernel& b);

[[nodiscard]] std::string to_text(const VectorKernel& kernel);

}  // namespace dvmsim
