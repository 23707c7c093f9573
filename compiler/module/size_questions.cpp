#include "compiler/module/size_questions.h"

#include <map>
#include <numeric>
#include <set>

#include "compiler/graph/shape.h"
#include "compiler/schedule/lower.h"

namespace dvmsim {
namespace {

class SizeQuestions {
 public:
  SizeQuestions(const Graph& graph, Guards& guards)
      : graph_(graph), guards_(guards), domain_(graph.values.size()) {
    std::iota(domain_.begin(), domain_.end(), 0);
  }

  void ask_what_fits() {
    ask_about_each();
    for (const Node& node : graph_.nodes) ask_about(node);
  }
  void ask_what_meets() {
    ask_about_each();
    for (const Node& node : graph_.nodes) {
      if (is_vector_node(node)) {
        join(node);
      } else {
        ask_about(node);
      }
    }
    ask_about_domains();
  }

 private:
  [[nodiscard]] const Dims& shape_of(ValueId id) const { return *graph_.value(id).type.shape; }

  /// Dimensions of one element broadcast, and without elements nothing is computed.
  void ask_about_each() {
    std::set<Dim> sizes;
    for (const Value& value : graph_.values) {
      sizes.insert(value.type.shape->begin(), value.type.shape->end());
    }
    for (const Dim& dim : sizes) {
      if (dim.is_known()) continue;
      const auto least = lower_bound(dim);
      if (!least || *least < 0) (void)guards_.at_most(dim, -1);
      if (!least || *least < 1) (void)guards_.equal(dim, 0);
      if (!least || *least < 2) (void)guards_.equal(dim, 1);
    }
  }

  /// Values that vector nodes join may be in one kernel, whose domain they have in common.
  void join(const Node& node) {
    for (ValueId input : node.inputs) {
      if (input != kNoValue) domain_[place(root(input))] = root(node.outputs[0]);
    }
  }
  static std::size_t place(ValueId id) { return static_cast<std::size_t>(id); }
  [[nodiscard]] ValueId root(ValueId id) const {
    while (domain_[place(id)] != id) id = domain_[place(id)];
    return id;
  }
  void ask_about_domains() {
    std::map<ValueId, std::vector<Dims>> domains;  // by position from the end
    for (ValueId id = 0; id < static_cast<ValueId>(domain_.size()); ++id) {
      add_positions(id, 0, domains[root(id)]);
    }
    for (const auto& [first, positions] : domains) compare(positions);
  }

  /// Adds the value's dimensions but the last `skipped`, each to those of its position.
  void add_positions(ValueId id, std::size_t skipped, std::vector<Dims>& positions) const {
    add_positions(shape_of(id), skipped, positions);
  }
  static void add_positions(const Dims& shape, std::size_t skipped, std::vector<Dims>& positions) {
    if (positions.size() < shape.size()) positions.resize(shape.size());
    for (std::size_t i = skipped; i < shape.size(); ++i) {
      positions[i].push_back(shape[shape.size() - 1 - i]);
    }
  }
  void compare(const std::vector<Dims>& positions) {
    for (const Dims& dims : positions) {
      const std::set<Dim> distinct(dims.begin(), dims.end());
      if (distinct.size() > 1) guards_.compare({distinct.begin(), distinct.end()});
    }
  }

  /// The result has the larger of what is there and what is wanted.
  void ask_about_expansion(const Node& node) {
    const Dims* wanted = node.dims_of("shape");
    if (wanted == nullptr) return;
    std::vector<Dims> positions;
    add_positions(*wanted, 0, positions);
    add_positions(node.inputs[0], 0, positions);
    compare(positions);
  }

  void ask_about(const Node& node) {
    switch (node.op) {
      case Op::Reshape:
        (void)guards_.equal(element_count(shape_of(node.inputs[0])),
                            element_count(shape_of(node.outputs[0])));
        break;
      case Op::Split:
        return ask_about_split(node);
      case Op::Pad:
        return ask_about_padding(node);
      case Op::MatMul:
        return ask_about_product(node);
      case Op::Concat:
        return ask_about_concat(node);
      case Op::Expand:
        return ask_about_expansion(node);
      case Op::BatchNorm:
        return ask_about_channels(node);
      case Op::TopK:
        return ask_about_top(node);
      case Op::Identity:
      case Op::Transpose:
      case Op::Slice:
      case Op::Gather:
      case Op::GatherElements:  // last_axes has asked
      case Op::Conv:
      case Op::ConvLast:
      case Op::MaxPool:
      case Op::SumPool:
      case Op::Depthwise:
      case Op::DepthToSpace:
      case Op::Resize:
        break;  // whatever sizes they get
      default:
        if (info_of(node.op).shape_rule == ShapeRule::Broadcast || normalises_rows(node)) {
          compare_aligned(node);
        } else if (node.inputs.size() > 1) {
          compare_all(node);
        }
    }
  }
  [[nodiscard]] bool normalises_rows(const Node& node) const {
    const bool normalises = node.op == Op::LayerNorm || node.op == Op::RmsNorm;
    return normalises && axis_of(node) + 1 == shape_of(node.inputs[0]).size();
  }

  void compare_aligned(const Node& node) {
    std::vector<Dims> positions;
    for (ValueId id : node.inputs) {
      if (id != kNoValue) add_positions(id, 0, positions);
    }
    compare(positions);
  }
  void ask_about_channels(const Node& node) {
    Dims channels = {shape_of(node.inputs[0])[1]};
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
      channels.push_back(shape_of(node.inputs[i])[0]);
    }
    compare({channels});
  }

  void compare_all(const Node& node) {
    Dims all;
    for (const auto* values : {&node.inputs, &node.outputs}) {
      for (ValueId id : *values) {
        if (id != kNoValue) all.insert(all.end(), shape_of(id).begin(), shape_of(id).end());
      }
    }
    compare({all});
  }

  void ask_about_split(const Node& node) {
    const Dims& whole = shape_of(node.inputs[0]);
    const std::size_t at = axis_of(node);
    Dim parts = 0;
    for (ValueId output : node.outputs) parts = parts + shape_of(output)[at];
    (void)guards_.equal(whole[at], parts);
  }
  [[nodiscard]] std::size_t axis_of(const Node& node) const {
    const std::int64_t axis = node.int_of("axis");
    return static_cast<std::size_t>(axis < 0 ? axis + std::ssize(shape_of(node.inputs[0])) : axis);
  }

  void ask_about_top(const Node& node) {
    const Dims &whole = shape_of(node.inputs[0]), &taken = shape_of(node.outputs[0]);
    if (!whole.empty()) (void)guards_.at_most(taken[axis_of(node)] - whole[axis_of(node)], 0);
  }
  /// Reflections do not reach beyond the other side.
  void ask_about_padding(const Node& node) {
    const Dims& shape = shape_of(node.inputs[0]);
    const std::vector<PadAxis> axes = pad_axes(graph_, node);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      for (const Dim& pad : {axes[i].before, axes[i].after}) {
        (void)guards_.at_most(shape[i] - pad, 0);
      }
    }
  }

  /// Matrices in batches that broadcast.
  void ask_about_product(const Node& node) {
    const Dims &a = shape_of(node.inputs[0]), &b = shape_of(node.inputs[1]);
    if (a.size() < 2 || b.size() < 2) return compare_all(node);
    std::vector<Dims> batches;
    for (ValueId id : {node.inputs[0], node.inputs[1], node.outputs[0]}) {
      add_positions(id, 2, batches);
    }
    compare(batches);
    const auto from_end = [](const Dims& shape, bool last) {
      return shape[shape.size() - (last ? 1 : 2)];
    };
    compare({{from_end(a, node.int_of("trans_a") == 0), from_end(b, node.int_of("trans_b") != 0)}});
    if (node.input(2) == kNoValue) return;
    compare({{shape_of(node.inputs[2]).back(), shape_of(node.outputs[0]).back()}});
  }

  /// What is joined is as large along the other axes.
  void ask_about_concat(const Node& node) {
    const std::size_t axis = axis_of(node);
    std::vector<Dims> positions(shape_of(node.inputs[0]).size());
    for (ValueId input : node.inputs) {
      for (std::size_t i = 0; i < positions.size(); ++i) {
        if (i != axis) positions[i].push_back(shape_of(input)[i]);
      }
    }
    compare(positions);
  }

  const Graph& graph_;
  Guards& guards_;
  std::vector<ValueId> domain_;  // another value of the same, or itself
};

}  // namespace

void ask_what_fits(const Graph& graph, Guards& guards) {
  SizeQuestions(graph, guards).ask_what_fits();
}

void ask_what_meets(const Graph& graph, Guards& guards) {
  SizeQuestions(graph, guards).ask_what_meets();
}

}  // namespace dvmsim
