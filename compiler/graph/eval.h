// What each operator means: one plain loop per operator on host tensors. Floating point computes in
// f32 (sums in ascending index order) and rounds to the tensor's type after each operator; integers
// are exact. No speed is intended beyond what small models need.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// The outputs of `graph`, in order, from inputs by name. Symbols are bound from the inputs'
/// shapes. Works at every level of the graph. A missing or unfit input is an Error.
[[nodiscard]] std::vector<Tensor> evaluate(const Graph& graph,
                                           const std::map<std::string, Tensor>& inputs);

/// The outputs of one node; absent optional inputs are null.
[[nodiscard]] std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node,
                                                std::span<const Tensor* const> inputs,
                                                const Bindings& bindings = {});

}  // namespace dvmsim
