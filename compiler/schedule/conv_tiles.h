// A convolution on maps with channels last, as the conv macro does it: its tiles, chosen by an
// estimate of what each pipe needs. Writing the program is codegen/conv.h.
#pragma once

#include <cstdint>
#include <optional>
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

/// What is settled beforehand about a convolution; the rest is searched.
struct ConvChoice {
  std::optional<std::int64_t> m{}, n{};  // positions and outputs of a tile
  std::optional<std::int64_t> c{};       // channels in L1 at a time
  std::optional<bool> resident{};        // all weights of a tile's outputs stay in L1
  std::optional<bool> by_row{};          // tiles lie in one row of outputs
  std::optional<isa::Swizzle> visit{};
  std::optional<std::int64_t> width{};
  std::optional<int> cores{};
  friend bool operator==(const ConvChoice&, const ConvChoice&) = default;
};
/// All of a schedule.
[[nodiscard]] ConvChoice choice_of(const ConvSchedule& schedule);
/// The cheapest that is what was chosen. Nullopt if that is not legal; `why` then says it.
[[nodiscard]] std::optional<ConvSchedule> choose_conv(const ConvTask& task, const Machine& machine,
                                                      int cores, const ConvChoice& choice,
                                                      std::string* why);

/// The same tiles as those of a matrix product, which is how vector cores follow them: rows are
/// positions, columns outputs, batches images and groups or rows of outputs.
[[nodiscard]] MatmulSpec product_of(const ConvTask& task, bool by_row);
[[nodiscard]] MatmulSchedule tiles_of(const ConvSchedule& schedule);

/// "256x64x64 resident, 13 cores".
[[nodiscard]] std::string to_string(const ConvSchedule& schedule);

}  // namespace dvmsim
