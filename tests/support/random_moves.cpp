#include <algorithm>
#include <random>

#include "compiler/graph/shape.h"
#include "tests/support/random_graph.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

/// Grows a graph of moves and kernels.
class Moved {
 public:
  explicit Moved(std::uint64_t seed) : random_(seed) {
    graph_.name = "moved";
    dtype_ = pick(2) == 0 ? DType::F32 : DType::F16;
    ValueId value = input({below(3), below(20), below(6), below(40)});
    for (std::int64_t kernels = below(3); kernels > 0; --kernels) {
      value = kernel(moves(value));
    }
    value = moves(value);
    graph_.add_output(pick(2) == 0 ? value : add(Op::Neg, {value}));
    graph_ = deduce_shapes(graph_);
  }
  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] DType dtype() const { return dtype_; }

 private:
  std::int64_t pick(std::int64_t count) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(count));
  }
  std::int64_t below(std::int64_t most) { return 1 + pick(most); }

  ValueId input(const Sizes& shape) {
    const std::string name = "x" + std::to_string(graph_.inputs.size());
    return graph_.add_input(name, dtype_, as_dims(shape));
  }
  ValueId add(Op op, std::vector<ValueId> inputs, AttributeMap attributes = {}) {
    const std::string name = "n" + std::to_string(graph_.nodes.size());
    const ValueId made = graph_.add(op, std::move(inputs), std::move(attributes), name);
    std::vector<ValueType> types;
    for (ValueId id : graph_.nodes.back().inputs) types.push_back(graph_.value(id).type);
    graph_.value(made).type = deduce_node(graph_, graph_.nodes.back(), types).front();
    return made;
  }
  Sizes shape(ValueId id) { return resolve(*graph_.value(id).type.shape, {}); }

  ValueId moves(ValueId value) {
    for (std::int64_t count = pick(4); count > 0; --count) value = move(value);
    return value;
  }

  ValueId slice(ValueId value, std::int64_t axis) {
    const std::int64_t size = shape(value)[static_cast<std::size_t>(axis)];
    const std::int64_t start = pick(size), end = start + below(size - start);
    if (pick(6) == 0) {  // from its end to its begin
      return add(Op::Slice, {value},
                 {{"starts", as_dims({end - 1})},
                  {"ends", as_dims({start - size - 1})},
                  {"axes", as_dims({axis})},
                  {"steps", as_dims({-1})}});
    }
    return add(Op::Slice, {value},
               {{"starts", as_dims({start})},
                {"ends", as_dims({end})},
                {"axes", as_dims({axis})},
                {"steps", as_dims({pick(6) == 0 ? 2 : 1})}});
  }

  ValueId move(ValueId value) {
    const Sizes sizes = shape(value);
    const auto rank = static_cast<std::int64_t>(sizes.size());
    const std::int64_t axis = pick(rank);
    switch (pick(5)) {
      case 0:
      case 1: {
        Sizes perm(sizes.size());
        for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
        // Most keep the last dimension where it is.
        std::shuffle(perm.begin(), perm.end() - (pick(3) == 0 ? 0 : 1), random_);
        return add(Op::Transpose, {value}, {{"perm", as_dims(perm)}});
      }
      case 2:
        return slice(value, axis);
      case 3: {
        Sizes other = sizes;
        other[static_cast<std::size_t>(axis)] = below(5);
        const ValueId beside = pick(3) == 0 ? slice(value, axis) : add(Op::Exp, {input(other)});
        const bool first = pick(2) == 0;
        return add(Op::Concat, {first ? value : beside, first ? beside : value}, {{"axis", axis}});
      }
      default: {
        Sizes flat = sizes;
        if (rank > 2) {  // two neighbours become one
          const std::int64_t at = pick(rank - 1);
          flat[static_cast<std::size_t>(at)] *= flat[static_cast<std::size_t>(at + 1)];
          flat.erase(flat.begin() + at + 1);
        } else {
          flat.insert(flat.begin() + pick(rank), 1);
        }
        return add(Op::Reshape, {value}, {{"shape", as_dims(flat)}});
      }
    }
  }

  ValueId kernel(ValueId value) {
    const Sizes sizes = shape(value);
    switch (pick(5)) {
      case 0:
        return add(Op::Tanh, {value});
      case 1:
        return add(Op::Softmax, {value});
      case 2:
        return add(Op::Add, {value, input({sizes.back()})});
      case 3: {
        const std::int64_t last = static_cast<std::int64_t>(sizes.size()) - 1;
        return add(Op::ReduceMax, {value},
                   {{"axes", as_dims({pick(last + 1)})}, {"keepdims", std::int64_t{1}}});
      }
      default: {
        if (sizes.size() < 2) return add(Op::Abs, {value});
        Sizes other = sizes;
        const bool turned = pick(2) == 0;
        other[other.size() - 2] = turned ? below(30) : sizes.back();
        other.back() = turned ? sizes.back() : below(30);
        const ValueId right = moved_alike(other);
        const ValueId product =
            add(Op::MatMul, {value, right}, {{"trans_b", std::int64_t{turned ? 1 : 0}}});
        const ValueId scaled = add(Op::Sigmoid, {product});  // stays near 1
        return scaled;
      }
    }
  }

  /// A value of this shape that was transposed: heads before rows.
  ValueId moved_alike(const Sizes& sizes) {
    if (sizes.size() < 3) return input(sizes);
    Sizes stored = sizes, perm(sizes.size());
    for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
    std::swap(stored[sizes.size() - 3], stored[sizes.size() - 2]);
    std::swap(perm[sizes.size() - 3], perm[sizes.size() - 2]);
    return add(Op::Transpose, {input(stored)}, {{"perm", as_dims(perm)}});
  }

  std::mt19937_64 random_;
  Graph graph_{};
  DType dtype_ = DType::F32;
};

}  // namespace

RandomGraph random_moves(std::uint64_t seed) {
  const Moved moved(seed);
  RandomGraph made{moved.graph(), moved.dtype(), {}};
  for (ValueId id : made.graph.inputs) {
    const Value& value = made.graph.value(id);
    made.inputs[value.name] =
        filled(value.type.dtype, resolve(*value.type.shape, {}), {Fill::Kind::Random, id + 1, 1.0});
  }
  return made;
}

}  // namespace dvmsim
