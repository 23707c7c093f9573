// A matmul node as products: sizes, strides, and which dimensions of its result are batches, rows
// and columns. What differs beyond two batches becomes several launches.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/schedule/matmul.h"
#include "compiler/schedule/view.h"

namespace dvmsim {

struct Product {
  MatmulSpec spec{};
  /// Byte offsets of A, B and C of each launch.
  std::vector<std::array<std::int64_t, 3>> launches{};
  /// Dimensions of the result that make batch0, batch1, m and n; only with one launch.
  std::array<std::vector<std::size_t>, 4> dims{};
};

/// Shapes are known and no dimension is 0. `result`: the value that is stored, of the node's
/// output's shape; kNoValue: that output. Nullopt if an operand or the result is a view that no
/// pitch says.
[[nodiscard]] std::optional<Product> product_of(const Graph& graph, const Node& node,
                                                const Views& views, ValueId result = kNoValue);
[[nodiscard]] Product product_of(const Graph& graph, const Node& node);

}  // namespace dvmsim
