// The program of attention: the cube core of a group makes the scores of a block of keys and, some
// blocks later, multiplies their probabilities with the values; the vector cores make probabilities
// of scores with a running maximum and sum, and add up the outputs. Scores, probabilities and
// products pass through slots of a workspace that stays in L2.
//
// Turn i of a cube core mixes block i - ahead, then makes the scores of block i; turn i of a vector
// core takes the softmax of block i, then adds the product of block i - ahead. Three flags between
// the cores are enough: that a block's probabilities are there says that its scores were read and
// that the product of ahead + 1 blocks before was; that a block's scores are there says that the
// probabilities of `ahead` blocks before were read. Blocks of all tiles of a core are one sequence.
//
// Where one block has all keys, the vector cores divide by the sums and are done with it: what the
// cube core multiplies then is the output.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/schedule/attention.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Addresses of tensors and of the workspace: what relocation writes.
struct AttentionAddresses {
  std::uint64_t q = 0, k = 0, v = 0, out = 0, workspace = 0, mask = 0;
  std::uint64_t scaled = 0;  // scaled_queries() in the workspace, or q
};
inline constexpr int kAttentionAddresses = 7;

/// There is no attention_problem() and the schedule fits. Launch it on schedule.cores cube cores
/// and all their groups' vector cores. The code is the same for every batch, count of queries and
/// of keys: those and the strides are arguments.
[[nodiscard]] Program attention_program(const AttentionSpec& spec,
                                        const AttentionSchedule& schedule, const Machine& machine);

[[nodiscard]] std::vector<std::uint64_t> attention_arguments(const AttentionSpec& spec,
                                                             const AttentionSchedule& schedule,
                                                             const AttentionAddresses& addresses);
/// Where in the workspace the scaled queries begin, if the schedule has them.
[[nodiscard]] std::int64_t scaled_queries(const AttentionSpec& spec,
                                          const AttentionSchedule& schedule);

/// Bytes of the slots of all cores, and of scaled queries.
[[nodiscard]] std::int64_t attention_workspace_bytes(const AttentionSpec& spec,
                                                     const AttentionSchedule& schedule);

}  // namespace dvmsim
