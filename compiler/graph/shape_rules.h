// Inside shape deduction: the rules of ops.def's shape column, and contents of small tensors.
// Included by shape*.cpp and contents.cpp only.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/graph/shape.h"

namespace dvmsim::shape_rules {

/// One application of a rule. Shapes of present inputs are known, except for
/// Shape and where there are subgraphs.
struct Use {
  const Graph& graph;
  const Node& node;
  std::span<const ValueType> inputs;

  [[nodiscard]] bool has(int index) const { return node.input(index) != kNoValue; }
  [[nodiscard]] const ValueType& in(int index) const {
    return inputs[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] const Dims& shape(int index) const { return *in(index).shape; }
  [[nodiscard]] int rank(int index) const { return static_cast<int>(shape(index).size()); }
  [[noreturn]] void fail(const std::string& why) const;
  /// `axis` of a tensor of `rank` dimensions, counted from the end if negative; else fails.
  [[nodiscard]] int axis(std::int64_t axis, int rank) const;
};

/// Numbers that may come as an attribute or as an input.
struct Numbers {
  bool given = false;
  std::optional<Dims> values;  // absent although given: they depend on data
};
[[nodiscard]] Numbers numbers(const Use& use, std::string_view attribute, int input);

using Types = std::vector<ValueType>;
[[nodiscard]] Types reshape(const Use& use);
[[nodiscard]] Types transpose(const Use& use);
[[nodiscard]] Types slice(const Use& use);
[[nodiscard]] Types concat(const Use& use);
[[nodiscard]] Types split(const Use& use);
[[nodiscard]] Types gather(const Use& use);
[[nodiscard]] Types expand(const Use& use);
[[nodiscard]] Types pad(const Use& use);
[[nodiscard]] Types conv(const Use& use);
[[nodiscard]] Types conv_last(const Use& use);
[[nodiscard]] Types window(const Use& use);
[[nodiscard]] Types depth_to_space(const Use& use);
[[nodiscard]] Types gather_elements(const Use& use);
[[nodiscard]] Types scatter_rows(const Use& use);
[[nodiscard]] Types top_k(const Use& use);
[[nodiscard]] Types resize(const Use& use);
[[nodiscard]] Types attention(const Use& use);
[[nodiscard]] Types grouped_matmul(const Use& use);
[[nodiscard]] Types if_rule(const Use& use);
[[nodiscard]] Types loop(const Use& use);
[[nodiscard]] Types scan(const Use& use);
[[nodiscard]] Types refuse(const Use& use);
[[nodiscard]] Types nonzero(const Use& use);
[[nodiscard]] Types non_max_suppression(const Use& use);

/// The node's subgraphs with the types that follow from those of its inputs.
[[nodiscard]] std::vector<Graph> typed_subgraphs(const Use& use);

/// The types of the outputs, without contents (but for Shape, whose contents are its meaning).
[[nodiscard]] Types apply_rule(const Use& use);

/// slice_axes and pad_axes of shape.h; absent: they depend on data.
[[nodiscard]] std::optional<std::vector<SliceAxis>> slice_axes_of(const Use& use);
[[nodiscard]] std::optional<std::vector<PadAxis>> pad_axes_of(const Use& use);

/// Fills the contents of `outputs` (typed already) where they follow from those of the inputs.
void deduce_contents(const Use& use, std::span<ValueType> outputs);
/// Tensors of more elements are data, not shapes.
inline constexpr std::int64_t kMaxContents = 256;

}  // namespace dvmsim::shape_rules
