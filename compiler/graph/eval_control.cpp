// What control flow means, and operators whose results are as large as the data say.
#include <algorithm>
#include <numeric>

#include "compiler/graph/eval_ops.h"
#include "vm/base/error.h"

namespace dvmsim::eval_ops {
namespace {

std::vector<Tensor> tensors_of(std::span<const Tensor* const> inputs) {
  std::vector<Tensor> tensors;
  for (const Tensor* tensor : inputs) tensors.push_back(tensor == nullptr ? Tensor() : *tensor);
  return tensors;
}

Tensor scalar(DType dtype, std::int64_t number) {
  return Tensor::of_ints(dtype, {}, std::span(&number, 1));
}

/// Element `index` along dimension 0.
Tensor slice_of(const Tensor& tensor, std::int64_t index) {
  std::vector<std::int64_t> shape(tensor.shape().begin() + 1, tensor.shape().end());
  const std::size_t size = tensor.bytes().size() / static_cast<std::size_t>(tensor.shape()[0]);
  const auto part = tensor.bytes().subspan(size * static_cast<std::size_t>(index), size);
  return {tensor.dtype(), std::move(shape), {part.begin(), part.end()}};
}

/// What a body gives, from what its node has: for iterations without a round.
std::vector<ValueType> body_types(const Node& node, std::span<const Tensor* const> inputs) {
  std::vector<ValueType> types;
  for (const Tensor* tensor : inputs) {
    types.emplace_back();
    if (tensor == nullptr) continue;
    types.back() = {tensor->dtype(), Dims(tensor->shape().begin(), tensor->shape().end()),
                    std::nullopt};
  }
  const Graph none;
  const std::vector<Graph> bodies = shape_rules::typed_subgraphs({none, node, types});
  std::vector<ValueType> results;
  for (ValueId id : bodies[0].outputs) results.push_back(bodies[0].value(id).type);
  return results;
}

Tensor no_rounds(const ValueType& type) {
  std::vector<std::int64_t> shape = {0};
  for (const Dim& dim : type.shape.value_or(Dims{})) {
    shape.push_back(dim.is_known() ? dim.value() : 0);
  }
  return {type.dtype, std::move(shape)};
}

/// Equal tensors along a new first dimension.
Tensor stacked(const std::vector<Tensor>& parts, const Node& node) {
  std::vector<std::int64_t> shape = parts[0].shape();
  std::vector<std::byte> bytes;
  for (const Tensor& part : parts) {
    if (part.shape() != shape) {
      throw Error("node '" + node.name + "' (" + std::string(name_of(node.op)) +
                  "): its rounds give tensors of different shapes, which cannot be stacked");
    }
    bytes.insert(bytes.end(), part.bytes().begin(), part.bytes().end());
  }
  shape.insert(shape.begin(), static_cast<std::int64_t>(parts.size()));
  return {parts[0].dtype(), std::move(shape), std::move(bytes)};
}

}  // namespace

std::vector<Tensor> loop(const Node& node, std::span<const Tensor* const> inputs,
                         const Bindings& bindings) {
  const Graph& body = node.subgraphs[0];
  const auto carried = static_cast<std::ptrdiff_t>(node.int_of("carried"));
  std::vector<Tensor> state = tensors_of(inputs);
  const bool counts = inputs.size() > 0 && inputs[0] != nullptr;
  const std::int64_t limit = counts ? state[0].ints().at(0) : INT64_MAX;
  bool go_on = inputs.size() < 2 || inputs[1] == nullptr || state[1].ints().at(0) != 0;
  state.resize(std::max<std::size_t>(state.size(), 2));
  std::vector<std::vector<Tensor>> parts(body.outputs.size() - 1 -
                                         static_cast<std::size_t>(carried));
  for (std::int64_t round = 0; go_on && round < limit; ++round) {
    state[0] = scalar(DType::I64, round);
    state[1] = scalar(DType::Bool, 1);
    std::vector<Tensor> outputs = run_graph(body, state, bindings);
    go_on = outputs[0].ints().at(0) != 0;
    std::move(outputs.begin() + 1, outputs.begin() + 1 + carried, state.begin() + 2);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i].push_back(std::move(outputs[static_cast<std::size_t>(carried) + 1 + i]));
    }
  }
  std::vector<Tensor> result(state.begin() + 2, state.begin() + 2 + carried);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t output = static_cast<std::size_t>(carried) + 1 + i;
    result.push_back(parts[i].empty() ? no_rounds(body_types(node, inputs)[output])
                                      : stacked(parts[i], node));
  }
  return result;
}

std::vector<Tensor> scan(const Node& node, std::span<const Tensor* const> inputs,
                         const Bindings& bindings) {
  const Graph& body = node.subgraphs[0];
  const auto states = static_cast<std::size_t>(node.int_of("states"));
  const auto scans = static_cast<std::size_t>(node.int_of("scans"));
  const auto backwards = [&](const char* attribute, std::size_t index) {
    const auto directions = node.ints_of(attribute);
    return index < directions.size() && directions[index] != 0;
  };
  const std::int64_t rounds = inputs[states]->shape().at(0);
  std::vector<Tensor> values = tensors_of(inputs);
  std::vector<std::vector<Tensor>> parts(body.outputs.size() - states);
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < scans; ++i) {
      const Tensor& whole = *inputs[states + i];
      if (whole.shape().at(0) != rounds) {
        throw Error("node '" + node.name + "' (scan): its inputs have different lengths");
      }
      values[states + i] =
          slice_of(whole, backwards("input_backwards", i) ? rounds - 1 - round : round);
    }
    std::vector<Tensor> outputs = run_graph(body, values, bindings);
    for (std::size_t i = 0; i < states; ++i) values[i] = outputs[i];
    for (std::size_t i = 0; i < parts.size(); ++i) {
      parts[i].push_back(std::move(outputs[states + i]));
    }
  }
  std::vector<Tensor> result(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(states));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (backwards("output_backwards", i)) std::reverse(parts[i].begin(), parts[i].end());
    result.push_back(parts[i].empty() ? no_rounds(body_types(node, inputs)[states + i])
                                      : stacked(parts[i], node));
  }
  return result;
}

Tensor nonzero(const Call& call) {
  const Tensor& x = call.in(0);
  const Offsets strides = strides_of(x.shape());
  std::vector<std::int64_t> found;
  if (is_float(x.dtype())) {
    const std::vector<float> values = x.floats();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0) found.push_back(static_cast<std::int64_t>(i));
    }
  } else {
    const std::vector<std::int64_t> values = x.ints();
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0) found.push_back(static_cast<std::int64_t>(i));
    }
  }
  std::vector<std::int64_t> indices;
  for (std::size_t axis = 0; axis < x.shape().size(); ++axis) {
    for (const std::int64_t place : found) {
      indices.push_back(place / strides[axis] % x.shape()[axis]);
    }
  }
  return Tensor::of_ints(DType::I64, {x.rank(), static_cast<std::int64_t>(found.size())}, indices);
}

/// Greedy: of each class the boxes by falling score, unless one chosen before suppresses them.
Tensor non_max_suppression(const Call& call) {
  const std::vector<float> scores = call.in(0).floats();
  const std::vector<std::int64_t> suppresses = call.in(1).ints();
  const std::int64_t batches = call.in(0).shape()[0], classes = call.in(0).shape()[1],
                     boxes = call.in(0).shape()[2];
  const bool limited = call.node.input(2) != kNoValue;
  const std::int64_t most = limited ? call.in(2).ints().at(0) : 0;
  const bool thresholded = call.node.input(3) != kNoValue;
  const float least = thresholded ? call.in(3).floats().at(0) : 0;
  std::vector<std::int64_t> chosen;
  for (std::int64_t row = 0; row < batches * classes; ++row) {
    const auto score = [&](std::int64_t box) {
      return scores[static_cast<std::size_t>(row * boxes + box)];
    };
    std::vector<std::int64_t> order(static_cast<std::size_t>(boxes));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return score(a) > score(b); });
    std::vector<std::int64_t> kept;
    for (const std::int64_t box : order) {
      if (static_cast<std::int64_t>(kept.size()) >= most) break;
      if (thresholded && !(score(box) > least)) continue;
      const auto hides = [&](std::int64_t other) {
        const std::int64_t at = (row / classes * boxes + other) * boxes + box;
        return suppresses[static_cast<std::size_t>(at)] != 0;
      };
      if (std::any_of(kept.begin(), kept.end(), hides)) continue;
      kept.push_back(box);
      chosen.insert(chosen.end(), {row / classes, row % classes, box});
    }
  }
  const auto count = static_cast<std::int64_t>(chosen.size()) / 3;
  return Tensor::of_ints(DType::I64, {count, 3}, chosen);
}

}  // namespace dvmsim::eval_ops
