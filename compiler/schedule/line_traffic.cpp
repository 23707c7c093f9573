#include "compiler/schedule/line_traffic.h"

#include <algorithm>
#include <numeric>

#include "compiler/schedule/vector_parts.h"

namespace dvmsim {

Fetched LineTraffic::of(const VectorKernel& kernel, const KernelTensor& tensor,
                        VectorTile tile) const {
  const KernelValue& value = kernel.values[static_cast<std::size_t>(tensor.value)];
  const auto all = static_cast<double>(bytes_of(value, tile, tile.columns));
  const bool runs = value.extent == Extent::Full || value.extent == Extent::Row;
  if (keeps_parts_ || !runs) return {all, all};
  const std::int64_t item = size_of(value.dtype);
  const std::size_t row_dim = kernel.dims.size() - 2;
  std::int64_t rows = value.extent == Extent::Full ? tile.rows : 1, run = tile.columns * item;
  const std::int64_t row = tensor.stride[row_dim] * item;
  std::int64_t step = row;  // from one run to the next
  if (row == run) {         // the tile's rows follow one another
    run *= rows;
    step *= tile.rows;
    rows = 1;
  }
  // Runs begin at multiples of this.
  std::int64_t align = std::gcd(line_, std::gcd(tensor.offset * item, step));
  if (tile.columns < kernel.columns()) align = std::gcd(align, tile.columns * item);
  for (std::size_t i = 0; i < row_dim; ++i) align = std::gcd(align, tensor.stride[i] * item);
  const std::int64_t touched = round_up(run, align) + line_ - align;
  const std::int64_t whole =
      align == line_ ? run / line_ * line_ : std::max<std::int64_t>(0, touched - 2 * line_);
  const auto of_runs = [&](std::int64_t bytes) { return static_cast<double>(rows * bytes); };
  const std::int64_t lines = align == line_ ? round_up(touched, line_) : touched;
  return {of_runs(lines), of_runs(whole)};
}

}  // namespace dvmsim
