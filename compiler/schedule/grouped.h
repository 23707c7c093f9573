// Products of a list of groups to be compiled, and the tiles chosen for them. The list is data, so
// tiles are chosen for groups of equal size.
#pragma once

#include <cstdint>

#include "compiler/schedule/matmul.h"

namespace dvmsim {

/// `product` is of all groups together: m (GroupAxis::M) or k (K) is the length that the groups
/// share; its b and bias (M) or its c (K) are the first group's.
struct GroupedSpec {
  MatmulSpec product{};
  isa::GroupAxis axis = isa::GroupAxis::M;
  std::int64_t groups = 1;
  bool cumulative = false;
  DType list = DType::I64;
  std::int64_t stride = 0, bias_stride = 0;  // bytes from a group's to the next's
};

/// The groups as the batches of one product, as if they were equal.
[[nodiscard]] MatmulSpec equal_groups(const GroupedSpec& spec);

/// The most tiles that any list makes.
[[nodiscard]] std::int64_t most_tiles(const GroupedSpec& spec, const MatmulSchedule& schedule);

/// By cost: the best for equal groups. By DVM: its cost tiler for all rows, on diagonals, whatever
/// the rule is otherwise. On as many of `cores` as may get a tile.
[[nodiscard]] MatmulSchedule choose_grouped(const GroupedSpec& spec, const Machine& machine,
                                            Tiling rule, int cores);

}  // namespace dvmsim
