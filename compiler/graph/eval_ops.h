// Inside the evaluator: one function per family of operators. Included by eval*.cpp only.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/graph/shape_rules.h"

namespace dvmsim::eval_ops {

/// One application. Output types are deduced and known; attributes have no symbols left.
struct Call {
  const Graph& graph;
  const Node& node;
  std::span<const Tensor* const> inputs;
  std::span<const ValueType> input_types;
  std::span<const ValueType> output_types;

  [[nodiscard]] bool has(int index) const {
    return index < static_cast<int>(inputs.size()) &&
           inputs[static_cast<std::size_t>(index)] != nullptr;
  }
  [[nodiscard]] const Tensor& in(int index) const {
    return *inputs[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] std::vector<std::int64_t> out_shape(int index = 0) const {
    return resolve(*output_types[static_cast<std::size_t>(index)].shape, {});
  }
  [[nodiscard]] DType out_dtype() const { return output_types[0].dtype; }
  [[nodiscard]] shape_rules::Use use() const { return {graph, node, input_types}; }
};

[[nodiscard]] Tensor unary(const Call& call);
[[nodiscard]] Tensor cast(const Call& call);
[[nodiscard]] Tensor binary(const Call& call);
[[nodiscard]] Tensor select(const Call& call);
[[nodiscard]] Tensor reduce(const Call& call);
[[nodiscard]] Tensor softmax(const Call& call);     // and log_softmax
[[nodiscard]] Tensor layer_norm(const Call& call);  // and rms_norm
[[nodiscard]] Tensor batch_norm(const Call& call);
[[nodiscard]] Tensor matmul(const Call& call);
[[nodiscard]] Tensor attention(const Call& call);
[[nodiscard]] Tensor grouped_matmul(const Call& call);
[[nodiscard]] Tensor conv(const Call& call);
/// A scaled sum as the output's type: integers rounded half to even, plus the offset, saturated.
[[nodiscard]] float quantised(const Call& call, float value);
[[nodiscard]] Tensor conv_last(const Call& call);
[[nodiscard]] Tensor window(const Call& call);  // max_pool, sum_pool, depthwise
[[nodiscard]] std::vector<Tensor> move(const Call& call);
[[nodiscard]] Tensor arg(const Call& call);  // arg_max and arg_min
[[nodiscard]] Tensor cum_sum(const Call& call);
[[nodiscard]] Tensor gather_elements(const Call& call);
[[nodiscard]] Tensor scatter_rows(const Call& call);
[[nodiscard]] std::vector<Tensor> top_k(const Call& call);
[[nodiscard]] Tensor resize(const Call& call);
[[nodiscard]] Tensor nonzero(const Call& call);
[[nodiscard]] Tensor non_max_suppression(const Call& call);

/// Iterations; `bindings` are the symbols known around the node.
[[nodiscard]] std::vector<Tensor> loop(const Node& node, std::span<const Tensor* const> inputs,
                                       const Bindings& bindings);
[[nodiscard]] std::vector<Tensor> scan(const Node& node, std::span<const Tensor* const> inputs,
                                       const Bindings& bindings);
/// A graph on tensors for its inputs, in order. Symbols of its inputs' shapes are bound from them.
[[nodiscard]] std::vector<Tensor> run_graph(const Graph& graph, std::vector<Tensor> inputs,
                                            const Bindings& bindings);

using Offsets = std::vector<std::int64_t>;
/// Row-major strides in elements.
[[nodiscard]] Offsets strides_of(std::span<const std::int64_t> shape);
/// For each element of `shape`, the offset sum(coordinate * stride).
[[nodiscard]] Offsets strided(std::span<const std::int64_t> shape,
                              std::span<const std::int64_t> strides);
/// For each element of `to`, the element of `from` that broadcasting gives it.
[[nodiscard]] Offsets broadcast_offsets(std::span<const std::int64_t> from,
                                        std::span<const std::int64_t> to);

/// Elements as floats, or as integers.
template <class Number>
[[nodiscard]] std::vector<Number> numbers_of(const Tensor& tensor) {
  if constexpr (std::is_same_v<Number, float>) {
    return tensor.floats();
  } else {
    return tensor.ints();
  }
}
template <class Number>
[[nodiscard]] Tensor tensor_of(DType dtype, std::vector<std::int64_t> shape,
                               const std::vector<Number>& values) {
  if constexpr (std::is_same_v<Number, float>) {
    return Tensor::of_floats(dtype, std::move(shape), values);
  } else {
    return Tensor::of_ints(dtype, std::move(shape), values);
  }
}

}  // namespace dvmsim::eval_ops
