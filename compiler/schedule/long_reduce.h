// The schedule of a kernel in phases: how many rows (or columns) a tile has, the length of a piece,
// where values lie in UB, and over how many cores a row is split. The cores of a row exchange what
// they have accumulated through a workspace in GM and join it in the same order on each of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/schedule/phases.h"
#include "compiler/schedule/vector.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// How the parts of one accumulated value become the value, in a small kernel with a row a part.
struct PhaseJoin {
  VectorKernel kernel{};               // over [parts, elements]; its inputs are loaded from GM
  VectorSchedule schedule{};           // results lie where the accumulated values do
  std::vector<int> accumulated{};      // by input: the value it has a part of
  std::vector<std::int64_t> offset{};  // by input: of the parts in the workspace
};

struct LongSchedule {
  std::vector<VectorSchedule> phases{};  // a piece in each; none: nothing fits UB
  int cores = 1;
  int parts = 1;                                // cores that share a row
  std::int64_t tiles = 1;                       // shared by cores / parts groups
  std::int64_t part = 0;                        // long elements of each part but the last
  std::vector<std::vector<PhaseJoin>> joins{};  // by phase, if parts > 1
  std::int64_t slot = 0;                        // bytes of a part of one value
  std::int64_t workspace = 0;                   // bytes of all
  double total = 0;                             // estimated cycles, launch included
  int copies = 1;                               // of what is loaded and stored
  bool streams = false;                         // loads go on from phase to phase and row to row
  int candidates = 0;

  [[nodiscard]] int groups() const { return cores / parts; }
  [[nodiscard]] VectorTile tile() const { return phases.front().tile; }
};

/// Flag ids between two pipes that a program in phases needs.
inline constexpr int kLongFlags = 4;

/// The best; buffers in one copy. No tile if nothing fits UB or takes less than `limit` cycles.
[[nodiscard]] LongSchedule schedule_long(const PhasedKernel& phased, const Machine& machine,
                                         int cores, double limit, const VectorChoice& choice = {});
/// The best with one copy or two of what is loaded and stored and at two places of UB, each
/// measured.
[[nodiscard]] LongSchedule schedule_long(const PhasedKernel& phased, const Machine& machine,
                                         int cores, const VectorMeasure& measure, double limit,
                                         const VectorChoice& choice = {});
/// Elements along the long dimension come in multiples of it.
[[nodiscard]] std::int64_t long_unit(const PhasedKernel& phased);
/// Is there a tile?
[[nodiscard]] bool fits(const PhasedKernel& phased, const Machine& machine);

[[nodiscard]] std::string to_text(const LongSchedule& schedule);

}  // namespace dvmsim
