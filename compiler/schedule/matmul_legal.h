// Rounding and refusals shared by the ways of choosing tiles; internal to this folder.
#pragma once

#include <cstdint>

#include "compiler/schedule/matmul.h"
#include "vm/base/rounding.h"

namespace dvmsim {

inline constexpr std::int64_t kFractal = 16;       // rows of an operand block
inline constexpr std::int64_t kFractalBytes = 32;  // bytes in a row of it

/// Throws Error naming the product and the machine.
[[noreturn]] void refuse_matmul(const MatmulSpec& spec, const Machine& machine, const char* why);
/// Throws Error unless the machine multiplies the type and every size is at least 1.
void check_matmul(const MatmulSpec& spec, const Machine& machine);
/// Elements of the operands' type that half of L1 holds beside the bias.
[[nodiscard]] std::int64_t half_l1_elements(const MatmulSpec& spec, const Machine& machine);
/// DVM's enumerating tiler (V2, V3): tile and, for V2, order of visit. No tile: tile_m is 0.
[[nodiscard]] MatmulSchedule enumerate_dvm(const MatmulSpec& spec, const Machine& machine,
                                           Tiling rule);
/// The largest k block that fits with the stages, shortened to whole lines where it can be and to
/// an even cut of k. Below the least: none fits.
[[nodiscard]] std::int64_t widest_tile_k(const MatmulSpec& spec, const MatmulSchedule& tile,
                                         const Machine& machine);
/// How many cores get a tile.
[[nodiscard]] int cores_for(const MatmulSpec& spec, const MatmulSchedule& schedule,
                            const Machine& machine);

}  // namespace dvmsim
