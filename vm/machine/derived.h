// What follows from a machine's numbers: the peaks that data sheets quote. Plain formulas, no
// model.
#pragma once

#include "vm/machine/machine.h"

namespace dvmsim {

/// Multiply-accumulates of one cube in a cycle; 0 if the type is not supported.
[[nodiscard]] std::int64_t macs_per_cycle(const Machine& machine, DType type);
/// Cycles of the steps of an m x k by k x n product on one cube, without head and gap.
[[nodiscard]] Cycles cube_steps(const Machine& machine, DType type, std::int64_t m, std::int64_t n,
                                std::int64_t k);
/// Operations per second of all cubes; a multiply-accumulate counts two.
[[nodiscard]] double peak_cube_ops(const Machine& machine, DType type);
/// Elements per second of all vector cores in a class.
[[nodiscard]] double peak_vector_ops(const Machine& machine, VectorClass which, DType type);
/// Bytes per second.
[[nodiscard]] double peak_hbm(const Machine& machine);
[[nodiscard]] double sustained_hbm_read(const Machine& machine);
[[nodiscard]] double l2_read(const Machine& machine);
[[nodiscard]] double l2_write(const Machine& machine);
[[nodiscard]] double per_second(const Machine& machine, Rate rate);
/// What one core loads at best into L1 or UB, from L2 or from HBM: its port's rate, or what may be
/// in flight over the latency if that is less.
[[nodiscard]] Rate load_rate(const Machine& machine, Space to, bool from_hbm);
/// The rate HBM really reads at, in bytes per cycle.
[[nodiscard]] Rate hbm_read_rate(const Machine& machine);
/// f16 cube operations per byte read from HBM at which compute and memory take equally long.
[[nodiscard]] double balance_ops_per_byte(const Machine& machine);

}  // namespace dvmsim
