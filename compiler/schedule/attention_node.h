// An attention node as the sizes and strides of its program.
#pragma once

#include <span>

#include "compiler/graph/graph.h"
#include "compiler/schedule/attention.h"

namespace dvmsim {

/// Of a node over inputs of these types, whose shapes are known and have no dimension of 0.
[[nodiscard]] AttentionSpec attention_of(const Node& node, std::span<const ValueType> inputs);

/// Why the node cannot be one program on this machine, or empty.
[[nodiscard]] std::string attention_problem(const Node& node, std::span<const ValueType> inputs,
                                            const Machine& machine);

}  // namespace dvmsim
