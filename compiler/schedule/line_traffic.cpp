#include "compiler/schedule/line_traffic.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compiler/schedule/vector_parts.h"

namespace dvmsim {
namespace {

/// Bytes of all that the kernel loads and stores; at least one.
double footprint(const VectorKernel& kernel) {
  double sum = 1;
  for (const auto* tensors : {&kernel.inputs, &kernel.outputs}) {
    for (const KernelTensor& tensor : *tensors) {
      auto bytes =
          static_cast<double>(size_of(kernel.values[static_cast<std::size_t>(tensor.value)].dtype));
      for (std::size_t i = 0; i < kernel.dims.size(); ++i) {
        if (tensor.stride[i] != 0) bytes *= static_cast<double>(kernel.dims[i]);
      }
      sum += bytes;
    }
  }
  return sum;
}

/// The greatest that divides both; quickly where it is a power of two.
std::int64_t common(std::int64_t align, std::int64_t distance) {
  const auto a = static_cast<std::uint64_t>(align);
  if ((a & (a - 1)) != 0) return std::gcd(align, distance);  // std::popcount would be a call
  const auto d = static_cast<std::uint64_t>(distance);
  return d == 0 ? align : static_cast<std::int64_t>(std::min(a, d & (~d + 1)));
}

}  // namespace

RowLayout LineTraffic::layout_of(const VectorKernel& kernel, const KernelTensor& tensor) const {
  const KernelValue& value = kernel.values[static_cast<std::size_t>(tensor.value)];
  const std::int64_t item = size_of(value.dtype);
  const std::size_t row_dim = kernel.dims.size() - 2;
  std::int64_t align = common(line_, tensor.offset * item);
  for (std::size_t i = 0; i < row_dim; ++i) align = common(align, tensor.stride[i] * item);
  return {value, item, tensor.stride[row_dim] * item, align};
}

Fetched LineTraffic::of(const RowLayout& layout, VectorTile tile, std::int64_t columns) const {
  const Extent extent = layout.value.extent;
  const bool full = extent == Extent::Full;
  std::int64_t run = tile.columns * layout.item, rows = full ? tile.rows : 1;
  if (keeps_parts_ || !(full || extent == Extent::Row)) {
    const auto all = static_cast<double>(bytes_of(layout.value, tile, tile.columns));
    return {all, all};
  }
  std::int64_t step = layout.row;  // from one run to the next
  if (step == run) {               // the tile's rows follow one another
    run *= rows;
    step *= tile.rows;
    rows = 1;
  }
  // Runs begin at multiples of this.
  std::int64_t align = common(layout.align, step);
  if (tile.columns < columns) align = common(align, tile.columns * layout.item);
  const std::int64_t touched = round_up(run, align) + line_ - align;
  const std::int64_t whole =
      align == line_ ? run / line_ * line_ : std::max<std::int64_t>(0, touched - 2 * line_);
  const auto of_runs = [&](std::int64_t bytes) { return static_cast<double>(rows * bytes); };
  return {of_runs(touched), of_runs(whole)};
}

double pace_of(double own, double memory) {
  const double more = std::max(own, memory), less = std::min(own, memory);
  if (more <= 0) return 0;
  const double ratio = less / more;
  return more * std::sqrt(std::sqrt(1 + ratio * ratio * ratio * ratio));
}

double written_back_share(const VectorKernel& kernel, const Machine& machine) {
  const auto room = static_cast<double>(machine.l2.size.count());
  return std::max(0.0, 1 - room / footprint(kernel));
}

}  // namespace dvmsim
