// A group of a product and what the vector cores finish it with: elementwise operators, and
// reductions along its rows where a tile holds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/pass/partition.h"
#include "compiler/schedule/product.h"

namespace dvmsim {

/// The product, and the kernel of the rest.
struct MixGroup {
  NodeId product = -1;
  Product plan{};
  LoweredKernel rest{};
};
/// Nullopt if the vector cores cannot finish the product; `why` then says it.
[[nodiscard]] std::optional<MixGroup> mix_of(const Graph& graph, const Group& group,
                                             const Machine& machine, std::string* why = nullptr,
                                             const Views& views = {});
/// Is the group a product and a ReLU of it alone, of which nothing else is wanted? FixPipe does it.
[[nodiscard]] bool is_rectified(const Graph& graph, const Group& group);

/// Reduces the group along something?
[[nodiscard]] bool reduces(const Graph& graph, const Group& group);
/// Does a tile of the product hold whole rows, with a bias?
[[nodiscard]] bool has_whole_rows(const Graph& graph, ValueId product, const Machine& machine);

}  // namespace dvmsim
