// A file of schedule overrides: what a user decides instead of the compiler, strict YAML.
//
//   kernels:                              # the last entry that names a kernel counts
//     - kernel: "s, r, z"                 # as --dump schedule calls it; * and ? stand for any text
//       vector: {rows: 1, columns: 16384, cores: 32}
//     - number: 3                         # in the order of --dump overrides
//       matmul: {m: 128, n: 256, k: 64, visit: zn, width: 7, cores: 20}
//     - kernel: "*.attention"
//       attention: {queries: 128, keys: 512, part: 128, piece: 16, add: 32, cores: 12}
//     - kernel: "conv*"                   # with channels last; others are gathered and multiplied
//       conv: {m: 256, n: 64, c: 64, resident: true, visit: nz, cores: 20}
//     - kernel: pool                      # and depthwise convolutions
//       window: {rows: 2, columns: 14, channels: 128, cores: 40}
//     - kernel: "*.pad"                   # copies, transposes, gathers, in the dims of the dump
//       copy: {tile: [64, 128], turns: 2, cores: 12}
//     - number: 9                         # of several boxes: one tile for all, or one for each
//       copy: {tile: [[64, 128], [16]], turns: [2, 1]}
//     - kernel: "down, up"                # two products in one kernel
//       chain: {m: 32, k: 512, n: 256, span: 4, whole: true, cores: 24}
//   partition:
//     - fuse: [s, r]                      # names of nodes; the error says why if it cannot be
//     - split: [r, z]
//
// What is absent, the compiler chooses: it searches the rest.
#pragma once

#include <span>
#include <string>

#include "cli/options/options.h"
#include "compiler/module/override.h"

namespace dvmsim {

/// Throws Error "file:line: ..." for whatever is not understood.
[[nodiscard]] ScheduleOverrides parse_overrides(const std::string& text, const std::string& file);
/// Of --schedule; none if it is not given. Throws Error where the strategy has no use for it.
[[nodiscard]] ScheduleOverrides load_overrides(const RunOptions& options);
/// Throws Error if an entry named nothing: that would change nothing, in silence.
void check_used(const ScheduleOverrides& overrides);

/// The file that decides the same.
[[nodiscard]] std::string to_yaml(std::span<const ScheduleDecision> decisions);

}  // namespace dvmsim
