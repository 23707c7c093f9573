#include "compiler/pass/mask_padding.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "compiler/graph/shape.h"
#include "compiler/pass/padded_axes.h"
#include "compiler/pass/rewrite.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using padding::Axes;

/// What an operator may read beyond the sizes without a trace of it in its result.
enum class Neutral : std::uint8_t { Zero, One, Lowest, Highest };

double number_of(Neutral neutral, DType dtype) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  switch (neutral) {
    case Neutral::Zero:
      return 0;
    case Neutral::One:
      return 1;
    case Neutral::Lowest:
    case Neutral::Highest:
      break;
  }
  const bool low = neutral == Neutral::Lowest;
  if (is_float(dtype)) return low ? -kInfinite : kInfinite;
  if (dtype == DType::Bool || dtype == DType::U8) return low ? 0 : dtype == DType::Bool ? 1 : 255;
  if (dtype == DType::I8) return low ? -128 : 127;
  // Of wider integers: what a double tells exactly.
  return low ? -2147483648.0 : 2147483647.0;
}

class Masker {
 public:
  explicit Masker(const Graph& graph) : rewrite_(graph), zero_(padding::zeros_of_inputs(graph)) {}

  MaskedGraph run() {
    for (const Node& node : rewrite_.nodes()) take(node);
    MaskedGraph masked;
    masked.graph = rewrite_.done();
    masked.added = std::move(added_);
    masked.meeting = std::move(meeting_);
    return masked;
  }

 private:
  [[nodiscard]] const Graph& graph() { return rewrite_.graph(); }
  [[nodiscard]] const Dims& shape(ValueId id) { return *graph().value(id).type.shape; }
  [[nodiscard]] bool is_padded(ValueId id, std::size_t axis) { return !shape(id)[axis].is_known(); }

  void take(const Node& given) {
    Node node = given;
    if (const std::string why = padding::obstacle(graph(), node); !why.empty()) {
      throw Error(fmt::format("{}: {}, and strategy bucket cannot mask that; use another strategy",
                              describe(graph(), node), why));
    }
    for (const auto& [a, b] : padding::meeting_sizes(graph(), node)) {
      meeting_.push_back({a, b, describe(graph(), node)});
    }
    switch (node.op) {
      case Op::ReduceMean:
        if (take_mean(node)) return;
        break;
      case Op::ReduceSum:
        mask_reduced(node, Neutral::Zero);
        break;
      case Op::ReduceProd:
        mask_reduced(node, Neutral::One);
        break;
      case Op::ReduceMax:
        mask_reduced(node, Neutral::Lowest);
        break;
      case Op::ReduceMin:
        mask_reduced(node, Neutral::Highest);
        break;
      case Op::ArgMax:
      case Op::ArgMin:
      case Op::Softmax:
      case Op::LogSoftmax:
      case Op::TopK:
        mask_axis(node);
        break;
      case Op::MatMul:
        mask_contracted(node);
        break;
      case Op::Conv:
      case Op::SumPool:
        mask_windows(node, Neutral::Zero);
        break;
      case Op::MaxPool:
        mask_windows(node, Neutral::Lowest);
        break;
      default:
        break;
    }
    const Axes zeros = padding::zeros_after(graph(), node, zero_);
    for (ValueId output : node.outputs) {
      if (!zeros.empty()) zero_[output] = zeros;
    }
    rewrite_.keep(std::move(node));
  }

  void mask(ValueId& input, std::size_t axis, Neutral neutral, const std::string& name) {
    if (!is_padded(input, axis)) return;
    const Dims whole = shape(input);
    const auto found = zero_.find(input);
    Axes zeros = found == zero_.end() ? Axes(whole.size(), false) : found->second;
    if (neutral == Neutral::Zero && zeros[axis]) return;
    const DType dtype = graph().value(input).type.dtype;
    Dims along(whole.size(), Dim(1));
    along[axis] = whole[axis];
    const ValueId flags = rewrite_.make(DType::Bool, along, Op::Reshape, {mask_of(whole[axis])},
                                        {{"shape", along}}, name);
    const ValueId number = rewrite_.graph().add_scalar(dtype, number_of(neutral, dtype));
    const ValueId masked =
        rewrite_.make(dtype, whole, Op::Select, {flags, input, number}, {}, name + ".mask");
    zeros[axis] = neutral == Neutral::Zero;
    zero_[masked] = std::move(zeros);
    input = masked;
  }

  void mask_reduced(Node& node, Neutral neutral) {
    for (std::size_t axis : padding::reduced_axes(graph(), node)) {
      mask(node.inputs[0], axis, neutral, node.name);
    }
  }

  void mask_axis(Node& node) {
    const bool low = node.op == Op::ArgMin || (node.op == Op::TopK && node.int_of("largest") == 0);
    const std::size_t axis = padding::axis_of(graph(), node);
    mask(node.inputs[0], axis, low ? Neutral::Highest : Neutral::Lowest, node.name);
  }

  /// Both factors, unless it is known of one: zero times what is not finite is no zero.
  void mask_contracted(Node& node) {
    const auto [a, b] = padding::contracted_axes(graph(), node);
    mask(node.inputs[0], a, Neutral::Zero, node.name);
    mask(node.inputs[1], b, Neutral::Zero, node.name);
  }

  void mask_windows(Node& node, Neutral neutral) {
    for (std::size_t axis : padding::window_axes(graph(), node)) {
      mask(node.inputs[0], axis, neutral, node.name);
    }
  }

  /// The mean of what is there, from the mean of all.
  bool take_mean(const Node& given) {
    Node node = given;
    Dim count = 1;
    for (std::size_t axis : padding::reduced_axes(graph(), node)) {
      if (!is_padded(node.inputs[0], axis)) continue;
      count = count * shape(node.inputs[0])[axis];
      mask(node.inputs[0], axis, Neutral::Zero, node.name);
    }
    if (count.is_known()) return false;
    const ValueId wanted = node.outputs[0];
    const ValueType type = graph().value(wanted).type;
    const ValueId mean =
        rewrite_.make(type.dtype, *type.shape, Op::ReduceMean, node.inputs, {}, node.name);
    rewrite_.graph().nodes.back().attributes = node.attributes;
    const ValueId ratio = added(PaddingInput::Kind::Ratio, count, type.dtype, Dims{});
    rewrite_.make(wanted, Op::Mul, {mean, ratio}, {}, node.name + ".ratio");
    return true;
  }

  ValueId mask_of(const Dim& size) {
    return added(PaddingInput::Kind::Mask, size, DType::Bool, Dims{size});
  }

  ValueId added(PaddingInput::Kind kind, const Dim& size, DType dtype, const Dims& shape) {
    for (std::size_t i = 0; i < added_.size(); ++i) {
      const PaddingInput& known = added_[i];
      if (known.kind == kind && known.size == size && known.dtype == dtype) return added_ids_[i];
    }
    const ValueId id =
        rewrite_.graph().add_input("padding" + std::to_string(added_.size()), dtype, shape);
    added_.push_back({kind, size, dtype, graph().value(id).name});
    added_ids_.push_back(id);
    return id;
  }

  Rewrite rewrite_;
  padding::Zeros zero_;
  std::vector<MeetingSizes> meeting_{};
  std::vector<PaddingInput> added_{};
  std::vector<ValueId> added_ids_{};
};

}  // namespace

MaskedGraph mask_padding(const Graph& graph) {
  for (const Value& value : graph.values) {
    if (value.type.shape) continue;
    const std::string what = value.producer < 0 ? "input '" + value.name + "'"
                                                : describe(graph, graph.node(value.producer));
    throw Error(what +
                ": its shape depends on data, which strategy bucket cannot pad; use another "
                "strategy");
  }
  return Masker(graph).run();
}

}  // namespace dvmsim
