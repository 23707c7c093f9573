// What is asked about the sizes of a graph with symbols: which dimensions are 0, 1, or equal where
// they meet. The guards remember the answers.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/graph/guards.h"

namespace dvmsim {

/// Of a model: sizes that give other answers may be some that shape deduction refuses when they are
/// written in. Passes may leave no trace of what it checks.
void ask_what_fits(const Graph& graph, Guards& guards);
/// When passes are over: for sizes that give the same answers partition, if it is told the same of
/// what fits the machine, makes the same groups.
void ask_what_meets(const Graph& graph, Guards& guards);

}  // namespace dvmsim
