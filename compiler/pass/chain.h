// Two products of which the first result is the second's left operand alone: which groups are that,
// and as what they are compiled.
#pragma once

#include <optional>
#include <string>

#include "compiler/pass/partition.h"
#include "compiler/schedule/chain.h"
#include "compiler/schedule/product.h"

namespace dvmsim {

struct ChainGroup {
  NodeId first = -1, second = -1;  // the products
  Product first_plan{}, second_plan{};
  ChainSpec spec{};
};
/// Of a group of a product, perhaps a ReLU of it, and another product. Nullopt if the machine
/// cannot keep the first result, or an operand is a view that no stride says; `why` then says it.
[[nodiscard]] std::optional<ChainGroup> chain_of(const Graph& graph, const Group& group,
                                                 const Machine& machine, std::string* why = nullptr,
                                                 const Views& views = {});

/// Does it pay, at the sizes of the graph? `is_finished`: apart, the vector cores would do what
/// follows the second product in its launch.
[[nodiscard]] ChainGain gain_of(const ChainGroup& chain, bool is_finished, const Machine& machine);

}  // namespace dvmsim
