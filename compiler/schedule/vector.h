// The schedule of a vector kernel: its tile, and where every value lies in UB. Legal tiles fit UB;
// of those the estimate picks the cheapest.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/schedule/vector_kernel.h"
#include "vm/base/strong.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct VectorTile {
  std::int64_t rows = 1, columns = 1;
};

/// What the estimate believes, in cycles; the slowest of the parts sets the pace of the tiles.
struct VectorEstimate {
  std::int64_t tiles = 0, per_core = 0;
  double load = 0, vector = 0, store = 0, scalar = 0;  // of a tile
  double memory = 0;                                   // of a tile, if all cores load and store
  double total = 0;                                    // launch included
};

/// A buffer of UB: one value's, or several copies of it that take turns from tile to tile.
struct UbBuffer {
  std::int64_t base = -1, size = 0;  // of all copies
  int copies = 1;
  [[nodiscard]] std::int64_t step() const { return size / copies; }
};

/// Copies of what is loaded and of what is stored.
struct BufferDepth {
  int loads = 1, stores = 1;
};

/// How buffers are laid out: in order of use, one of each; or by best fit, with copies that take
/// turns where the estimate says that waiting for one costs more.
enum class Packing : std::uint8_t { InOrder, BestFit };

struct VectorSchedule {
  VectorTile tile{};
  Packing packing = Packing::InOrder;
  BufferDepth depth{};
  std::int64_t pitch = 0;  // elements between rows of a Full value
  /// If not 0: a tile is one whole row, worked on in pieces of so many elements, so that a uniform
  /// value needs only one piece.
  std::int64_t piece = 0;
  int cores = 1;
  std::vector<UbBuffer> buffers{};  // by value
  std::int64_t ub_end = 0;
  std::vector<int> once{};  // steps before the first tile: compiler/schedule/steps_once.h
  int candidates = 0;       // tiles that were compared
  VectorEstimate estimate{};
};

/// What is settled beforehand about a schedule; the rest is searched.
struct VectorChoice {
  std::optional<std::int64_t> rows{}, columns{};  // of a tile (a piece, in phases)
  std::optional<Packing> packing{};
  std::optional<int> loads{}, stores{};  // copies of what is loaded and stored
  std::optional<int> cores{};
  std::optional<bool> phases{};  // compiler/schedule/long_reduce.h
  std::optional<int> parts{};    // then: cores that share a row
  friend bool operator==(const VectorChoice&, const VectorChoice&) = default;
};

/// UB layout of the kernel's values for a tile; `ub_end` says how far it reaches. Loads, stored
/// values and values that live across tiles keep their buffer; the others share by liveness.
[[nodiscard]] VectorSchedule place(const VectorKernel& kernel, VectorTile tile,
                                   std::int64_t ub_begin);

/// Is the tensor the same for all tiles, and so loaded before the first?
[[nodiscard]] bool is_invariant(const VectorKernel& kernel, const KernelTensor& tensor,
                                VectorTile tile);

/// Bytes of UB that the least tile reaches to.
[[nodiscard]] std::int64_t least_ub_bytes(const VectorKernel& kernel, const Machine& machine,
                                          Packing packing);
/// Does any tile fit? False when a row that must be whole is too long.
[[nodiscard]] bool fits(const VectorKernel& kernel, const Machine& machine,
                        Packing packing = Packing::InOrder);

/// Empty, or what no tile of the kernel can be, or what no machine with so many cores can do.
[[nodiscard]] std::string impossible(const VectorKernel& kernel, int cores,
                                     const VectorChoice& choice);
/// Why no schedule of the kernel is what was chosen, and what would be one.
[[nodiscard]] std::string refusal(const VectorKernel& kernel, const Machine& machine, int cores,
                                  const VectorChoice& choice);

/// Cycles of steps on a tile of a schedule, with what its addresses cost.
using VectorMeasure =
    std::function<double(const VectorKernel&, std::span<const KernelStep>, const VectorSchedule&)>;

/// The vector pipe's part of a tile, in cycles.
struct VectorPart {
  double all = 0;
  double reading = 0;  // from its begin until all that was loaded has been read
  double writing = 0;  // from the first write of what is stored to its end
};
/// Of steps on a tile, as it is measured.
[[nodiscard]] VectorPart vector_part(const VectorMeasure& measure, const VectorKernel& kernel,
                                     std::span<const KernelStep> steps,
                                     const VectorSchedule& schedule);

/// The best tile, buffers in order. The kernel fits; if nothing that was chosen does, there are no
/// candidates.
[[nodiscard]] VectorSchedule schedule_vector(const VectorKernel& kernel, const Machine& machine,
                                             int cores, const VectorChoice& choice = {});
/// The best tile of either packing. Of each packing and number of copies the best by estimate is
/// measured, and the best of those is taken.
[[nodiscard]] VectorSchedule schedule_packed(const VectorKernel& kernel, const Machine& machine,
                                             int cores, const VectorMeasure& measure,
                                             const VectorChoice& choice = {});

[[nodiscard]] std::string to_text(const VectorSchedule& schedule);

}  // namespace dvmsim
