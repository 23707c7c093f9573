// What loading tiles takes of HBM, in lines of L2: a line of which a tile needs a part is read
// whole, and where L2 keeps no such line, again by every tile that needs a part of it. So narrow
// tiles of wide rows, and rows at odd addresses, cost more than their bytes. Internal to this
// folder.
#pragma once

#include "compiler/schedule/vector.h"

namespace dvmsim {

/// Bytes read from HBM for a tile's part of a tensor, on average over the tiles.
struct Fetched {
  double bytes = 0;
  double kept = 0;  // of them in lines that a later load of the same part finds in L2
};

/// How a tensor's rows lie in memory, as far as no tile changes it.
struct RowLayout {
  KernelValue value{};
  std::int64_t item = 0;   // bytes of an element
  std::int64_t row = 0;    // bytes from row to row
  std::int64_t align = 0;  // that the kernel's first columns begin at multiples of, rows aside
};

class LineTraffic {
 public:
  explicit LineTraffic(const Machine& machine)
      : line_(machine.l2.line.count()), keeps_parts_(machine.l2.keep_partial) {}

  [[nodiscard]] RowLayout layout_of(const VectorKernel& kernel, const KernelTensor& tensor) const;
  /// `columns`: of the kernel.
  [[nodiscard]] Fetched of(const RowLayout& layout, VectorTile tile, std::int64_t columns) const;
  [[nodiscard]] Fetched of(const VectorKernel& kernel, const KernelTensor& tensor,
                           VectorTile tile) const {
    return of(layout_of(kernel, tensor), tile, kernel.columns());
  }

 private:
  std::int64_t line_;
  bool keeps_parts_;
};

/// Cycles of a tile that takes `own` on its core and `memory` of what all cores share, once neither
/// waits for the first: the longer, and somewhat more where they are alike, because each then waits
/// for the other at times. How much more (1.19 times where they are equal) is a choice, compared
/// with simulated kernels only.
[[nodiscard]] double pace_of(double own, double memory);

/// Share of what a kernel stores that is written to HBM while it runs: L2 holds the latest of all
/// it loads and stores.
[[nodiscard]] double written_back_share(const VectorKernel& kernel, const Machine& machine);

}  // namespace dvmsim
