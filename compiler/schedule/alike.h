// Sizes that are cut alike. Sizes in a narrow range share a representative, the largest of them;
// the schedule is chosen for it, and each of them is cut into as many tiles. So the schedule of a
// kernel depends on its own sizes alone, whatever sizes came before, and mostly needs no search.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "compiler/schedule/attention.h"
#include "compiler/schedule/matmul.h"
#include "compiler/schedule/vector.h"
#include "vm/base/rounding.h"

namespace dvmsim {

/// The least multiple of an eighth of the power of two below: at most an eighth more. Up to 16
/// every size stands for itself.
[[nodiscard]] constexpr std::int64_t alike(std::int64_t size) {
  if (size < 2) return size;
  const auto octave =
      static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(size - 1)));
  return round_up(size, octave < 8 ? 1 : octave / 8);
}

/// The product whose schedule this one takes: rows of A, and of a B that is stored by columns,
/// where no stride depends on them. Strides between batches count only as being there or not.
[[nodiscard]] MatmulSpec alike(const MatmulSpec& spec);
/// The schedule of the other for this one: as many tiles, none larger.
[[nodiscard]] MatmulSchedule cut_alike(const MatmulSpec& spec, const MatmulSpec& other,
                                       MatmulSchedule schedule);

/// The attention whose schedule this one takes: its queries and keys.
[[nodiscard]] AttentionSpec alike(AttentionSpec spec);
/// The schedule of the other for this one, on at most `cores`.
[[nodiscard]] AttentionSchedule cut_alike(const AttentionSpec& spec, AttentionSchedule schedule,
                                          const Machine& machine, int cores);

/// What sizes alike share of the schedule of a vector kernel.
struct VectorCut {
  std::int64_t rows = 1, columns = 1;  // tiles along each axis
  Packing packing = Packing::InOrder;
  BufferDepth depth{};
  int cores = 1;      // at most
  bool once = false;  // has steps before the first tile
};
[[nodiscard]] VectorCut cut_of(const VectorKernel& kernel, const VectorSchedule& schedule);
/// Nullopt if that does not fit.
[[nodiscard]] std::optional<VectorSchedule> schedule_alike(const VectorKernel& kernel,
                                                           const VectorCut& cut,
                                                           const Machine& machine);

}  // namespace dvmsim
