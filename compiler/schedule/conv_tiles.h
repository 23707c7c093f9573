// A convolution on maps with channels last, as the conv macro does it: its tiles, chosen by an
// estimate of what each pipe needs. Writing the program is codegen/conv.h.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/schedule/matmul.h"
#include "vm/isa/conv.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Sizes, windows and result of `words` are given, and whether there are bias and scales (any
/// address but 0); tiles are not.
struct ConvTask {
  isa::ConvArguments words{};
  DType type = DType::F16;
};

/// Cycles of the pipes for a whole tile, and of all tiles on `cores` cores.
struct ConvTime {
  double cube = 0, mte1 = 0, mte2 = 0, fix = 0, scalar = 0;
  double total = 0;
};

struct ConvSchedule {
  isa::ConvArguments words{};  // with tiles
  int cores = 1;
  ConvTime time{};
};

/// Does a tile of the whole width of the map fit? Else tiles lie in one row of outputs (by_row).
[[nodiscard]] bool fits_whole_rows(const ConvTask& task, const Machine& machine);
[[nodiscard]] ConvTime estimate_conv(const isa::ConvArguments& words, DType type, int cores,
                                     const Machine& machine);
/// The cheapest legal tiles on at most `cores` cube cores. Throws Error if none fits.
[[nodiscard]] ConvSchedule choose_conv(const ConvTask& task, const Machine& machine, int cores);

/// The same tiles as those of a matrix product, which is how vector cores follow them: rows are
/// positions, columns outputs, batches images and groups or rows of outputs.
[[nodiscard]] MatmulSpec product_of(const ConvTask& task, bool by_row);
[[nodiscard]] MatmulSchedule tiles_of(const ConvSchedule& schedule);

/// "256x64x64 resident, 13 cores".
[[nodiscard]] std::string to_string(const ConvSchedule& schedule);

}  // namespace dvmsim
