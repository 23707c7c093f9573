// What the steps of a random graph are made with: draws, values given from outside, and nodes whose
// types are deduced as they are appended.
#pragma once

#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/shape.h"
#include "tests/support/random_graph.h"

namespace dvmsim {

class GraphMaker {
 public:
  explicit GraphMaker(std::uint64_t seed) : random_(seed), seed_(static_cast<std::int64_t>(seed)) {
    constexpr DType kTypes[] = {DType::F32,  DType::F32, DType::F16, DType::F16,
                                DType::BF16, DType::I32, DType::I64, DType::I8};
    made_.dtype = kTypes[below(8)];
    made_.graph.name = "random";
  }

 protected:
  using Sizes = std::vector<std::int64_t>;
  /// Elements of a value: one graph in 16 has values that need several tiles a core.
  static constexpr std::int64_t kMost = 20'000, kMany = 700'000;

  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }
  bool odds(std::int64_t n) { return below(n) == 0; }
  std::int64_t dimension() {
    constexpr std::int64_t kSizes[] = {1,  1,  2,  3,  4,  5,   8,   13, 16,
                                       17, 31, 32, 33, 64, 100, 129, 300};
    if (most_ == kMany && odds(2)) return 200 + below(3000);
    return kSizes[below(std::size(kSizes))];
  }
  static std::int64_t count(const Sizes& shape) { return element_count(shape); }
  [[nodiscard]] Sizes shape_of(ValueId id) const {
    Sizes shape;
    for (const Dim& dim : *made_.graph.value(id).type.shape) shape.push_back(dim.value());
    return shape;
  }
  [[nodiscard]] Sizes shape() const { return shape_of(current_); }
  [[nodiscard]] bool real() const { return is_float(made_.dtype); }
  static Dims dims(const Sizes& sizes) { return {sizes.begin(), sizes.end()}; }

  ValueId input(DType dtype, const Sizes& shape) {
    const std::string name = "x" + std::to_string(made_.inputs.size());
    const double scale = dtype == DType::Bool ? 2 : is_float(dtype) ? 1.5 : 6;
    made_.inputs[name] = filled(dtype, shape, {Fill::Kind::Random, seed_ + below(1000), scale});
    return made_.graph.add_input(name, dtype, dims(shape));
  }
  ValueId given(DType dtype, const Sizes& shape) {
    if (odds(3)) return input(dtype, shape);
    const Fill fill{Fill::Kind::Random, seed_ + below(1000), is_float(dtype) ? 1.0 : 5.0};
    return made_.graph.add_constant("c" + std::to_string(made_.graph.values.size()),
                                    filled(dtype, shape, fill));
  }
  /// Appends a node and its types; returns its first output.
  ValueId add(Op op, const std::vector<ValueId>& inputs, AttributeMap attributes = {},
              int outputs = 1) {
    std::vector<std::string> names;
    for (int i = 0; i < outputs; ++i) {
      names.push_back("v" +
                      std::to_string(made_.graph.values.size() + static_cast<std::size_t>(i)));
    }
    const NodeId id = made_.graph.add_node(op, inputs, names, std::move(attributes));
    std::vector<ValueType> types;
    for (ValueId each : inputs) {
      types.push_back(each == kNoValue ? ValueType{} : made_.graph.value(each).type);
    }
    const auto deduced = deduce_node(made_.graph, made_.graph.node(id), types);
    for (std::size_t i = 0; i < deduced.size(); ++i) {
      made_.graph.value(made_.graph.node(id).outputs[i]).type = deduced[i];
    }
    return made_.graph.node(id).outputs[0];
  }

  /// Numbers in [-size, size), as an input or a constant.
  ValueId numbers(const Sizes& sizes, std::int64_t size) {
    Sizes values;
    for (std::int64_t i = count(sizes); i > 0; --i) values.push_back(below(2 * size) - size);
    const Tensor where = Tensor::of_ints(odds(2) ? DType::I32 : DType::I64, sizes, values);
    if (odds(3)) {
      return made_.graph.add_constant("i" + std::to_string(made_.graph.values.size()), where);
    }
    const std::string name = "x" + std::to_string(made_.inputs.size());
    made_.inputs[name] = where;
    return made_.graph.add_input(name, where.dtype(), dims(sizes));
  }

  std::mt19937_64 random_;
  std::int64_t seed_, most_ = kMost;
  RandomGraph made_{};
  ValueId current_ = kNoValue;
  std::vector<ValueId> before_{};
};

}  // namespace dvmsim
