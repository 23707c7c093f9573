// What the schedules of vector kernels share; internal to this folder.
#pragma once

#include <cstdint>

#include "compiler/schedule/vector.h"

namespace dvmsim {

inline constexpr std::int64_t kBlock = 32;  // bytes; UB addresses and row pitches are multiples
/// Words of one step's code, generously, for the UB left over.
inline constexpr std::int64_t kWordsPerStep = 8;
/// A repeat; half of a turn through the 16 bank groups.
inline constexpr std::int64_t kBankTurn = 256;

/// Elements between rows, so that rows of every type in the kernel begin on a block.
[[nodiscard]] std::int64_t pitch_of(const VectorKernel& kernel, std::int64_t columns);
/// Of a value in a tile; `piece` as in VectorSchedule.
[[nodiscard]] std::int64_t bytes_of(const KernelValue& value, VectorTile tile, std::int64_t pitch,
                                    std::int64_t piece = 0);
/// Where tiles begin in UB, behind a program of so many steps and moves.
[[nodiscard]] std::int64_t ub_begin(const Machine& machine, std::size_t steps);
/// Cycles of a repeat, about.
[[nodiscard]] double weight(isa::Op op);

}  // namespace dvmsim
