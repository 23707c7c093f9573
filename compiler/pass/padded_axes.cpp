#include "compiler/pass/padded_axes.h"

#include <algorithm>

#include "compiler/graph/shape.h"

namespace dvmsim::padding {
namespace {

const Dims& shape_of(const Graph& graph, ValueId id) {
  return *graph.value(id).type.shape;
}

bool is_padded(const Graph& graph, ValueId id) {
  const Dims& shape = shape_of(graph, id);
  return std::any_of(shape.begin(), shape.end(), [](const Dim& dim) { return !dim.is_known(); });
}

bool is_padded(const Graph& graph, ValueId id, std::size_t axis) {
  return !shape_of(graph, id)[axis].is_known();
}

std::size_t normal(std::int64_t axis, const Dims& shape) {
  return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
}

/// A run of axes of the input that is a run of axes of a reshape's output.
struct AxisRun {
  std::size_t from = 0, from_end = 0, to = 0, to_end = 0;
};

Dim product(const Dims& shape, std::size_t begin, std::size_t end) {
  Dim result = 1;
  for (std::size_t i = begin; i < end; ++i) result = result * shape[i];
  return result;
}

/// The shortest runs; the last one takes what is left.
std::vector<AxisRun> runs_of(const Dims& from, const Dims& to) {
  std::vector<AxisRun> runs;
  std::size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    AxisRun run{i, from.size(), j, to.size()};
    std::size_t least = from.size() + to.size() + 1;
    for (std::size_t a = i + 1; a <= from.size(); ++a) {
      for (std::size_t b = j + 1; b <= to.size(); ++b) {
        if (a + b >= least || product(from, i, a) != product(to, j, b)) continue;
        run = {i, a, j, b};
        least = a + b;
      }
    }
    runs.push_back(run);
    i = run.from_end;
    j = run.to_end;
  }
  return runs;
}

/// Is at most the outermost axis (besides those of size 1) padded?
bool pads_outermost_only(const Dims& shape, std::size_t begin, std::size_t end) {
  bool outermost = true;
  for (std::size_t i = begin; i < end; ++i) {
    if (!shape[i].is_known() && !outermost) return false;
    if (!shape[i].is(1)) outermost = false;
  }
  return true;
}

std::string reshape_obstacle(const Graph& graph, const Node& node) {
  const Dims &from = shape_of(graph, node.inputs[0]), &to = shape_of(graph, node.outputs[0]);
  for (const AxisRun& run : runs_of(from, to)) {
    if (product(from, run.from, run.from_end) != product(to, run.to, run.to_end)) {
      return "its sizes cannot be told apart before they are numbers";
    }
    if (!pads_outermost_only(from, run.from, run.from_end) ||
        !pads_outermost_only(to, run.to, run.to_end)) {
      return "it joins or splits a padded dimension inside another";
    }
  }
  return {};
}

std::string slice_obstacle(const Graph& graph, const Node& node) {
  for (const SliceAxis& axis : slice_axes(graph, node)) {
    if (!axis.start.is_known()) return "it begins at a place that depends on a size";
    if (axis.step < 0 && !axis.count.is_known()) return "it walks backwards from a padded end";
  }
  return {};
}

std::string concat_obstacle(const Graph& graph, const Node& node) {
  const std::size_t axis = axis_of(graph, node);
  for (std::size_t i = 0; i + 1 < node.inputs.size(); ++i) {
    if (is_padded(graph, node.inputs[i], axis)) return "something is joined behind a padded end";
  }
  return {};
}

std::string gather_obstacle(const Graph& graph, const Node& node) {
  if (!is_padded(graph, node.inputs[0], axis_of(graph, node))) return {};
  const Value& indices = graph.value(node.inputs[1]);
  if (node.op == Op::Gather && indices.kind == ValueKind::Constant) {
    const auto numbers = constant_tensor(indices).ints();
    if (std::all_of(numbers.begin(), numbers.end(), [](std::int64_t n) { return n >= 0; })) {
      return {};
    }
  }
  return "its numbers may count from a padded end";
}

std::string pad_obstacle(const Graph& graph, const Node& node) {
  const auto axes = pad_axes(graph, node);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool still = axes[i].before.is(0) && axes[i].after.is(0);
    if (is_padded(graph, node.inputs[0], i) && !still) return "it pads a padded end itself";
    if (!axes[i].before.is_known() || !axes[i].after.is_known()) {
      return "its padding depends on a size";
    }
  }
  return {};
}

std::string window_obstacle(const Graph& graph, const Node& node) {
  if (node.op == Op::Conv && node.int_of("fill") != 0) return "its border is not zero";
  if (node.op == Op::Conv && is_padded(graph, node.inputs[1])) return "its weights are padded";
  if (node.op == Op::Conv && is_padded(graph, node.inputs[0], 1)) return "its channels are padded";
  const Dims* pads = node.dims_of("pads");
  if (pads != nullptr &&
      std::any_of(pads->begin(), pads->end(), [](const Dim& dim) { return !dim.is_known(); })) {
    return "its border depends on a size";
  }
  return {};
}

std::string norm_obstacle(const Graph& graph, const Node& node) {
  const Dims& shape = shape_of(graph, node.inputs[0]);
  for (std::size_t i = axis_of(graph, node); i < shape.size(); ++i) {
    if (!shape[i].is_known()) return "it normalises over a padded dimension";
  }
  return {};
}

std::string along_obstacle(const Graph& graph, const Node& node, const char* what) {
  return is_padded(graph, node.inputs[0], axis_of(graph, node)) ? what : "";
}

/// Does the operator map 0 to 0?
bool keeps_zero(Op op) {
  constexpr Op kThese[] = {Op::Neg,   Op::Abs,       Op::Sqrt,  Op::Relu,     Op::Tanh,
                           Op::Erf,   Op::Sin,       Op::Atan,  Op::Floor,    Op::Ceil,
                           Op::Round, Op::Sign,      Op::Cast,  Op::Identity, Op::Gelu,
                           Op::Silu,  Op::HardSwish, Op::Log1p, Op::LeakyRelu};
  return std::find(std::begin(kThese), std::end(kThese), op) != std::end(kThese);
}

/// Rows behind the last group are zero, those of the padding too.
std::string grouped_obstacle(const Graph& graph, const Node& node) {
  const std::size_t row = node.int_of("trans_a") != 0 ? 1 : 0;
  const bool others = is_padded(graph, node.inputs[0], 1 - row) ||
                      is_padded(graph, node.inputs[1]) || is_padded(graph, node.inputs[2]);
  return node.string_of("axis") != "m" || others ? "its groups are of other axes than a padded one"
                                                 : "";
}

}  // namespace

Zeros zeros_of_inputs(const Graph& graph) {
  Zeros zeros;
  for (ValueId id : graph.inputs) {
    const auto& shape = graph.value(id).type.shape;
    if (shape) zeros[id] = Axes(shape->size(), true);
  }
  return zeros;
}

Axes zeros_after(const Graph& graph, const Node& node, const Zeros& zeros) {
  const auto found = node.inputs.empty() ? zeros.end() : zeros.find(node.inputs[0]);
  if (found == zeros.end()) return {};
  const Axes& before = found->second;
  if (keeps_zero(node.op)) return before;
  if (node.op == Op::Softmax) {  // its masked elements are exp of minus infinity
    Axes after(before.size(), false);
    after[axis_of(graph, node)] = true;
    return after;
  }
  if (node.op == Op::Transpose) {
    Axes after;
    const auto rank = static_cast<std::int64_t>(before.size());
    std::vector<std::int64_t> reversed;
    for (std::int64_t i = rank - 1; i >= 0; --i) reversed.push_back(i);
    for (std::int64_t axis : node.ints_of("perm", reversed)) {
      after.push_back(before[static_cast<std::size_t>(axis)]);
    }
    return after;
  }
  if (node.op == Op::Reshape) {
    const Dims &from = shape_of(graph, node.inputs[0]), &to = shape_of(graph, node.outputs[0]);
    Axes after(to.size(), false);
    for (const AxisRun& run : runs_of(from, to)) {
      bool zero = true;
      for (std::size_t i = run.from; i < run.from_end; ++i) {
        zero = zero && (from[i].is_known() || before[i]);
      }
      for (std::size_t i = run.to; i < run.to_end; ++i) after[i] = zero;
    }
    return after;
  }
  return {};
}

std::string obstacle(const Graph& graph, const Node& node) {
  const auto symbolic = [&](ValueId id) { return id != kNoValue && is_padded(graph, id); };
  if (std::none_of(node.inputs.begin(), node.inputs.end(), symbolic) &&
      std::none_of(node.outputs.begin(), node.outputs.end(), symbolic)) {
    return node.op == Op::Shape ? "it asks for sizes" : "";
  }
  if (info_of(node.op).pattern == Pattern::Elementwise) return {};
  switch (node.op) {
    case Op::ReduceSum:
    case Op::ReduceMax:
    case Op::ReduceMin:
    case Op::ReduceMean:
    case Op::ReduceProd:
    case Op::Softmax:
    case Op::LogSoftmax:
    case Op::ArgMax:
    case Op::ArgMin:
    case Op::CumSum:
    case Op::Expand:
    case Op::Transpose:
    case Op::Identity:
    case Op::DepthToSpace:
      return {};
    case Op::TopK:
      return is_padded(graph, node.outputs[0], axis_of(graph, node)) ? "it takes as many as a size"
                                                                     : "";
    case Op::LayerNorm:
    case Op::RmsNorm:
      return norm_obstacle(graph, node);
    case Op::MatMul:
      return {};
    case Op::GroupedMatMul:
      return grouped_obstacle(graph, node);
    case Op::Conv:
    case Op::MaxPool:
    case Op::SumPool:
      return window_obstacle(graph, node);
    case Op::Reshape:
      return reshape_obstacle(graph, node);
    case Op::Slice:
      return slice_obstacle(graph, node);
    case Op::Concat:
      return concat_obstacle(graph, node);
    case Op::Split:
      return along_obstacle(graph, node, "it splits a padded dimension");
    case Op::Gather:
    case Op::GatherElements:
      return gather_obstacle(graph, node);
    case Op::Pad:
      return pad_obstacle(graph, node);
    default:
      return "it may read what lies beyond a size";
  }
}

std::vector<std::pair<Dim, Dim>> meeting_sizes(const Graph& graph, const Node& node) {
  std::vector<std::pair<Dim, Dim>> meeting;
  // The other inputs of a normalisation lie along one axis.
  if (info_of(node.op).shape_rule != ShapeRule::Broadcast) return meeting;
  for (std::size_t a = 0; a < node.inputs.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const Dims &left = shape_of(graph, node.inputs[a]), &right = shape_of(graph, node.inputs[b]);
      for (std::size_t i = 1; i <= std::min(left.size(), right.size()); ++i) {
        const Dim &x = left[left.size() - i], &y = right[right.size() - i];
        if (!x.is(1) && !y.is(1) && x != y) meeting.emplace_back(x, y);
      }
    }
  }
  return meeting;
}

std::vector<std::size_t> reduced_axes(const Graph& graph, const Node& node) {
  const Dims& shape = shape_of(graph, node.inputs[0]);
  std::vector<std::size_t> axes;
  const bool all = node.dims_of("axes") == nullptr;
  for (std::int64_t axis : node.ints_of("axes")) axes.push_back(normal(axis, shape));
  for (std::size_t i = 0; all && i < shape.size(); ++i) axes.push_back(i);
  return axes;
}

std::size_t axis_of(const Graph& graph, const Node& node) {
  return normal(node.int_of("axis"), shape_of(graph, node.inputs[0]));
}

std::pair<std::size_t, std::size_t> contracted_axes(const Graph& graph, const Node& node) {
  const std::size_t a = shape_of(graph, node.inputs[0]).size();
  const std::size_t b = shape_of(graph, node.inputs[1]).size();
  const auto last_but = [](std::size_t rank, bool one) { return rank - (one && rank > 1 ? 2 : 1); };
  return {last_but(a, node.int_of("trans_a") != 0), last_but(b, node.int_of("trans_b") == 0)};
}

std::vector<std::size_t> window_axes(const Graph& graph, const Node& node) {
  std::vector<std::size_t> axes;
  const std::size_t rank = shape_of(graph, node.inputs[0]).size();
  const std::size_t first =
      node.op != Op::Conv && node.int_of("last") != 0 ? 1 : 2;  // behind the channels or before
  for (std::size_t i = first; i < rank - (first == 1 ? 1 : 0); ++i) axes.push_back(i);
  return axes;
}

}  // namespace dvmsim::padding
