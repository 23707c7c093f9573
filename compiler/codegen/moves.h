// Move operators as strided copies: which box of which input goes where in which output.
#pragma once

#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/schedule/copy.h"
#include "compiler/schedule/matmul.h"
#include "compiler/schedule/view.h"

namespace dvmsim {

/// The copies of a transpose, slice, concat, split or pad; input and output numbers are the node's.
/// Each is between the tensors in which its input and its output lie; only the first four have
/// inputs and outputs that lie in others. Empty boxes are left out. Throws Error, naming the node,
/// for a mode that is not known.
[[nodiscard]] std::vector<ViewCopy> copies_of(const Graph& graph, const Node& node,
                                              const Views& views = {});

/// Copies of a padding: `begin[i]` elements before dimension i of the input, `shape` the result's.
/// `mode` is constant (of `fill`'s bits), edge or reflect.
[[nodiscard]] std::vector<ViewCopy> pad_copies(const std::vector<std::int64_t>& input,
                                               const std::vector<std::int64_t>& shape,
                                               const std::vector<std::int64_t>& begin,
                                               std::string_view mode, std::int64_t fill);

/// Every matrix of a product's operand, row by row, to rows `padded` elements apart.
[[nodiscard]] ViewCopy padding(const MatmulSpec& spec, bool of_a, std::int64_t padded);

}  // namespace dvmsim
